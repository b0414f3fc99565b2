"""What a call costs, to the nano-unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from qwenport.core.model_card import ModelCard, Price
from qwenport.core.usage import Usage
from qwenport.metering.pricing import Cost, price_call
from qwenport.testing.models import model_card

TODAY = date(2026, 1, 1)


def price(amount_in: str, amount_out: str, **others: object) -> Price:
    """Return a Beijing price in CNY for 1,000 tokens."""
    plain = Price(
        region="beijing",
        currency="CNY",
        input=Decimal(amount_in),
        output=Decimal(amount_out),
        per_tokens=1000,
        since=date(2025, 1, 3),
        source="a price list",
    )
    return structs.replace(plain, **others)


def card(*prices: Price) -> ModelCard:
    return model_card(
        prices=prices,
    )


def nanos(prices: Sequence[Price], currency: str, usage: Usage, at: date = TODAY) -> int | None:
    cost = price_call(card(*prices), currency, usage, at)
    return None if cost is None else cost.nanos


def test_input_and_output_have_their_own_price() -> None:
    cost = price_call(card(price("0.0008", "0.002")), "CNY", Usage(input_tokens=1_000, output_tokens=500), TODAY)

    assert cost == Cost(nanos=1_800_000, currency="CNY", source="beijing 2025-01-03")


def test_prices_for_a_million_tokens_are_no_different() -> None:
    usage = Usage(input_tokens=7, output_tokens=3)

    assert nanos([price("1.6", "6.4", per_tokens=1_000_000)], "CNY", usage) == 30_400


def test_cached_tokens_have_their_price_and_are_part_of_the_input() -> None:
    prices = [price("0.0008", "0.002", cached_input=Decimal("0.0002"))]

    assert nanos(prices, "CNY", Usage(input_tokens=1_000, cached_tokens=400)) == 600 * 800 + 400 * 200


def test_cached_tokens_without_a_price_cost_as_much_as_the_rest() -> None:
    usage = Usage(input_tokens=1_000, cached_tokens=400)

    assert nanos([price("0.0008", "0.002")], "CNY", usage) == 800_000


def test_more_cached_tokens_than_input_do_not_make_a_call_cheaper_than_all_cached() -> None:
    prices = [price("0.0008", "0.002", cached_input=Decimal("0.0002"))]

    assert nanos(prices, "CNY", Usage(input_tokens=10, cached_tokens=1_000_000)) == 10 * 200


def test_a_cached_price_of_zero_is_a_price() -> None:
    prices = [price("0.0008", "0.002", cached_input=Decimal(0))]

    assert nanos(prices, "CNY", Usage(input_tokens=10, cached_tokens=10)) == 0


@pytest.mark.parametrize(
    ("amount", "tokens", "expected"),
    [
        ("0.0000000005", 1, 1),
        ("0.0000000004", 1, 0),
        ("0.0000000004", 2, 1),
        ("0.00000000149999999999999999999999999999999", 1, 1),
    ],
)
def test_the_sum_is_rounded_half_up_once(amount: str, tokens: int, expected: int) -> None:
    assert nanos([price(amount, "0", per_tokens=1)], "CNY", Usage(input_tokens=tokens)) == expected


def test_halves_of_input_and_output_are_added_before_rounding() -> None:
    prices = [price("0.0000000005", "0.0000000005", per_tokens=1)]

    assert nanos(prices, "CNY", Usage(input_tokens=1, output_tokens=1)) == 1


@pytest.mark.parametrize(
    ("input_tokens", "expected"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 4), (10_000_000, 4)]
)
def test_the_tier_is_the_lowest_that_the_input_fits(input_tokens: int, expected: int) -> None:
    tiers = [
        price("4", "0", per_tokens=1),
        price("2", "0", per_tokens=1, up_to_input_tokens=200),
        price("1", "0", per_tokens=1, up_to_input_tokens=100),
    ]

    assert nanos(tiers, "CNY", Usage(input_tokens=input_tokens)) == expected * input_tokens * 1_000_000_000


def test_an_input_longer_than_every_tier_is_unpriced() -> None:
    prices = [price("1", "1", up_to_input_tokens=100)]

    assert nanos(prices, "CNY", Usage(input_tokens=101)) is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [(date(2025, 1, 2), None), (date(2025, 1, 3), 1), (date(2025, 6, 30), 1), (date(2025, 7, 1), 2), (TODAY, 2)],
)
def test_a_price_holds_from_its_day_until_the_next(at: date, expected: int | None) -> None:
    prices = [price("0.000000002", "0", per_tokens=1, since=date(2025, 7, 1)), price("0.000000001", "0", per_tokens=1)]

    assert nanos(prices, "CNY", Usage(input_tokens=1), at) == expected


def test_a_tier_that_the_newest_list_dropped_is_not_taken_from_an_older_one() -> None:
    prices = [price("1", "1"), price("2", "2", since=date(2025, 7, 1), up_to_input_tokens=100)]

    assert nanos(prices, "CNY", Usage(input_tokens=101)) is None


def test_each_currency_has_the_list_of_its_region() -> None:
    prices = [
        price("1", "0", per_tokens=1),
        price("3", "0", per_tokens=1, region="singapore", currency="USD"),
        price("5", "0", per_tokens=1, region="us", currency="USD", since=date(2025, 12, 1)),
        price("7", "0", per_tokens=1, region="singapore", since=date(2025, 12, 1)),
    ]

    assert [
        price_call(card(*prices), currency, Usage(input_tokens=1), TODAY) for currency in ("CNY", "USD", "EUR")
    ] == [
        Cost(nanos=1_000_000_000, currency="CNY", source="beijing 2025-01-03"),
        Cost(nanos=3_000_000_000, currency="USD", source="singapore 2025-01-03"),
        None,
    ]


@pytest.mark.parametrize("known", [card(), None])
def test_a_model_without_prices_or_card_is_unpriced_never_free(known: ModelCard | None) -> None:
    assert price_call(known, "CNY", Usage(input_tokens=1), TODAY) is None


@pytest.mark.parametrize("known", [card(price("1", "1")), card(), None])
def test_nothing_consumed_costs_nothing_even_without_a_price(known: ModelCard | None) -> None:
    assert price_call(known, "EUR", Usage(), TODAY) == Cost(nanos=0, currency="EUR", source="")


amounts = st.decimals(min_value=0, max_value=1000, places=12)
tokens = st.integers(min_value=0, max_value=2_000_000)


prices_of_any_kind = st.builds(
    lambda amount_in, amount_out, cached, per: price(
        str(amount_in), str(amount_out), cached_input=cached, per_tokens=per
    ),
    amounts,
    amounts,
    st.none() | amounts,
    st.sampled_from([1, 1000, 1_000_000]),
)
usages = st.builds(
    lambda given, made, hit: Usage(input_tokens=given, output_tokens=made, cached_tokens=min(hit, given)),
    tokens,
    tokens,
    tokens,
)


@given(prices_of_any_kind, usages)
def test_equals_the_sum_in_decimal_arithmetic(listed: Price, usage: Usage) -> None:
    with localcontext(prec=60):
        rate = listed.input if listed.cached_input is None else listed.cached_input
        paid_in = (usage.input_tokens - usage.cached_tokens) * listed.input + usage.cached_tokens * rate
        exact = (paid_in + usage.output_tokens * listed.output) / listed.per_tokens * 1_000_000_000
        expected = int(exact.to_integral_value(ROUND_HALF_UP))

    assert nanos([listed], "CNY", usage) == expected


@given(prices_of_any_kind, usages, tokens, tokens)
def test_more_tokens_never_cost_less(listed: Price, usage: Usage, more_in: int, more_out: int) -> None:
    longer = structs.replace(
        usage, input_tokens=usage.input_tokens + more_in, output_tokens=usage.output_tokens + more_out
    )
    less = nanos([listed], "CNY", usage)
    more = nanos([listed], "CNY", longer)

    assert less is not None
    assert more is not None
    assert 0 <= less <= more

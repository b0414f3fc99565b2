"""What a call costs, to the nano-unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.exchange import ExchangeRateInvalid
from qwenport.core.model_card import ModelCard, Price
from qwenport.core.usage import Usage
from qwenport.metering.price_book import PriceBook, Tariff
from qwenport.storage.records import RateRecord
from qwenport.testing.models import model_card

TODAY = date(2026, 1, 1)
NANOS = 1_000_000_000


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


def dollars(amount_in: str, amount_out: str, **others: object) -> Price:
    return price(amount_in, amount_out, region="singapore", currency="USD", **others)


def rate(base: str, quote: str, amount: str, since: str = "2025-11-01") -> RateRecord:
    return RateRecord(base=base, quote=quote, since=since, rate=amount, source="a bank")


def card(*prices: Price) -> ModelCard:
    return model_card(prices=prices)


def tariff(
    prices: Sequence[Price],
    currency: str = "CNY",
    on: date = TODAY,
    *,
    ppm: int = FULL_PRICE_PPM,
    rates: Sequence[RateRecord] = (),
    batch: bool = False,
) -> Tariff | None:
    return PriceBook({}, rates).tariff(card(*prices), currency, ppm, on, batch=batch)


def nanos(prices: Sequence[Price], usage: Usage, *, ppm: int = FULL_PRICE_PPM, batch: bool = False) -> int:
    found = tariff(prices, ppm=ppm, batch=batch)
    assert found is not None
    return found.cost_nanos(usage)


def test_input_and_output_have_their_own_price() -> None:
    found = tariff([price("0.0008", "0.002")])

    assert found is not None
    assert found.cost_nanos(Usage(input_tokens=1_000, output_tokens=500)) == 1_800_000
    assert (found.price_source, found.exchange) == ("beijing 2025-01-03", "")


def test_prices_for_a_million_tokens_are_no_different() -> None:
    usage = Usage(input_tokens=7, output_tokens=3)

    assert nanos([price("1.6", "6.4", per_tokens=1_000_000)], usage) == 30_400


def test_nothing_consumed_costs_nothing() -> None:
    assert nanos([price("1", "1")], Usage()) == 0


def test_cached_tokens_have_their_price_and_are_part_of_the_input() -> None:
    prices = [price("0.0008", "0.002", cached_input=Decimal("0.0002"))]

    assert nanos(prices, Usage(input_tokens=1_000, cached_tokens=400)) == 600 * 800 + 400 * 200


def test_cached_tokens_without_a_price_cost_as_much_as_the_rest() -> None:
    assert nanos([price("0.0008", "0.002")], Usage(input_tokens=1_000, cached_tokens=400)) == 800_000


def test_a_cached_price_of_zero_is_a_price() -> None:
    prices = [price("0.0008", "0.002", cached_input=Decimal(0))]

    assert nanos(prices, Usage(input_tokens=10, cached_tokens=10)) == 0


def test_an_explicit_cache_has_published_factors_of_the_input_price() -> None:
    usage = Usage(input_tokens=1_000, cached_tokens=500, explicitly_cached_tokens=400, cache_creation_tokens=300)
    prices = [price("0.0008", "0.002", cached_input=Decimal("0.0002"))]

    assert nanos(prices, usage) == 200 * 800 + 100 * 200 + 400 * 80 + 300 * 1000


def test_factors_are_those_that_the_price_names() -> None:
    usage = Usage(input_tokens=1_000, cached_tokens=400, explicitly_cached_tokens=400, cache_creation_tokens=300)
    own = price("0.001", "0", explicit_cache_factor=Decimal("0.2"), cache_creation_factor=Decimal(2))

    assert nanos([own], usage) == 300 * 1000 + 400 * 200 + 300 * 2000


def test_image_tokens_have_a_price_where_the_list_names_one() -> None:
    usage = Usage(input_tokens=1_000, image_tokens=600, images=1)

    assert nanos([price("0.001", "0", image_input=Decimal("0.003"))], usage) == 400 * 1000 + 600 * 3000
    assert nanos([price("0.001", "0")], usage) == 1_000_000


def test_cached_tokens_count_as_text_first() -> None:
    usage = Usage(input_tokens=1_000, image_tokens=600, cached_tokens=700)
    prices = [price("0.001", "0", image_input=Decimal("0.003"), cached_input=Decimal(0))]

    assert nanos(prices, usage) == 300 * 3000


def test_a_call_that_thought_pays_the_price_of_thinking_for_its_answer_too() -> None:
    prices = [price("0.0008", "0.002", thinking_output=Decimal("0.008"))]

    assert nanos(prices, Usage(output_tokens=100, reasoning_tokens=1)) == 100 * 8000
    assert nanos(prices, Usage(output_tokens=100)) == 100 * 2000


def test_thinking_without_a_price_of_its_own_costs_as_any_output() -> None:
    assert nanos([price("0.0008", "0.002")], Usage(output_tokens=100, reasoning_tokens=100)) == 100 * 2000


def test_a_batch_costs_half_and_has_no_price_of_cached_tokens() -> None:
    usage = Usage(
        input_tokens=1_000,
        output_tokens=100,
        cached_tokens=500,
        explicitly_cached_tokens=100,
        cache_creation_tokens=200,
    )
    prices = [price("0.0008", "0.002", cached_input=Decimal("0.0002"))]

    assert nanos(prices, usage, batch=True) == (1_000 * 800 + 100 * 2000) // 2
    assert nanos([structs.replace(prices[0], batch_factor=Decimal(1))], usage, batch=True) == 1_000_000


def test_a_discount_is_a_part_of_the_list_price() -> None:
    found = tariff([price("0.0008", "0.002")], ppm=812_500, batch=True)

    assert found is not None
    assert found.cost_nanos(Usage(input_tokens=1_000)) == 325_000
    assert found.price_source == "beijing 2025-01-03, batch, at 81.25%"


def test_an_account_that_pays_nothing_of_the_list_is_billed_nothing() -> None:
    assert nanos([price("1", "1")], Usage(input_tokens=10, output_tokens=10), ppm=0) == 0


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=10, cached_tokens=1_000_000, explicitly_cached_tokens=-5),
        Usage(input_tokens=10, cached_tokens=-7, cache_creation_tokens=-1),
        Usage(input_tokens=10, cached_tokens=5, explicitly_cached_tokens=9, cache_creation_tokens=99, image_tokens=99),
        Usage(input_tokens=-10, output_tokens=-1, cached_tokens=3, image_tokens=-4, reasoning_tokens=-1),
    ],
)
def test_counts_that_cannot_be_true_are_brought_into_range(usage: Usage) -> None:
    prices = [price("0.001", "0.001", image_input=Decimal("0.002"), cached_input=Decimal("0.0005"))]

    found = tariff(prices)
    assert found is not None
    assert 0 <= found.cost_nanos(usage) <= found.most_nanos(max(0, usage.input_tokens), max(0, usage.output_tokens))


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
    assert nanos([price(amount, "0", per_tokens=1)], Usage(input_tokens=tokens)) == expected


def test_halves_of_input_and_output_are_added_before_rounding() -> None:
    prices = [price("0.0000000005", "0.0000000005", per_tokens=1)]

    assert nanos(prices, Usage(input_tokens=1, output_tokens=1)) == 1


def test_discount_batch_and_exchange_come_before_the_rounding() -> None:
    usage = Usage(input_tokens=1)
    found = tariff(
        [dollars("0.000000001", "0", per_tokens=1)], ppm=750_000, rates=[rate("USD", "CNY", "4")], batch=True
    )

    assert found is not None
    assert found.cost_nanos(usage) == 2  # 1.5 nano-units


TIERS = (
    price("0.4", "0", per_tokens=1),
    price("0.2", "0.5", per_tokens=1, up_to_input_tokens=200),
    price("0.1", "0", per_tokens=1, up_to_input_tokens=100),
)


@pytest.mark.parametrize(
    ("input_tokens", "expected"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 4), (10_000_000, 4)]
)
def test_the_tier_is_the_lowest_that_the_input_fits(input_tokens: int, expected: int) -> None:
    assert nanos(TIERS, Usage(input_tokens=input_tokens)) == expected * input_tokens * NANOS // 10


def test_the_output_is_billed_by_the_tier_of_the_input() -> None:
    assert nanos(TIERS, Usage(input_tokens=101, output_tokens=2)) == 101 * 200_000_000 + 2 * 500_000_000


def test_an_input_that_an_engine_counts_beyond_the_last_tier_is_billed_by_it() -> None:
    prices = [price("0.001", "0", up_to_input_tokens=50), price("0.002", "0", up_to_input_tokens=100)]

    assert nanos(prices, Usage(input_tokens=101)) == 101 * 2000


def test_a_bound_looks_at_every_tier_that_the_input_may_reach() -> None:
    found = tariff(TIERS)

    assert found is not None
    assert found.most_nanos(100, 2) == 100 * 125_000_000  # with a cache made of all of it, and no price of output
    assert found.most_nanos(201, 1_000) == 200 * 250_000_000 + 1_000 * 500_000_000


@pytest.mark.parametrize(
    ("on", "expected"),
    [(date(2025, 1, 2), None), (date(2025, 1, 3), 1), (date(2025, 6, 30), 1), (date(2025, 7, 1), 2), (TODAY, 2)],
)
def test_a_price_holds_from_its_day_until_the_next(on: date, expected: int | None) -> None:
    prices = [price("0.000000002", "0", per_tokens=1, since=date(2025, 7, 1)), price("0.000000001", "0", per_tokens=1)]

    found = tariff(prices, on=on)

    assert (None if found is None else found.cost_nanos(Usage(input_tokens=1))) == expected


def test_a_tier_that_the_newest_list_dropped_is_not_taken_from_an_older_one() -> None:
    prices = [price("0.001", "0"), price("0.002", "0", since=date(2025, 7, 1), up_to_input_tokens=100)]

    assert nanos(prices, Usage(input_tokens=101)) == 101 * 2000


def test_each_currency_has_the_list_of_its_region() -> None:
    prices = [
        price("0.1", "0", per_tokens=1),
        dollars("0.3", "0", per_tokens=1),
        price("0.5", "0", per_tokens=1, since=date(2025, 12, 1), currency="USD", region="us"),
    ]

    found = [tariff(prices, currency) for currency in ("CNY", "USD", "EUR")]

    assert [each and (each.cost_nanos(Usage(input_tokens=10)), each.price_source) for each in found] == [
        (1 * NANOS, "beijing 2025-01-03"),
        (3 * NANOS, "singapore 2025-01-03"),
        None,
    ]


def test_a_list_in_the_accounts_currency_goes_before_one_that_is_converted() -> None:
    found = tariff([price("0.1", "0", per_tokens=1), dollars("0.3", "0")], rates=[rate("USD", "CNY", "7")])

    assert found is not None
    assert (found.price_source, found.exchange) == ("beijing 2025-01-03", "")


def test_the_international_list_is_converted_before_beijings() -> None:
    prices = [price("0.1", "0", per_tokens=1), dollars("0.3", "0", per_tokens=1)]
    rates = [rate("CNY", "EUR", "0.125"), rate("USD", "EUR", "0.92")]

    found = tariff(prices, "EUR", rates=rates)

    assert found is not None
    assert found.cost_nanos(Usage(input_tokens=1)) == 276_000_000
    assert (found.price_source, found.exchange) == ("singapore 2025-01-03", "USD/EUR 0.92 2025-11-01")


def test_beijings_list_is_converted_where_no_rate_converts_the_international_one() -> None:
    prices = [price("0.1", "0", per_tokens=1), dollars("0.3", "0", per_tokens=1)]

    found = tariff(prices, "EUR", rates=[rate("CNY", "EUR", "0.125")])

    assert found is not None
    assert found.cost_nanos(Usage(input_tokens=1)) == 12_500_000
    assert found.exchange == "CNY/EUR 0.125 2025-11-01"


def test_the_rate_in_force_on_the_day_is_taken() -> None:
    rates = [rate("USD", "CNY", amount, day) for amount, day in [("7", "2025-11-01"), ("8", "2025-12-01")]]
    prices = [dollars("0.000000001", "0", per_tokens=1)]

    found = [tariff(prices, on=day, rates=rates) for day in (date(2025, 10, 31), date(2025, 11, 30), date(2025, 12, 1))]

    assert [each and each.cost_nanos(Usage(input_tokens=1)) for each in found] == [None, 7, 8]


def test_a_rate_of_the_other_direction_alone_is_divided_by_exactly() -> None:
    found = tariff([price("0.1", "0")], "USD", rates=[rate("USD", "CNY", "7")])

    assert found is not None
    assert found.cost_nanos(Usage(input_tokens=1_000_000)) == 14_285_714_286
    assert found.exchange == "USD/CNY 7 2025-11-01 inverse"


def test_a_rate_of_the_right_direction_goes_before_a_newer_one_of_the_other() -> None:
    rates = [rate("CNY", "USD", "0.14"), rate("USD", "CNY", "7", "2025-12-01")]

    found = tariff([price("0.3", "0")], "USD", rates=rates)

    assert found is not None
    assert found.exchange == "CNY/USD 0.14 2025-11-01"


def test_a_model_without_prices_is_unpriced_never_free() -> None:
    assert tariff([], rates=[rate("USD", "CNY", "7")]) is None


def test_a_model_whose_route_says_so_costs_nothing_whatever_the_list_says() -> None:
    free = model_card(prices=(price("1", "1"),), costs_nothing=True)

    found = PriceBook({}).tariff(free, "EUR", FULL_PRICE_PPM, TODAY)

    assert found is not None
    usage = Usage(input_tokens=10**9, output_tokens=10**9, reasoning_tokens=1)
    assert (found.cost_nanos(usage), found.most_nanos(10**9, 10**9), found.price_source) == (0, 0, "route price 0")


def test_a_tariff_is_computed_once_until_the_rates_change() -> None:
    book = PriceBook({}, [rate("USD", "CNY", "7")])
    priced = card(dollars("0.000000001", "0", per_tokens=1))
    first = book.tariff(priced, "CNY", FULL_PRICE_PPM, TODAY)

    assert book.tariff(priced, "CNY", FULL_PRICE_PPM, TODAY) is first
    book.set_rates([rate("USD", "CNY", "8")])
    second = book.tariff(priced, "CNY", FULL_PRICE_PPM, TODAY)
    assert second is not None
    assert second.cost_nanos(Usage(input_tokens=1)) == 8


def test_a_book_does_not_grow_for_ever() -> None:
    book = PriceBook({})
    priced = card(price("1", "1"))
    first = book.tariff(priced, "CNY", 0, TODAY)
    for ppm in range(1, 10_001):
        book.tariff(priced, "CNY", ppm, TODAY)

    again = book.tariff(priced, "CNY", 0, TODAY)
    assert again == first
    assert again is not first


def test_a_rate_that_cannot_be_used_leaves_the_former_ones_in_force() -> None:
    book = PriceBook({}, [rate("USD", "CNY", "7")])

    with pytest.raises(ExchangeRateInvalid):
        book.set_rates([rate("USD", "CNY", "8"), rate("USD", "CNY", "0")])
    found = book.tariff(card(dollars("0.001", "0")), "CNY", FULL_PRICE_PPM, TODAY)
    assert found is not None
    assert found.exchange == "USD/CNY 7 2025-11-01"


def test_cards_are_found_by_name() -> None:
    known = card(price("1", "1"))
    book = PriceBook({known.name: known})

    assert (book.card(known.name), book.card("qwen-unknown")) == (known, None)


amounts = st.decimals(min_value=0, max_value=1000, places=12)
factors = st.decimals(min_value=0, max_value=2, places=3)
tokens = st.integers(min_value=0, max_value=2_000)


@st.composite
def price_lists(draw: st.DrawFn) -> list[Price]:
    """Draw one list of up to three tiers, dearer or cheaper from one to the next."""
    ends = sorted(draw(st.sets(st.integers(1, 1_500), max_size=2)))
    return [
        price(
            str(draw(amounts)),
            str(draw(amounts)),
            up_to_input_tokens=end,
            per_tokens=draw(st.sampled_from([1000, 1_000_000, 7])),
            thinking_output=draw(st.none() | amounts),
            cached_input=draw(st.none() | amounts),
            image_input=draw(st.none() | amounts),
            explicit_cache_factor=draw(factors),
            cache_creation_factor=draw(factors),
            batch_factor=draw(factors),
        )
        for end in [*ends, None]
    ]


usages = st.builds(
    Usage,
    input_tokens=tokens,
    output_tokens=tokens,
    cached_tokens=tokens,
    reasoning_tokens=tokens,
    image_tokens=tokens,
    cache_creation_tokens=tokens,
    explicitly_cached_tokens=tokens,
)
rates_of_any_kind = st.decimals(min_value=Decimal("0.001"), max_value=1000, places=6)


terms = st.tuples(st.integers(0, 1_000_000), rates_of_any_kind, st.booleans())


@given(price_lists(), usages, terms, st.tuples(tokens, tokens))
def test_no_usage_within_the_bounds_costs_more_than_most_nanos(
    prices: list[Price], usage: Usage, terms: tuple[int, Decimal, bool], more: tuple[int, int]
) -> None:
    ppm, exchange, batch = terms
    found = tariff(prices, "USD", ppm=ppm, rates=[rate("CNY", "USD", f"{exchange:f}")], batch=batch)

    assert found is not None
    assert 0 <= found.cost_nanos(usage) <= found.most_nanos(usage.input_tokens, usage.output_tokens)
    bound = found.most_nanos(usage.input_tokens + more[0], usage.output_tokens + more[1])
    assert found.cost_nanos(usage) <= bound


@given(st.tuples(amounts, amounts, amounts), st.tuples(tokens, tokens, tokens), st.integers(0, 1_000_000))
def test_equals_the_sum_in_decimal_arithmetic(
    listed: tuple[Decimal, Decimal, Decimal], consumed: tuple[int, int, int], ppm: int
) -> None:
    amount_in, amount_out, amount_cached = listed
    sent, made, hit = consumed[0], consumed[1], min(consumed[2], consumed[0])
    with localcontext(prec=80):
        paid = (sent - hit) * amount_in + hit * amount_cached + made * amount_out
        expected = int((paid * ppm * NANOS / (1000 * 1_000_000)).to_integral_value(ROUND_HALF_UP))

    prices = [price(str(amount_in), str(amount_out), cached_input=amount_cached)]
    assert nanos(prices, Usage(input_tokens=sent, output_tokens=made, cached_tokens=hit), ppm=ppm) == expected


@given(rates_of_any_kind, amounts, tokens)
def test_a_conversion_is_exact_to_the_half_nano(exchange: Decimal, amount: Decimal, given_in: int) -> None:
    found = tariff([price(str(amount), "0")], "USD", rates=[rate("USD", "CNY", f"{exchange:f}")])

    assert found is not None
    exact = Fraction(amount) * given_in / 1000 / Fraction(exchange) * NANOS
    assert abs(found.cost_nanos(Usage(input_tokens=given_in)) - exact) <= Fraction(1, 2)


@given(amounts, amounts, usages, tokens, tokens)
def test_more_tokens_never_cost_less(
    amount_in: Decimal, amount_out: Decimal, usage: Usage, more_in: int, more_out: int
) -> None:
    longer = structs.replace(
        usage, input_tokens=usage.input_tokens + more_in, output_tokens=usage.output_tokens + more_out
    )
    prices = [price(str(amount_in), str(amount_out))]

    assert 0 <= nanos(prices, usage) <= nanos(prices, longer)


def test_a_card_that_costs_nothing_by_another_configuration_is_priced_anew() -> None:
    card = Catalog.load().resolve("qwen-plus")
    free = structs.replace(card, costs_nothing=True)
    book = PriceBook({card.name: card})
    on = date(2026, 1, 1)
    sources = [
        tariff and tariff.price_source for tariff in (book.tariff(each, "CNY", 1, on) for each in (card, free, card))
    ]

    assert sources[1] == "route price 0"
    assert sources[0] == sources[2] != sources[1]


PICTURES = {
    "units": {"image_count": Decimal("0.2"), "characters": Decimal("0.0001")},
    "most_units": {"image_count": 4, "characters": 600},
}


def test_what_is_reported_beyond_tokens_has_a_price_for_each() -> None:
    usage = Usage(input_tokens=1000, items=(("characters", 15), ("image_count", 2), ("video_ratio", 9)))

    assert nanos([price("0.001", "0", **PICTURES)], usage) == 402_500_000
    assert nanos([price("0.001", "0", **PICTURES)], usage, ppm=500_000) == 201_250_000
    assert nanos([price("0.001", "0", **PICTURES)], usage, batch=True) == 201_250_000


def test_items_without_a_price_cost_nothing() -> None:
    assert nanos([price("0.001", "0")], Usage(items=(("image_count", 2),))) == 0


def test_a_bound_holds_what_is_reported_beyond_tokens() -> None:
    found = tariff([price("0.001", "0.002", **PICTURES)])

    assert found is not None
    assert found.most_units == (("characters", 600), ("image_count", 4))
    assert found.most_nanos(1000, 0, found.most_units) == 861_250_000

"""A price line by line: what is shown is what is billed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.model_card import ModelCard, Price
from qwenport.core.usage import Usage
from qwenport.metering.price_book import PriceBook
from qwenport.metering.price_lines import PriceExplanation, PriceFactor, PriceLine, PriceQuestion, price_lines
from qwenport.storage.records import RateRecord
from qwenport.testing.models import model_card

TODAY = date(2026, 11, 22)
LIST = Price(
    region="beijing",
    currency="CNY",
    input=Decimal("0.8"),
    output=Decimal(2),
    thinking_output=Decimal(8),
    cached_input=Decimal("0.16"),
    image_input=Decimal("1.2"),
    per_tokens=1_000_000,
    up_to_input_tokens=128_000,
    since=date(2026, 11, 22),
    source="a price list",
)
LONG = structs.replace(LIST, input=Decimal("2.4"), up_to_input_tokens=None)
CARD = model_card(prices=(LIST, LONG))
USAGE = Usage(
    input_tokens=1_000,
    output_tokens=200,
    cached_tokens=500,
    explicitly_cached_tokens=300,
    cache_creation_tokens=100,
    image_tokens=150,
    reasoning_tokens=50,
)
DOLLARS = RateRecord(base="USD", quote="CNY", since="2026-11-01", rate="7.00", source="a bank")


def line(what: str, tokens: int, price: str, amount: str, factor: str = "1") -> PriceLine:
    return PriceLine(what=what, tokens=tokens, price=price, per_tokens=1_000_000, factor=factor, amount=amount)


def explain(usage: Usage = USAGE, currency: str = "CNY", **others: object) -> PriceExplanation:
    question = PriceQuestion(card=CARD, usage=usage, currency=currency, on=TODAY)
    return price_lines(PriceBook({}, [DOLLARS]), structs.replace(question, **others))


def test_every_part_of_the_usage_has_its_line() -> None:
    assert explain() == PriceExplanation(
        model="qwen-plus",
        currency="CNY",
        on=TODAY,
        cost="0.002136",
        cost_nanos=2_136_000,
        price_source="beijing 2026-11-22",
        lines=(
            line("input", 250, "0.8", "0.0002"),
            line("image input", 150, "1.2", "0.00018"),
            line("cached input", 200, "0.16", "0.000032"),
            line("explicitly cached input", 300, "0.8", "0.000024", "0.1"),
            line("cache creation", 100, "0.8", "0.0001", "1.25"),
            line("thinking output", 200, "8", "0.0016"),
        ),
        factors=(),
        rounding="0",
        list_region="beijing",
        list_currency="CNY",
        list_since=date(2026, 11, 22),
        list_source="a price list",
        up_to_input_tokens=128_000,
    )


def test_what_was_not_used_has_no_line() -> None:
    explained = explain(Usage(input_tokens=10, output_tokens=1))

    assert [(each.what, each.amount) for each in explained.lines] == [("input", "0.000008"), ("output", "0.000002")]


def test_the_tier_is_that_of_the_length_of_the_input() -> None:
    explained = explain(Usage(input_tokens=128_001))

    assert (explained.up_to_input_tokens, explained.lines) == (
        None,
        (line("input", 128_001, "2.4", "0.3072024"),),
    )


def test_batch_discount_and_exchange_are_factors_of_every_line() -> None:
    explained = explain(Usage(input_tokens=7, output_tokens=7), "USD", batch=True, rate_ppm=800_000)

    assert explained.factors == (
        PriceFactor(what="batch", value="0.5"),
        PriceFactor(what="discount", value="0.8"),
        PriceFactor(what="exchange", value="1/7", source="USD/CNY 7.00 2026-11-01 inverse"),
    )
    assert explained.lines == (line("input", 7, "0.8", "0.00000032"), line("output", 7, "2", "0.0000008"))
    assert (explained.cost, explained.rounding) == ("0.00000112", "0")
    assert explained.price_source == "beijing 2026-11-22, batch, at 80%"


def test_rounding_is_said_where_an_amount_has_no_end() -> None:
    explained = explain(Usage(input_tokens=1), "USD")

    assert explained.lines[0].amount == "0.000000114285714285714285714286"
    assert (explained.cost, explained.rounding) == ("0.000000114", "-0.000000000285714285714285714286")


def test_a_model_without_a_price_is_said_to_have_none() -> None:
    explained = explain(card=model_card(prices=(LIST,)), currency="EUR")

    words = "no list is in force on 2026-11-22 that is in EUR or that a rate of that day converts"
    assert explained == PriceExplanation(
        model="qwen-plus", currency="EUR", on=TODAY, cost=None, cost_nanos=None, price_source=words
    )


def test_a_route_that_costs_nothing_is_said() -> None:
    explained = explain(card=model_card(prices=(LIST,), costs_nothing=True))

    assert explained == PriceExplanation(
        model="qwen-plus", currency="CNY", on=TODAY, cost="0", cost_nanos=0, price_source="route price 0"
    )


def test_amounts_travel_as_decimal_strings() -> None:
    told = msgspec.json.decode(msgspec.json.encode(explain()))

    assert (told["cost"], told["lines"][0]["amount"], told["list_since"]) == ("0.002136", "0.0002", "2026-11-22")


CARDS = [card for card in Catalog.load().cards.values() if card.prices]
tokens = st.integers(0, 300_000)


@given(
    st.sampled_from(CARDS),
    st.builds(
        Usage,
        input_tokens=tokens,
        output_tokens=tokens,
        cached_tokens=tokens,
        explicitly_cached_tokens=tokens,
        cache_creation_tokens=tokens,
        image_tokens=tokens,
        reasoning_tokens=st.integers(0, 2),
    ),
    st.sampled_from(["CNY", "USD", "EUR"]),
    st.integers(0, FULL_PRICE_PPM),
    st.booleans(),
)
def test_lines_and_rounding_are_what_the_book_bills(
    card: ModelCard, usage: Usage, currency: str, ppm: int, batch: bool
) -> None:
    book = PriceBook({}, [DOLLARS, RateRecord(base="EUR", quote="USD", since="2026-11-01", rate="1.13", source="")])
    question = PriceQuestion(
        card=card,
        usage=usage,
        currency=currency,
        on=TODAY,
        batch=batch,
        rate_ppm=ppm,
    )
    explained = price_lines(book, question)
    billed = book.tariff(question.card, currency, ppm, TODAY, batch=batch)

    assert billed is None or explained.cost_nanos == billed.cost_nanos(usage)
    assert (explained.cost is None) == (billed is None)
    if explained.cost is not None:
        with localcontext(prec=100):
            shown = sum((Decimal(each.amount) for each in explained.lines), Decimal(explained.rounding))
            assert shown == Decimal(explained.cost)
            assert abs(Decimal(explained.rounding)) <= Decimal("0.00000000050000001")


def test_what_is_reported_beyond_tokens_has_lines_of_its_own() -> None:
    pictures = structs.replace(LIST, units={"image_count": Decimal("0.20")}, most_units={"image_count": 4})
    usage = Usage(items=(("image_count", 3), ("video_ratio", 9)))
    question = PriceQuestion(
        card=model_card(prices=(pictures,)), usage=usage, currency="CNY", on=TODAY, rate_ppm=500_000
    )

    explained = price_lines(PriceBook({}), question)

    line = PriceLine(what="image_count", tokens=3, price="0.2", per_tokens=1, factor="1", amount="0.3")
    assert (explained.lines, explained.cost, explained.rounding) == ((line,), "0.3", "0")

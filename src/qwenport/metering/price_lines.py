"""Why a call costs what it costs: one line for each part of its usage that has a price, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from msgspec import Struct

from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.model_card import ModelCard, Price
from qwenport.core.money import NANOS
from qwenport.core.usage import Usage
from qwenport.metering.price_book import ROUTE_PRICE_SOURCE, PriceBook
from qwenport.metering.pricing import Part, Quotation, amounts, counts, quotation

_PLACES = Decimal(1).scaleb(-30)
_PRECISION = 100
"""Digits of intermediate amounts: more than any amount with 30 places has."""


class PriceQuestion(Struct, frozen=True, kw_only=True):
    """What a price is asked for."""

    card: ModelCard
    usage: Usage
    currency: str
    """Of the account."""
    on: date
    batch: bool = False
    rate_ppm: int = FULL_PRICE_PPM
    """The part of the list price that the account is billed, in parts per million."""


class PriceFactor(Struct, frozen=True, kw_only=True):
    """Something that every line's amount is multiplied by."""

    what: str
    """`batch`, `discount` or `exchange`."""
    value: str
    """Exact: a decimal number, or one over the other such as `1/7.12`."""
    source: str = ""
    """The exchange rate with its day."""


class PriceLine(Struct, frozen=True, kw_only=True):
    """One part of the usage. Its amount is tokens x price / per_tokens x factor x the factors of the explanation."""

    what: str
    """A part of the tokens, or the name of something else that has a price of its own, such as `image_count`."""
    tokens: int
    """Or how many of the other thing."""
    price: str
    """What the list says for `per_tokens` of them, in the list's currency."""
    per_tokens: int
    factor: str
    """Part of that price which such a token costs, as of a cache; `1` for all of it."""
    amount: str
    """In the account's currency, before rounding; with 30 places where it has no end."""


class PriceExplanation(Struct, frozen=True, kw_only=True):
    """A price line by line; the amounts of the lines and `rounding` together are the cost."""

    model: str
    currency: str
    on: date
    cost: str | None
    """None for a call without a price."""
    cost_nanos: int | None
    price_source: str
    """As the call history has it; why there is no price where there is none."""
    lines: tuple[PriceLine, ...] = ()
    factors: tuple[PriceFactor, ...] = ()
    rounding: str = "0"
    """What rounding to a nano-unit added or took."""
    list_region: str = ""
    list_currency: str = ""
    list_since: date | None = None
    list_source: str = ""
    """Where and when the list was read."""
    up_to_input_tokens: int | None = None
    """Upper end of the tier that the length of the input reaches; None for no bound."""


def price_lines(prices: PriceBook, question: PriceQuestion) -> PriceExplanation:
    """Explain what a call costs; the cost is the one that the price book bills."""
    card, on = question.card, question.on
    tariff = prices.tariff(card, question.currency, question.rate_ppm, on, batch=question.batch)
    if tariff is None:
        reason = f"no list is in force on {on} that is in {question.currency} or that a rate of that day converts"
        return _without_lines(question, None, reason)
    nanos = tariff.cost_nanos(question.usage)
    found = quotation(card, question.currency, on, prices.rates)
    if found is None or tariff.price_source == ROUTE_PRICE_SOURCE:
        return _without_lines(question, nanos, ROUTE_PRICE_SOURCE)
    tier = found.tier(question.usage.input_tokens)
    lines = tuple(_lines(question, found, tier))
    with localcontext(prec=_PRECISION):
        cost = Decimal(nanos) / NANOS
        rounding = cost - sum((Decimal(line.amount) for line in lines), Decimal(0))
    return PriceExplanation(
        model=card.name,
        currency=question.currency,
        on=on,
        cost=_plain(cost),
        cost_nanos=nanos,
        price_source=tariff.price_source,
        lines=lines,
        factors=tuple(_factors(question, found, tier)),
        rounding=_plain(rounding),
        list_region=tier.region,
        list_currency=tier.currency,
        list_since=tier.since,
        list_source=tier.source,
        up_to_input_tokens=tier.up_to_input_tokens,
    )


def _without_lines(question: PriceQuestion, nanos: int | None, source: str) -> PriceExplanation:
    return PriceExplanation(
        model=question.card.name,
        currency=question.currency,
        on=question.on,
        cost=None if nanos is None else "0",
        cost_nanos=nanos,
        price_source=source,
    )


def _lines(question: PriceQuestion, found: Quotation, tier: Price) -> Iterator[PriceLine]:
    common = Fraction(question.rate_ppm, FULL_PRICE_PPM) / tier.per_tokens
    if question.batch:
        common *= Fraction(tier.batch_factor)
    if found.conversion:
        common *= found.conversion.factor
    parts = zip(Part, counts(question.usage, batch=question.batch), amounts(tier), strict=True)
    for part, tokens, (price, factor) in parts:
        if tokens:
            yield PriceLine(
                what=part,
                tokens=tokens,
                price=_decimal(price),
                per_tokens=tier.per_tokens,
                factor=_decimal(factor),
                amount=_decimal(tokens * price * factor * common),
            )
    # The prices of single things are those of the last tier, and are not divided by `per_tokens`.
    listed = found.tiers[-1]
    for name, count in question.usage.items:
        if count and name in listed.units:
            yield PriceLine(
                what=name,
                tokens=count,
                price=_plain(listed.units[name]),
                per_tokens=1,
                factor="1",
                amount=_decimal(count * Fraction(listed.units[name]) * common * tier.per_tokens),
            )


def _factors(question: PriceQuestion, found: Quotation, tier: Price) -> Iterator[PriceFactor]:
    if question.batch:
        yield PriceFactor(what="batch", value=_plain(tier.batch_factor))
    if question.rate_ppm != FULL_PRICE_PPM:
        yield PriceFactor(what="discount", value=_decimal(Fraction(question.rate_ppm, FULL_PRICE_PPM)))
    if found.conversion:
        rate = _plain(found.conversion.rate.rate)
        value = f"1/{rate}" if found.conversion.inverse else rate
        yield PriceFactor(what="exchange", value=value, source=found.conversion.words)


def _decimal(number: Fraction) -> str:
    with localcontext(prec=_PRECISION, rounding=ROUND_HALF_UP):
        return _plain((Decimal(number.numerator) / number.denominator).quantize(_PLACES))


def _plain(number: Decimal) -> str:
    """Return a decimal without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

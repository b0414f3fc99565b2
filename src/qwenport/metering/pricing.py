"""What a call costs: whole nano-units of a currency, exact, from the decimal prices of its model card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from qwenport.core.model_card import ModelCard, Price
from qwenport.core.usage import Usage

NANOS = 1_000_000_000
"""Nano-units in one unit of a currency."""

LIST_REGIONS = {"CNY": "beijing", "USD": "singapore"}
"""Whose price list an account is billed by: mainland China's in CNY, the international one in USD."""


class Cost(Struct, frozen=True, kw_only=True, gc=False):
    """The price of one call."""

    nanos: int
    """Nano-units of the currency, never negative."""
    currency: str
    source: str
    """Region and date of the price list, such as `beijing 2025-01-03`; empty where nothing was consumed."""


def price_call(card: ModelCard | None, currency: str, usage: Usage, at: date) -> Cost | None:
    """Return the cost by the newest list in force on a day, or None where it has no price for such a call.

    The tier is chosen by the length of the input. Cached tokens are part of the input; where the tier has no price for
    them they cost as much as the rest. The sum is rounded once, half up, to a nano-unit. What consumed nothing costs 0.
    `thinking_output` is not applied: usage does not tell thinking from answering.
    """
    if usage.total_tokens == 0:
        return Cost(nanos=0, currency=currency, source="")
    price = None if card is None else _price(card.prices, currency, usage.input_tokens, at)
    if price is None:
        return None
    return Cost(nanos=_nanos(price, usage), currency=currency, source=f"{price.region} {price.since}")


def _price(prices: Sequence[Price], currency: str, input_tokens: int, at: date) -> Price | None:
    region = LIST_REGIONS.get(currency)
    listed = [price for price in prices if price.currency == currency and price.region == region and price.since <= at]
    if not listed:
        return None
    # A list is replaced as a whole: a tier that the newest one no longer has must not come from an older one.
    newest = max(price.since for price in listed)
    tiers = [price for price in listed if price.since == newest and _reaches(price, input_tokens)]
    return min(tiers, key=_upper_end, default=None)


def _reaches(price: Price, input_tokens: int) -> bool:
    return price.up_to_input_tokens is None or input_tokens <= price.up_to_input_tokens


def _upper_end(price: Price) -> float:
    return float("inf") if price.up_to_input_tokens is None else price.up_to_input_tokens


def _nanos(price: Price, usage: Usage) -> int:
    rates = _rates(price)
    cached = min(usage.cached_tokens, usage.input_tokens)
    numerator = (
        (usage.input_tokens - cached) * rates.input + cached * rates.cached_input + usage.output_tokens * rates.output
    )
    return (2 * numerator + rates.denominator) // (2 * rates.denominator)


class _Rates(Struct, frozen=True, gc=False):
    """Nano-units for one token, as numerators over one denominator."""

    input: int
    cached_input: int
    output: int
    denominator: int


@lru_cache(maxsize=1024)
def _rates(price: Price) -> _Rates:
    cached_input = price.input if price.cached_input is None else price.cached_input
    amounts = [Fraction(amount) * NANOS / price.per_tokens for amount in (price.input, cached_input, price.output)]
    denominator = amounts[0].denominator * amounts[1].denominator * amounts[2].denominator
    numerators = [int(amount * denominator) for amount in amounts]
    return _Rates(numerators[0], numerators[1], numerators[2], denominator)

"""Which published price holds for a call, and how its usage divides into what is priced.

The price book bills by this and the explanation of a price says it line by line, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from qwenport.core.exchange import ExchangeRate
from qwenport.core.model_card import PRICE_REGIONS, ModelCard, Price
from qwenport.core.usage import Usage

_CONVERTED = ("USD", "CNY")
"""Currencies whose lists are converted for accounts of another, in the order in which they are tried."""


class Part(StrEnum):
    """A part of the usage that has a price of its own."""

    INPUT = "input"
    IMAGE = "image input"
    CACHED = "cached input"
    EXPLICIT = "explicitly cached input"
    CREATION = "cache creation"
    OUTPUT = "output"
    THINKING = "thinking output"


Counts = tuple[int, int, int, int, int, int, int]
"""Tokens of each part, in the order of `Part`."""


class Conversion(Struct, frozen=True, kw_only=True):
    """How amounts of a list become amounts of the account's currency."""

    rate: ExchangeRate
    inverse: bool
    """Whether amounts are divided by the rate, because only that of the other direction is known."""

    @property
    def factor(self) -> Fraction:
        """What an amount of the list is multiplied by."""
        rate = Fraction(self.rate.rate)
        return 1 / rate if self.inverse else rate

    @property
    def words(self) -> str:
        """The rate as the books keep it, such as `USD/CNY 7.12 2026-11-01`."""
        words = f"{self.rate.base}/{self.rate.quote} {self.rate.rate:f} {self.rate.since}"
        return f"{words} inverse" if self.inverse else words


class Quotation(Struct, frozen=True, kw_only=True):
    """The price list that holds for an account's calls to a model on a day."""

    tiers: tuple[Price, ...]
    """By length of the input, the longest last."""
    conversion: Conversion | None = None

    def tier(self, input_tokens: int) -> Price:
        """Return the tier of an input of this length; what is longer than the last is billed by the last."""
        return next((tier for tier in self.tiers if _reaches(tier, input_tokens)), self.tiers[-1])


def quotation(
    card: ModelCard, currency: str, on: date, rates: Sequence[ExchangeRate], *, region: str = ""
) -> Quotation | None:
    """Return the list by which calls are billed, or None where the model has no price.

    The list of the account's own currency comes first, then the international one in USD and Beijing's in CNY, if a
    rate in force on that day converts it. With a `region`, its lists are looked at in their places.
    """
    own = _list_in_force(card, currency, on, region)
    if own:
        return Quotation(tiers=own)
    for other in _CONVERTED:
        tiers = _list_in_force(card, other, on, region)
        conversion = _conversion(other, currency, on, rates) if tiers else None
        if conversion:
            return Quotation(tiers=tiers, conversion=conversion)
    return None


def _list_in_force(card: ModelCard, currency: str, on: date, region: str) -> tuple[Price, ...]:
    region = region or PRICE_REGIONS.get(currency, ("",))[0]
    listed = [each for each in card.prices if each.currency == currency and each.region == region and each.since <= on]
    # A list is replaced as a whole: a tier that the newest one no longer has must not come from an older one.
    newest = max((price.since for price in listed), default=None)
    return tuple(sorted((price for price in listed if price.since == newest), key=_upper_end))


def _conversion(base: str, quote: str, on: date, rates: Sequence[ExchangeRate]) -> Conversion | None:
    direct = _rate_in_force(base, quote, on, rates)
    rate = direct or _rate_in_force(quote, base, on, rates)
    return Conversion(rate=rate, inverse=direct is None) if rate else None


def _rate_in_force(base: str, quote: str, on: date, rates: Sequence[ExchangeRate]) -> ExchangeRate | None:
    known = (rate for rate in rates if (rate.base, rate.quote) == (base, quote) and rate.since <= on)
    return max(known, key=lambda rate: rate.since, default=None)


def _reaches(price: Price, input_tokens: int) -> bool:
    return price.up_to_input_tokens is None or input_tokens <= price.up_to_input_tokens


def _upper_end(price: Price) -> float:
    return float("inf") if price.up_to_input_tokens is None else price.up_to_input_tokens


def amounts(price: Price) -> tuple[tuple[Fraction, Fraction], ...]:
    """Return the list's amount for `per_tokens` tokens of each part, in the order of `Part`, and its factor."""
    plain, one = Fraction(price.input), Fraction(1)
    output = Fraction(price.output)
    return (
        (plain, one),
        (plain if price.image_input is None else Fraction(price.image_input), one),
        (plain if price.cached_input is None else Fraction(price.cached_input), one),
        (plain, Fraction(price.explicit_cache_factor)),
        (plain, Fraction(price.cache_creation_factor)),
        (output, one),
        (output if price.thinking_output is None else Fraction(price.thinking_output), one),
    )


def counts(usage: Usage, *, batch: bool) -> Counts:
    """Divide a usage into the parts that are priced; what cannot be true is brought into range, never credited.

    A call that shows reasoning is billed by the price of thinking with its whole output; one that was told to think and
    did not is billed by the other price (https://www.alibabacloud.com/help/en/model-studio/deep-thinking, "Billing").
    A batch has no price of cached tokens (https://www.alibabacloud.com/help/en/model-studio/billing-for-model-studio,
    "Batch discount"). Cached tokens count as text first, so that images cost what they cost wherever they can.
    """
    given = max(0, usage.input_tokens)
    made = max(0, usage.output_tokens)
    cached = found = created = image = 0
    if not batch and (usage.cached_tokens or usage.cache_creation_tokens):
        cached = _clamp(usage.cached_tokens, given)
        found = _clamp(usage.explicitly_cached_tokens, cached)
        created = _clamp(usage.cache_creation_tokens, given - cached)
        given -= cached + created
    if usage.image_tokens:
        image = _clamp(usage.image_tokens, given)
    if usage.reasoning_tokens > 0:
        return given - image, image, cached - found, found, created, 0, made
    return given - image, image, cached - found, found, created, made, 0


def _clamp(count: int, limit: int) -> int:
    return max(0, min(count, limit))

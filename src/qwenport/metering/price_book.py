"""What calls cost: whole nano-units of the account's currency, exact, from the decimal prices of the model cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import lcm
from sys import maxsize
from types import MappingProxyType

from msgspec import Struct

from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.exchange import ExchangeRate, exchange_rate
from qwenport.core.model_card import ModelCard, Price
from qwenport.core.money import NANOS
from qwenport.core.usage import Usage
from qwenport.metering.pricing import Quotation, amounts, counts, quotation
from qwenport.storage.records import RateRecord

ROUTE_PRICE_SOURCE = "route price 0"
"""Price source of a call whose route says that it costs nothing."""

_MOST_TARIFFS = 10_000

_Key = tuple[str, bool, str, int, date, bool]


class _Tier(Struct, frozen=True, gc=False):
    """Prices of one token as integers over the tariff's denominator, doubled, in the order of `Part`."""

    up_to: int
    prices: tuple[int, ...]
    dearest_input: int
    dearest_output: int


class Tariff(Struct, frozen=True, gc=False):
    """What the calls of an account to a model cost on a day."""

    price_source: str
    """Region and date of the price list, and what changes it, such as `beijing 2025-01-03, batch, at 80%`."""
    exchange: str
    """The rate by which a list in another currency is converted; empty for none."""
    batch: bool
    tiers: tuple[_Tier, ...]
    denominator: int
    units: tuple[tuple[str, int], ...] = ()
    """Prices of one of each thing that has a price of its own, like those of tokens."""
    most_units: tuple[tuple[str, int], ...] = ()
    """How many of each of these one call can use at most."""

    def cost_nanos(self, usage: Usage) -> int:
        """Return what a usage costs in nano-units; the sum is rounded once, half up."""
        tier = self.tiers[0]
        if usage.input_tokens > tier.up_to:
            tier = self._longer(usage.input_tokens)
        plain, image, cached, found, created, output, thinking = counts(usage, batch=self.batch)
        prices = tier.prices
        doubled = plain * prices[0] + output * prices[5] + thinking * prices[6]
        if image or cached or found or created:
            doubled += image * prices[1] + cached * prices[2] + found * prices[3] + created * prices[4]
        if usage.items and self.units:
            doubled += self._doubled_items(usage.items)
        return (doubled + self.denominator) // (2 * self.denominator)

    def most_nanos(self, input_tokens: int, output_tokens: int, items: tuple[tuple[str, int], ...] = ()) -> int:
        """Return an upper bound of the cost of every usage within these, wherever its input ends and whatever it is."""
        worst = 0
        for tier in self.tiers:
            longest = min(input_tokens, tier.up_to)
            worst = max(worst, longest * tier.dearest_input + output_tokens * tier.dearest_output)
            if longest == input_tokens:
                break
        if items:
            worst += self._doubled_items(items)
        return (worst + self.denominator) // (2 * self.denominator)

    def _doubled_items(self, items: tuple[tuple[str, int], ...]) -> int:
        prices = dict(self.units)
        return sum(max(0, count) * prices.get(name, 0) for name, count in items)

    def _longer(self, input_tokens: int) -> _Tier:
        return next(tier for tier in self.tiers if input_tokens <= tier.up_to)


class _State(Struct, frozen=True):
    """What is replaced in one step, so that no tariff of former rates is remembered among those of later ones."""

    rates: tuple[ExchangeRate, ...]
    tariffs: dict[_Key, Tariff | None]


class PriceBook:
    """The prices of all models; usable from several threads."""

    def __init__(self, cards: Mapping[str, ModelCard], rates: Sequence[RateRecord] = ()) -> None:
        """Raise `ExchangeRateInvalid` for a rate that cannot be used."""
        self._cards = MappingProxyType(dict(cards))
        self.set_rates(rates)

    @property
    def rates(self) -> tuple[ExchangeRate, ...]:
        """The exchange rates that are known."""
        return self._state.rates

    def card(self, model: str) -> ModelCard | None:
        """Return the card of a model; None for one that the catalog does not have any more."""
        return self._cards.get(model)

    def set_rates(self, rates: Sequence[RateRecord]) -> None:
        """Replace the exchange rates; raises `ExchangeRateInvalid` and keeps what was where one cannot be used."""
        read = tuple(exchange_rate(each.base, each.quote, each.since, each.rate) for each in rates)
        self._state = _State(read, {})

    def tariff(self, card: ModelCard, currency: str, rate_ppm: int, on: date, *, batch: bool = False) -> Tariff | None:
        """Return what calls to a model cost, or None where it has no price; computed once for each set of arguments.

        Args:
            card: one card for each name, but for whether it costs nothing, which another configuration can change.
            currency: of the account.
            rate_ppm: the part of the list price that the account is billed, in parts per million.
            on: the day of the call's admission in UTC.
            batch: whether the call belongs to a batch.
        """
        state = self._state
        key = (card.name, card.costs_nothing, currency, rate_ppm, on, batch)
        try:
            return state.tariffs[key]
        except KeyError:
            if len(state.tariffs) >= _MOST_TARIFFS:
                state.tariffs.clear()
            tariff = _tariff(card, quotation(card, currency, on, state.rates), rate_ppm, batch=batch)
            state.tariffs[key] = tariff
            return tariff


def _tariff(card: ModelCard, found: Quotation | None, rate_ppm: int, *, batch: bool) -> Tariff | None:
    if card.costs_nothing:
        return Tariff(ROUTE_PRICE_SOURCE, "", batch, (_Tier(maxsize, (0,) * 7, 0, 0),), 1)
    if found is None:
        return None
    factor = Fraction(rate_ppm * NANOS, FULL_PRICE_PPM)
    if found.conversion:
        factor *= found.conversion.factor
    prices = [_unit_prices(price, factor, batch=batch) for price in found.tiers]
    units = _item_prices(found, factor, batch=batch)
    denominator = lcm(*(each.denominator for tier in prices for each in tier), *(each.denominator for _, each in units))
    last = len(prices) - 1
    return Tariff(
        price_source=price_source(found, rate_ppm, batch=batch),
        exchange=found.conversion.words if found.conversion else "",
        batch=batch,
        tiers=tuple(
            _tier(maxsize if index == last else found.tiers[index].up_to_input_tokens or maxsize, each, denominator)
            for index, each in enumerate(prices)
        ),
        denominator=denominator,
        units=tuple((name, _doubled(each, denominator)) for name, each in units),
        most_units=tuple(sorted(found.tiers[-1].most_units.items())),
    )


def _item_prices(found: Quotation, factor: Fraction, *, batch: bool) -> list[tuple[str, Fraction]]:
    """Return what one of each thing costs that has a price of its own; those of the last tier hold for all inputs."""
    price = found.tiers[-1]
    own = factor * (Fraction(price.batch_factor) if batch else 1)
    return [(name, Fraction(amount) * own) for name, amount in sorted(price.units.items())]


def _unit_prices(price: Price, factor: Fraction, *, batch: bool) -> list[Fraction]:
    factor = factor / price.per_tokens * (Fraction(price.batch_factor) if batch else 1)
    return [amount * own * factor for amount, own in amounts(price)]


def _tier(up_to: int, prices: Sequence[Fraction], denominator: int) -> _Tier:
    doubled = tuple(_doubled(each, denominator) for each in prices)
    return _Tier(up_to, doubled, max(doubled[:5]), max(doubled[5:]))


def _doubled(price: Fraction, denominator: int) -> int:
    return 2 * price.numerator * (denominator // price.denominator)


def price_source(found: Quotation, rate_ppm: int, *, batch: bool) -> str:
    """Say by which list calls are billed, and what changes its prices."""
    price = found.tiers[0]
    source = f"{price.region} {price.since}"
    if batch:
        source += ", batch"
    if rate_ppm != FULL_PRICE_PPM:
        source += f", at {(Decimal(rate_ppm) / 10_000).normalize():f}%"
    return source

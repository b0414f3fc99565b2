"""In which order the targets of a route are asked: its choice first, then what is well before what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from types import MappingProxyType

from qwenport.core.clock import Clock
from qwenport.core.exchange import ExchangeRate
from qwenport.core.model_card import PRICE_REGIONS, ModelCard
from qwenport.core.route import Choice, Route
from qwenport.metering.pricing import Quotation, quotation
from qwenport.routing.lane import Lane

EXPLORED_PART = 0.05
"""Of the calls of `lowest_latency` routes, which go to who was asked longest ago: one may have become quick again."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the order may depend on beside the targets."""

    route: Route
    card: ModelCard
    tokens: Callable[[], tuple[int, int]]
    """Most tokens of input and output that the call can take; computed only where it is asked."""
    chance: Random
    clock: Clock
    rates: Callable[[], Sequence[ExchangeRate]]


def ordered(lanes: Sequence[Lane], around: Circumstances, now: float) -> Sequence[Lane]:
    """Return the targets, the best first. Of those that are as good as one another the route's order decides."""
    if len(lanes) == 1:
        return lanes
    arranged = _ARRANGE[around.route.choose](lanes, around)
    ranks = [lane.unwell(now) for lane in arranged]
    if not any(ranks):
        return arranged
    return [arranged[place] for place in sorted(range(len(ranks)), key=ranks.__getitem__)]


def _as_written(lanes: Sequence[Lane], _around: Circumstances) -> Sequence[Lane]:
    return lanes


def _by_weight(lanes: Sequence[Lane], around: Circumstances) -> Sequence[Lane]:
    """Draw without putting back (Efraimidis and Spirakis); a weight of 0 is for when nothing else is left."""
    weights = dict(zip(around.route.targets, around.route.weights, strict=False))

    def drawn(lane: Lane) -> float:
        weight = weights.get(lane.name, 1)
        return float(around.chance.random() ** (1 / weight)) if weight else -1.0

    return sorted(lanes, key=drawn, reverse=True)


def _by_load(lanes: Sequence[Lane], _around: Circumstances) -> Sequence[Lane]:
    return sorted(lanes, key=lambda lane: lane.load)


def _by_latency(lanes: Sequence[Lane], around: Circumstances) -> Sequence[Lane]:
    """Put the soonest first; one that nobody has asked yet is asked."""
    arranged = sorted(lanes, key=lambda lane: lane.first_event_s or 0.0)
    if around.chance.random() < EXPLORED_PART:
        forgotten = min(arranged, key=lambda lane: lane.last_used_at or 0.0)
        arranged.remove(forgotten)
        arranged.insert(0, forgotten)
    return arranged


def _by_price(lanes: Sequence[Lane], around: Circumstances) -> Sequence[Lane]:
    """Compare in the currency in which most of them have prices, converted ones among them; who has none comes last."""
    tokens, today, rates = around.tokens(), around.clock.now().date(), around.rates()

    def cost(lane: Lane, currency: str) -> Fraction | None:
        if lane.is_on_own_ground:
            return Fraction(0)
        found = quotation(around.card, currency, today, rates, region=lane.region) if lane.region else None
        return None if found is None else _amount(found, *tokens)

    costs: list[Fraction | None] = [None] * len(lanes)
    for currency in PRICE_REGIONS:
        found = [cost(lane, currency) for lane in lanes]
        costs = found if found.count(None) < costs.count(None) else costs
        if None not in costs:
            break
    keys = [float("inf") if each is None else each for each in costs]
    return [lanes[place] for place in sorted(range(len(keys)), key=keys.__getitem__)]


def _amount(found: Quotation, read: int, written: int) -> Fraction:
    price = found.tier(read)
    amount = Fraction(read * price.input + written * price.output) / price.per_tokens
    return amount * found.conversion.factor if found.conversion else amount


_ARRANGE: Mapping[Choice, Callable[[Sequence[Lane], Circumstances], Sequence[Lane]]] = MappingProxyType(
    {
        Choice.ORDERED: _as_written,
        Choice.WEIGHTED: _by_weight,
        Choice.LEAST_BUSY: _by_load,
        Choice.LOWEST_LATENCY: _by_latency,
        Choice.CHEAPEST: _by_price,
    }
)

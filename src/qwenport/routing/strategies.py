"""In which order the targets of a route are asked: its choice first, then what is well before what is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from qwenport.core.model_card import PRICE_REGIONS, ModelCard
from qwenport.core.route import Choice, Route
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
    """Compare in the currency that has prices for most of them; what has none comes last."""
    tokens = around.tokens()
    compared = [[lane.cost(around.card, currency, tokens) for lane in lanes] for currency in PRICE_REGIONS]
    costs = max(compared, key=lambda found: sum(cost is not None for cost in found))
    keys = [float("inf") if cost is None else cost for cost in costs]
    return [lanes[place] for place in sorted(range(len(keys)), key=keys.__getitem__)]


_ARRANGE: Mapping[Choice, Callable[[Sequence[Lane], Circumstances], Sequence[Lane]]] = MappingProxyType(
    {
        Choice.ORDERED: _as_written,
        Choice.WEIGHTED: _by_weight,
        Choice.LEAST_BUSY: _by_load,
        Choice.LOWEST_LATENCY: _by_latency,
        Choice.CHEAPEST: _by_price,
    }
)

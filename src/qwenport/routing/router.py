"""Which engine takes a call, and how many calls each takes: the targets and routes that are in force."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType

from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.exchange import ExchangeRate
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Route
from qwenport.engines.engine import Engine
from qwenport.routing.answer import Observer
from qwenport.routing.attempt import OnTry
from qwenport.routing.breaker import Breaker, BreakerState
from qwenport.routing.doubt import Doubt
from qwenport.routing.eligible import able, allowed, route_of, unserved
from qwenport.routing.lane import Lane
from qwenport.routing.pacing import LocalPacer
from qwenport.routing.passage import Passage
from qwenport.routing.retry_budget import RetryBudget
from qwenport.routing.room import Pacer, Room
from qwenport.routing.shared_pacing import SharedPaces
from qwenport.routing.standing import TargetStanding
from qwenport.routing.strategies import Circumstances, ordered
from qwenport.routing.target import Pace, Target
from qwenport.settings.configuration_file import QueueTable, RetryTable

log = logging.getLogger(__name__)

RoutesOf = Callable[[str], Sequence[Route]]
"""Name of a model to its routes, the most specific first."""


_RETRIES, _QUEUE = RetryTable(), QueueTable()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingParts:
    """What routing stands on."""

    clock: Clock
    bound: Callable[[Call, ModelCard], tuple[int, int]]
    """Most tokens of input and output that a call can take."""
    retries: RetryTable = _RETRIES
    queue: QueueTable = _QUEUE
    call_s: float = 3600.0
    """How long a call may take in all."""
    workers: int = 1
    shared: SharedPaces | None = None
    """None where paces and slots are this process's alone."""
    house: str = "house"
    """Account by which the workers of one machine share the slots of its engines."""
    on_try: OnTry = lambda _target, _outcome, _first_event_s: None
    rates: Callable[[], Sequence[ExchangeRate]] = tuple
    """Exchange rates, by which prices of several regions are compared."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Random = field(default_factory=Random)


class Router:
    """The `Route` of the pipeline."""

    def __init__(self, targets: Sequence[Target], routes: RoutesOf, parts: RoutingParts) -> None:
        """Route to `targets`, one for each name; opens nothing."""
        self.parts = parts
        self._lanes: dict[str, Lane] = {}
        self._engines: dict[str, Engine] = {}
        self.engines: Mapping[str, Engine] = MappingProxyType(self._engines)
        """The engines by target, as they are in force at each look."""
        self._leaving: list[Lane] = []
        self._pacers: dict[tuple[str, str], tuple[Pace, LocalPacer]] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._rules = _breaker_rules(parts.retries)
        """Those by which the present breakers open."""
        self._routes = routes
        self.replace(targets, routes)

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """What is known of each target."""
        return MappingProxyType(self._lanes)

    @property
    def rooms(self) -> Mapping[str, Room]:
        """How full the targets and their queues are."""
        return {name: lane.room for name, lane in self._lanes.items()}

    def __call__(self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer, /) -> Passage:
        """Return what is entered with the call's first event, or with all of one that does not stream.

        Entering raises:
            ModelUnavailable: no target of the route exists here, or none of them can answer now.
            ModelUnpurchased: all run in regions that the account has switched off; or nobody hands this service on.
            AccessDenied: none of them runs in a region of the key.
            ParameterInvalid: no target can do what the call asks.
            Overloaded, UpstreamThrottled: no room came in time.
            QwenportError: what an engine says that no other try mends.
        """
        return Passage(self, caller, card, prepared, observer)

    def lanes_for(self, caller: Caller, card: ModelCard, call: Call, now: float) -> Sequence[Lane]:
        """Return the targets that a call may go to, the best first; raises as `__call__` where there are none."""
        route = route_of(self._routes(card.name), caller, card.name, call)
        known = self._lanes
        lanes: Sequence[Lane] = [known[name] for name in route.targets if name in known]
        if not lanes:
            raise unserved(card.name, call)
        if caller.terms.deactivated_regions or caller.regions:
            lanes = allowed(lanes, caller, card.name)
        lanes = able(lanes, call)
        if len(lanes) == 1:
            return lanes
        parts = self.parts
        around = Circumstances(route, card, lambda: parts.bound(call, card), parts.chance, parts.clock, parts.rates)
        return ordered(lanes, around, now)

    def replace(self, targets: Sequence[Target], routes: RoutesOf, *, rekeyed: Collection[str] = ()) -> None:
        """Put other targets and routes in force; calls under way go on, those that wait look again.

        A target that stays with the same engine keeps its queue, its figures and its breaker; this one is closed again
        where the rules of breakers are others, and at the upstreams `rekeyed`, which have another key.
        """
        former = self._lanes
        self._routes = routes
        former_rules, self._rules = self._rules, _breaker_rules(self.parts.retries)
        self._lanes = {target.name: self._lane(target, former.get(target.name)) for target in targets}
        for lane in self._lanes.values():
            if self._rules != former_rules or lane.target.upstream in rekeyed:
                lane.breaker, lane.doubt = self._breaker(lane.target), self._doubt(lane.target)
        self._engines.clear()
        self._engines.update((name, lane.engine) for name, lane in self._lanes.items())
        kept = {lane.room for lane in self._lanes.values()}
        for lane in former.values():
            if self._lanes.get(lane.name) is not lane:
                self._leaving.append(lane)
                if lane.room not in kept:
                    lane.room.dismiss()
        self._leaving = [lane for lane in self._leaving if lane.under_way]

    async def idle(self, target: str) -> None:
        """Wait until no call runs on engines of this name that were replaced."""
        for lane in [lane for lane in self._leaving if lane.name == target]:
            await lane.idle()

    def standing(self) -> Sequence[TargetStanding]:
        """Return how every target stands."""
        return [_standing(lane) for lane in self._lanes.values()]

    def _lane(self, target: Target, former: Lane | None) -> Lane:
        percent = self.parts.retries.budget_percent
        budget = self._budgets.setdefault(target.upstream or target.name, RetryBudget(percent))
        budget.percent = percent
        if former is not None and former.target == target:
            former.room.queue_length = self.parts.queue.length
            return former
        return Lane(target, self._room(target), self._breaker(target), self._doubt(target), budget)

    def _breaker(self, target: Target) -> Breaker | None:
        if not target.upstream:
            return None

        def told(state: BreakerState, reason: str) -> None:
            if state is BreakerState.OPEN:
                log.warning("`%s` gets no calls for a while: %s", target.name, reason)
            else:
                log.info("`%s` %s", target.name, _WORDS[state])

        return Breaker(self.parts.retries, told)

    def _doubt(self, target: Target) -> Doubt | None:
        if not target.upstream:
            return None

        def told(tries: int) -> None:
            words = "`%s` comes after the others for a while: callers left %d times in a row before it said a word"
            log.warning(words, target.name, tries)

        return Doubt(self.parts.retries, told)

    def _room(self, target: Target) -> Room:
        slots = target.engine.slots
        if target.upstream:
            return Room(slots, self.parts.queue.length, self._pacer(target))
        if self.parts.shared is not None:
            house = Pace(account=self.parts.house, model=target.name, concurrency=slots)
            return Room(slots, self.parts.queue.length, self.parts.shared.pacer(house))
        return Room(max(1, slots // self.parts.workers), self.parts.queue.length)

    def _pacer(self, target: Target) -> Pacer:
        """Return the pacer of the upstream's account and model, which several targets may share."""
        if target.pace is not None and self.parts.shared is not None:
            return self.parts.shared.pacer(target.pace)
        pace = target.pace or Pace(account=target.upstream, model=target.name)
        key = (pace.account, pace.model)
        known = self._pacers.get(key)
        if known is None or known[0] != pace:
            known = self._pacers[key] = (pace, LocalPacer(pace, self.parts.clock, share=1 / self.parts.workers))
        return known[1]


_WORDS = {
    BreakerState.CLOSED: "answers again",
    BreakerState.HALF_OPEN: "gets one call, to see whether it answers again",
}


def _breaker_rules(rules: RetryTable) -> tuple[float, ...]:
    return rules.breaker_failures, rules.breaker_window_s, rules.breaker_open_s


def _standing(lane: Lane) -> TargetStanding:
    now = lane.engine.condition()
    state = f"{now.state}: {now.reason}" if now.reason else now.state.value
    if lane.breaker is not None and lane.breaker.reason:
        state += f"; {lane.breaker.reason}"
    if lane.doubt is not None and lane.doubt.is_cast:
        state += "; callers leave before it says a word"
    return TargetStanding(
        target=lane.name,
        upstream=lane.target.upstream,
        region=lane.region,
        state=state,
        breaker="" if lane.breaker is None else lane.breaker.state.value,
        under_way=lane.under_way,
        waiting=lane.room.waiting,
        tries=lane.tries,
        failures=dict(lane.failures),
        first_event_ms=None if lane.first_event_s is None else round(lane.first_event_s * 1000, 1),
    )

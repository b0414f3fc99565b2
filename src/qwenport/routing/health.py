"""Looks after upstreams that no call tells about: those that get none, and those that are shut."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from qwenport.core.clock import Clock
from qwenport.core.errors import QwenportError
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.breaker import Breaker, BreakerState
from qwenport.routing.lane import Lane
from qwenport.routing.router import Router

log = logging.getLogger(__name__)

Probe = Callable[[], Awaitable[Condition]]


class HealthKeeper:
    """Asks upstreams how they are, each at most once in `probe_s`, and none before the first `probe_s` are over."""

    def __init__(self, router: Router, clock: Clock, *, probe_s: float) -> None:
        self._router = router
        self._clock = clock
        self.probe_s = probe_s
        self._began = clock.monotonic()
        self._asked: dict[str, float] = {}
        self._probes: Mapping[str, Probe] = {}

    def use(self, probes: Mapping[str, Probe]) -> None:
        """Ask by these, one for each upstream's name; told again after every reload."""
        self._probes = dict(probes)
        self._asked = {name: at for name, at in self._asked.items() if name in probes}

    async def keep(self) -> None:
        """Ask whoever is due, all at the same time."""
        now = self._clock.monotonic()
        by_upstream: dict[str, list[Lane]] = {}
        for lane in self._router.lanes.values():
            if lane.target.upstream in self._probes:
                by_upstream.setdefault(lane.target.upstream, []).append(lane)
        due = [name for name, lanes in by_upstream.items() if self._is_due(name, lanes, now)]
        await asyncio.gather(*(self._ask(name, by_upstream[name]) for name in due))

    def _is_due(self, upstream: str, lanes: Sequence[Lane], now: float) -> bool:
        if now - self._asked.get(upstream, self._began) < self.probe_s:
            return False
        if any(_is_unwell(lane) for lane in lanes):
            return True
        used = [lane.last_used_at for lane in lanes if lane.last_used_at is not None]
        return not any(lane.under_way for lane in lanes) and now - max(used, default=self._began) >= self.probe_s

    async def _ask(self, upstream: str, lanes: Sequence[Lane]) -> None:
        self._asked[upstream] = self._clock.monotonic()
        try:
            found = await self._probes[upstream]()
        except QwenportError as error:
            found = Condition(state=EngineState.ENDED, reason=error.message)
        now = self._clock.monotonic()
        for lane in lanes:
            if lane.breaker is None:
                continue
            if found.state is EngineState.READY:
                _let_through(lane, lane.breaker, now)
            else:
                lane.breaker.found_unwell(now, found.reason or f"it is {found.state}")


def _let_through(lane: Lane, breaker: Breaker, now: float) -> None:
    """Let one call through a breaker that is open, also where a doubt would keep it for the others.

    What opened a breaker cost callers time alone: the gateway saw it and asked elsewhere, as it will again. A doubt
    without that is cast by callers who did not wait so long. One more would be lost, and a server that lists its models
    need not answer calls, so that it keeps its time.
    """
    if lane.doubt is not None and breaker.state is BreakerState.OPEN:
        lane.doubt.let_through(now)
    breaker.found_well()


def _is_unwell(lane: Lane) -> bool:
    is_shut = lane.breaker is not None and lane.breaker.state is BreakerState.OPEN
    is_doubted = lane.doubt is not None and lane.doubt.is_cast
    return is_shut or is_doubted or lane.engine.condition().state is not EngineState.READY

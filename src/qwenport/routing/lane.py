"""What routing knows of one target beside its engine: room, breaker, budget, and how its calls went."""

from __future__ import annotations

import asyncio
from collections import Counter

from qwenport.engines.engine import EngineState
from qwenport.routing.breaker import Breaker
from qwenport.routing.doubt import Doubt
from qwenport.routing.retry_budget import RetryBudget
from qwenport.routing.room import Room
from qwenport.routing.target import Target

NEWEST_PART = 0.2
"""Weight of the newest latency in the moving average."""

_UNWELL = {EngineState.READY: 0, EngineState.LOADING: 1, EngineState.ENDED: 1, EngineState.ABSENT: 2}
_DOUBTED = 1
_SHUT = 3


class Lane:
    """One target and its standing. Targets of one upstream share its budget."""

    def __init__(
        self, target: Target, room: Room, breaker: Breaker | None, doubt: Doubt | None, budget: RetryBudget
    ) -> None:
        """`breaker` and `doubt` are None for an engine of the house: its own process tells how it is."""
        self.target = target
        self.engine = target.engine
        self.name = target.name
        self.region = target.region
        self.room = room
        self.breaker = breaker
        self.doubt = doubt
        self.budget = budget
        self.paces_tokens = target.pace is not None and target.pace.tokens_per_minute is not None
        self.first_event_s: float | None = None
        """Moving average of the time to the first event, or until who waited for one left; None before the first."""
        self.under_way = 0
        self.tries = 0
        self.failures: Counter[str] = Counter()
        """Tries that failed, by the error's code."""
        self.last_used_at: float | None = None
        self._idle: list[asyncio.Future[None]] = []

    @property
    def is_on_own_ground(self) -> bool:
        """Whether calls that go there stay with the operator."""
        return not self.region and self.target.is_own_ground

    @property
    def is_of_the_house(self) -> bool:
        """Whether the engine is a process of this installation."""
        return not self.target.upstream

    @property
    def load(self) -> float:
        """Calls under way and waiting for each place."""
        pace = self.target.pace
        places = self.room.capacity
        if pace is not None and pace.concurrency is not None:
            places = min(places, pace.concurrency)
        return (self.under_way + self.room.waiting) / places

    def may_pass(self, now: float) -> bool:
        """Tell whether the breaker lets a call through."""
        return self.breaker is None or self.breaker.may_pass(now)

    def unwell(self, now: float) -> int:
        """Return 0 for a target that is well, and more the less is to be expected of it."""
        if not self.may_pass(now):
            return _SHUT
        unwell = _UNWELL[self.engine.condition().state]
        return unwell or (_DOUBTED if self.doubt is not None and self.doubt.holds(now) else 0)

    def began(self, now: float) -> None:
        """Note that a try begins."""
        self.under_way += 1
        self.tries += 1
        self.last_used_at = now

    def answered(self, seconds: float) -> None:
        """Note how long a first event took."""
        mean = self.first_event_s
        self.first_event_s = seconds if mean is None else mean + NEWEST_PART * (seconds - mean)

    def waited(self, seconds: float) -> None:
        """Note that no first event had come after so long; one that is usually later says nothing by that."""
        if seconds > (self.first_event_s or 0.0):
            self.answered(seconds)

    def ended(self) -> None:
        """Note that a try ended."""
        self.under_way -= 1
        if not self.under_way and self._idle:
            idle, self._idle = self._idle, []
            for each in idle:
                if not each.done():
                    each.set_result(None)

    async def idle(self) -> None:
        """Wait until no call is under way."""
        if self.under_way:
            ended = asyncio.get_running_loop().create_future()
            self._idle.append(ended)
            await ended

"""Many calls at once against upstreams that fail in every way, on a loop in which waiting takes no time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from qwenport.core.errors import EngineFailed, EngineTimedOut, Overloaded, QwenportError, UpstreamThrottled
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Route
from qwenport.routing.retry_budget import RESERVE
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Target
from qwenport.settings.configuration_file import RetryTable
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.quick_loop import LoopClock
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

CARD = model_card()
CALLS = 4000
AT_ONCE = 100
FAULTS: list[Callable[[], QwenportError]] = [
    lambda: EngineFailed("reset"),
    lambda: UpstreamThrottled(retry_after_s=1),
    UpstreamThrottled,
    EngineTimedOut,
    Overloaded,
]


@dataclass
class Counting:
    """What one call's books would say of it."""

    seen: list[Event] = field(default_factory=list)

    def routed(self) -> None: ...

    def observe(self, event: Event) -> None:
        self.seen.append(event)

    def restart(self) -> None:
        self.seen.clear()


class Faulty(ScriptedEngine):
    """Answers after a tenth of a second; a part of its calls fail instead, some of them after half of the answer."""

    def __init__(self, target: str, part: float, chance: Random) -> None:
        super().__init__(lambda _: answer("a", "b", served_by=target), target=target)
        self.part = part
        self.hangs_s = 0.0
        self._chance = chance
        self.runs = 0

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Follow the script, or chance."""
        self.runs += 1
        if self.hangs_s:
            await asyncio.sleep(self.hangs_s)
            raise EngineTimedOut
        await asyncio.sleep(0.1)
        if self._chance.random() >= self.part:
            async for event in super().run(prepared):
                yield event
            return
        if not prepared.call.streams and self._chance.random() < 0.5:
            yield self.script(prepared)[0]  # type: ignore[misc] # its first step is an event
        fault = self._chance.choice(FAULTS)()
        raise fault


class Storm:
    """Upstreams that fail for these parts of their calls, and a router to them in this order."""

    def __init__(self, *parts: float, rules: RetryTable | None = None) -> None:
        chance = Random(11)
        self.engines = [Faulty(f"{name}/m", part, chance) for name, part in zip("abc", parts, strict=False)]
        self.ended: Counter[str] = Counter()
        self.longest_s = 0.0
        targets = [Target(engine=engine, upstream=engine.target[0]) for engine in self.engines]
        route = Route(targets=tuple(target.name for target in targets))
        self.clock = LoopClock()
        self.router = Router(
            targets,
            lambda _: (route,),
            RoutingParts(
                clock=self.clock,
                bound=lambda _call, _card: (1, 1),
                retries=rules or RetryTable(),
                call_s=60,
                chance=Random(13),
            ),
        )

    async def call(self, *, streams: bool) -> None:
        """Make one call, and note how it ended."""
        heard, began = Counting(), self.clock.monotonic()
        prepared = PreparedCall(call=chat_call(streams=streams), max_input_tokens=100)
        try:
            async with self.router(CALLER, CARD, prepared, heard) as given:
                events = list(given.begun)
                async for event in given.rest:
                    heard.observe(event)
                    events.append(event)
        except QwenportError as error:
            self.ended[error.code] += 1
        else:
            self.ended["ok"] += 1
            # What is billed is what was answered, once.
            assert heard.seen == events
            assert len(events) == 5
        self.longest_s = max(self.longest_s, self.clock.monotonic() - began)

    async def calls(self, count: int, *, streams: bool = False) -> None:
        """Make so many calls, a hundred at a time."""

        async def one_after_the_other() -> None:
            for _ in range(count // AT_ONCE):
                await self.call(streams=streams)

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    def settled(self) -> bool:
        """Tell whether nothing is left under way or waiting."""
        lanes = self.router.lanes.values()
        return all((lane.under_way, lane.room.waiting, lane.room.free) == (0, 0, lane.room.capacity) for lane in lanes)


@pytest.mark.parametrize("streams", [False, True])
async def test_with_a_second_route_nearly_every_call_succeeds(streams: bool) -> None:
    storm = Storm(0.3, 0.05)
    await storm.calls(CALLS, streams=streams)

    assert storm.ended["ok"] >= 0.999 * CALLS
    assert storm.settled()


async def test_an_upstream_that_is_down_is_not_sent_more_than_its_share_of_retries() -> None:
    storm = Storm(1.0, rules=RetryTable(breaker_failures=1_000_000))
    began = storm.clock.monotonic()
    await storm.calls(2000)
    minutes = (storm.clock.monotonic() - began) / 60

    assert storm.ended["ok"] == 0
    assert storm.engines[0].runs <= 2000 * 1.2 + RESERVE * (minutes + 1)
    assert storm.settled()


async def test_one_that_hangs_is_shut_and_taken_back_and_no_call_waits_beyond_its_time() -> None:
    storm = Storm(0.0, 0.0, rules=RetryTable(breaker_open_s=10))
    first = storm.engines[0]
    first.hangs_s = 5
    await storm.calls(200)
    hung = first.runs
    await storm.calls(2000)
    assert first.runs <= hung + 3  # probes alone
    first.hangs_s = 0
    await asyncio.sleep(300)
    await storm.calls(1000)

    assert storm.ended == {"ok": 3200}
    assert first.runs > hung + 900
    assert storm.longest_s <= 60
    assert storm.router.standing()[0].breaker == "closed"
    assert storm.settled()


async def test_clients_that_leave_at_any_moment_leave_nothing_behind() -> None:
    storm, chance = Storm(0.5, 0.5), Random(17)

    async def impatient() -> None:
        task = asyncio.create_task(storm.call(streams=chance.random() < 0.5))
        await asyncio.sleep(chance.random() * 0.6)
        task.cancel()
        await asyncio.wait((task,))

    await asyncio.gather(*(impatient() for _ in range(1000)))
    assert storm.settled()
    assert all(engine.open_runs == 0 for engine in storm.engines)

"""Paces and slots that all workers share, in a real Valkey, and what becomes of them when it is away."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qwenport.core.clock import SystemClock
from qwenport.core.errors import EngineFailed, StorageUnavailable
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Route
from qwenport.routing.fair_queue import Waiter
from qwenport.routing.gauges import routing_gauges
from qwenport.routing.room import Room, Seat
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.shared_pacing import RENEW, SharedPaces
from qwenport.routing.target import Pace, Target
from qwenport.storage.valkey import Script, Valkey
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import ScriptedEngine, Wait, answer
from qwenport.testing.valkey import ValkeyServer, running_valkey

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()
PATIENCE_S = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    # The path of a socket has room for about a hundred characters; pytest's own folders are longer.
    with tempfile.TemporaryDirectory(prefix="qwv") as folder, running_valkey(Path(folder)) as running:
        yield running


@asynccontextmanager
async def worker(
    server: ValkeyServer, *, workers: int = 2, timeout_s: float = PATIENCE_S
) -> AsyncIterator[SharedPaces]:
    """Run one worker's side of what is shared."""
    valkey = Valkey.connect(server.url, "test", timeout_s=timeout_s)
    paces = SharedPaces(valkey, CLOCK, workers=workers)
    await paces.keep()
    try:
        yield paces
    finally:
        await paces.drain()
        await valkey.close()


def room(paces: SharedPaces, pace: Pace, *, capacity: int = 1000) -> Room:
    """Return room at a target of this pace."""
    return Room(capacity, 10_000, paces.pacer(pace))


async def seat_in(where: Room, *, tokens: int = 0, count: int = 1) -> Seat:
    """Wait for room."""
    seat = where.try_take(count, tokens)
    if seat is None:
        waits = Waiter("key-1", 0, count=count)
        waits.tokens = tokens
        where.enroll(waits)
        async with asyncio.timeout(PATIENCE_S):
            seat = await waits.turn
    assert seat is not None
    return seat


async def is_refused(where: Room) -> bool:
    """Tell whether a call that does not want to wait is sent elsewhere."""
    waits = Waiter("key-1", 0, count=1)
    waits.is_impatient = True
    where.enroll(waits)
    async with asyncio.timeout(PATIENCE_S):
        seat = await waits.turn
    if seat is not None:
        seat.release()
    return seat is None


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until a condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_workers_together_have_no_more_calls_at_a_time_than_the_pace(server: ValkeyServer) -> None:
    pace = Pace(account="a", model="m", concurrency=3)
    most = now = 0
    async with worker(server) as first, worker(server) as second:
        rooms = [room(first, pace), room(second, pace)]

        async def call(number: int) -> None:
            nonlocal most, now
            seat = await seat_in(rooms[number % 2])
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1
            seat.release()

        await asyncio.gather(*(call(number) for number in range(40)))
    assert most == 3


async def test_workers_together_keep_to_the_requests_of_the_pace(server: ValkeyServer) -> None:
    pace = Pace(account="a", model="m", requests_per_minute=1200)  # 20 at once, then one in 50 ms
    async with worker(server) as first, worker(server) as second:
        rooms = [room(first, pace), room(second, pace)]
        began = time.monotonic()
        await asyncio.gather(*(seat_in(rooms[number % 2]) for number in range(30)))
    assert time.monotonic() - began >= 9 * 60 / 1200


async def test_tokens_that_were_not_used_come_back_to_all_workers(server: ValkeyServer) -> None:
    pace = Pace(account="a", model="m", tokens_per_minute=600)
    async with worker(server) as first, worker(server) as second:
        seat = await seat_in(room(first, pace), tokens=600)
        other = room(second, pace)
        assert await is_refused(other)
        assert seat.permit is not None
        seat.permit.used(0)
        seat.release()
        await first.drain()
        await seat_in(other, tokens=10)


async def test_a_429_closes_the_pace_of_all_workers_for_as_long_as_it_says(server: ValkeyServer) -> None:
    pace = Pace(account="a", model="m", concurrency=10)
    async with worker(server) as first, worker(server) as second:
        here, there = room(first, pace), room(second, pace)
        assert here.pacer is not None
        began = time.monotonic()
        here.pacer.throttled(60)
        await first.drain()
        assert here.opens_in() > 59.9 - (time.monotonic() - began)
        assert (await is_refused(here), await is_refused(there)) == (True, True)


async def test_places_of_a_worker_that_was_killed_come_back_and_those_of_one_that_lives_do_not(
    server: ValkeyServer,
) -> None:
    pace = Pace(account="a", model="m", concurrency=2)
    async with worker(server) as alive, worker(server) as killed, worker(server) as looks:
        await seat_in(room(alive, pace))
        await seat_in(room(killed, pace))
        other = room(looks, pace)
        assert await is_refused(other)
        # Leases end as if half a minute had passed; the living worker renews its own.
        [names] = await looks.valkey.send([("ZRANGE", alive.pacer(pace).keys[1], "0", "-1")])
        await looks.valkey.send([("ZADD", alive.pacer(pace).keys[1], "1", name) for name in names])
        alive._renewed_at = -1e9
        await alive.keep()
        await seat_in(other)
        assert await is_refused(other)


class HeldValkey(Valkey):
    """Lets a renewal arrive only when it is told to."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        if script is RENEW:
            self.reached.set()
            await self.go.wait()
        return await super().run(script, keys, arguments)


@pytest.mark.parametrize("was_away", [False, True], ids=["up", "coming back"])
async def test_a_place_that_is_given_back_while_it_is_renewed_is_free_at_once(
    server: ValkeyServer, *, was_away: bool
) -> None:
    pace = Pace(account="a", model="m", concurrency=1)
    valkey = HeldValkey.connect(server.url, "test", timeout_s=PATIENCE_S)
    assert isinstance(valkey, HeldValkey)
    here = SharedPaces(valkey, CLOCK, workers=2)
    await here.keep()
    seat = await seat_in(room(here, pace))
    if was_away:
        here.went_down(StorageUnavailable("away"))
    here._renewed_at = -1e9
    renewing = asyncio.create_task(here.keep())
    await valkey.reached.wait()
    seat.release()
    await here.drain()
    valkey.go.set()
    await renewing

    assert await valkey.send([("ZRANGE", here.pacer(pace).keys[1], "0", "-1")]) == [[]]
    assert here.is_up
    async with worker(server) as other:
        await seat_in(room(other, pace))
    await here.drain()
    await valkey.close()


async def test_while_valkey_is_away_each_worker_keeps_to_its_part_and_says_so(server: ValkeyServer) -> None:
    pace = Pace(account="a", model="m", concurrency=4)
    async with worker(server, workers=2) as paces:
        where = room(paces, pace)
        engine = ScriptedEngine(lambda _: [], target="u/m")
        parts = RoutingParts(clock=CLOCK, bound=lambda _call, _card: (1, 1), shared=paces)
        router = Router([Target(engine=engine, upstream="u", pace=pace)], lambda _: (), parts)
        before = routing_gauges(router)["qwenport_shared_paces_up"][1]
        seats = [await seat_in(where)]
        server.kill()
        seats.append(await seat_in(where))
        assert where.try_take(1, 0) is None
        assert (before, routing_gauges(router)["qwenport_shared_paces_up"][1]) == ({"": 1.0}, {"": 0.0})
        seats[0].release()
        seats.append(await seat_in(where))
        server.start()
        await paces.keep()
        assert paces.is_up
        await asyncio.gather(*(seat_in(where) for _ in range(2)))
        # The two that run since Valkey was away have their places too.
        assert await is_refused(where)


async def test_a_place_that_nobody_wants_any_more_goes_back(server: ValkeyServer) -> None:
    pace = Pace(account="a", model="m", concurrency=1)
    async with worker(server) as paces, worker(server) as other:
        where = room(paces, pace)
        assert where.try_take(1, 0) is None  # Valkey is asked
        await until(lambda: not where.is_asking)
        await paces.drain()
        await seat_in(room(other, pace))


async def test_a_call_waits_for_what_its_first_target_says_before_it_goes_on(server: ValkeyServer) -> None:
    wait = Wait()
    slow = ScriptedEngine(lambda _: [wait, *answer("slow", served_by="slow/m")], target="slow/m")
    other = ScriptedEngine(lambda _: answer("other", served_by="other/m"), target="other/m")
    async with worker(server) as paces:
        parts = RoutingParts(clock=CLOCK, bound=lambda _call, _card: (1, 1), shared=paces)
        targets = [
            Target(engine=slow, upstream="slow", pace=Pace(account="slow", model="m", concurrency=2)),
            Target(engine=other, upstream="other"),
        ]
        by = Router(targets, lambda _: (Route(targets=("slow/m", "other/m")),), parts)
        calls = [asyncio.create_task(_events(by)) for _ in range(4)]
        await until(lambda: len(slow.calls) + len(other.calls) == 4)
        wait.go.set()
        await asyncio.gather(*calls)
    assert (len(slow.calls), len(other.calls)) == (2, 2)


async def test_going_on_at_a_shared_target_needs_no_pause(server: ValkeyServer) -> None:
    broken = ScriptedEngine(lambda _: [EngineFailed("broke")], target="broken/m")
    other = ScriptedEngine(lambda _: answer("other", served_by="other/m"), target="other/m")
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with worker(server) as paces:
        targets = [
            Target(engine=broken, upstream="broken"),
            Target(engine=other, upstream="other", pace=Pace(account="other", model="m", concurrency=2)),
        ]
        parts = RoutingParts(clock=CLOCK, bound=lambda _call, _card: (1, 1), shared=paces, sleep=sleep)
        by = Router(targets, lambda _: (Route(targets=("broken/m", "other/m")),), parts)
        assert await _events(by) == answer("other", served_by="other/m")
    assert pauses == []


async def test_slots_of_an_engine_of_the_house_are_shared(server: ValkeyServer) -> None:
    wait = Wait()
    engine = ScriptedEngine(lambda _: [wait, *answer("x")], target="llama/m", slots=2)
    async with worker(server) as first, worker(server) as second:
        routers = [
            Router(
                [Target(engine=engine)],
                lambda _: (Route(targets=("llama/m",)),),
                RoutingParts(clock=CLOCK, bound=lambda _call, _card: (1, 1), workers=2, shared=paces),
            )
            for paces in (first, second)
        ]
        calls = [asyncio.create_task(_events(routers[0])) for _ in range(2)]
        await until(lambda: len(engine.calls) == 2)
        calls.append(asyncio.create_task(_events(routers[1])))
        await until(lambda: routers[1].rooms["llama/m"].waiting == 1 and not routers[1].rooms["llama/m"].is_asking)
        assert (len(engine.calls), routers[1].rooms["llama/m"].waiting) == (2, 1)
        wait.go.set()
        await asyncio.gather(*calls)
    assert len(engine.calls) == 3


class _Silent:
    def routed(self) -> None: ...
    def observe(self, event: Event) -> None: ...
    def restart(self) -> None: ...


async def _events(by: Router) -> list[Event]:
    prepared = PreparedCall(call=chat_call(), max_input_tokens=100)
    async with by(CALLER, model_card(), prepared, _Silent()) as given:
        return [*given.begun, *[event async for event in given.rest]]

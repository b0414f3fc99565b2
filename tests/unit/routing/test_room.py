"""Room at targets: never more in use than there is, fair, bounded, nothing left behind and nobody forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from qwenport.routing.fair_queue import FairQueue, Waiter
from qwenport.routing.pacing import LocalPacer
from qwenport.routing.room import Room, Seat
from qwenport.routing.target import Pace
from qwenport.testing.quick_loop import LoopClock, QuickLoop

pytestmark = pytest.mark.anyio

QUEUE_LENGTH = 5


def waiter(key: str = "key-1", priority: int = 0, count: int = 1) -> Waiter:
    """Return a call that waits."""
    return Waiter(key, priority, count=count)


class Holder:
    """A call that takes room in any of several rooms and keeps it until it is told to go."""

    def __init__(self, rooms: Sequence[Room], key: str, count: int, served: list[Holder]) -> None:
        self.key = key
        self.count = count
        self.seat: Seat | None = None
        self.was_refused = False
        self._rooms = rooms
        self._served = served
        self._go = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        self.seat = await self._take()
        if self.seat is None:
            self.was_refused = True
            return
        self._served.append(self)
        try:
            await self._go.wait()
        finally:
            seat, self.seat = self.seat, None
            seat.release()

    async def _take(self) -> Seat | None:
        for room in self._rooms:
            seat = room.try_take(self.count, 0)
            if seat is not None:
                return seat
        waits = waiter(self.key, count=self.count)
        open_rooms = [room for room in self._rooms if room.has_place_for(waits)]
        if not open_rooms:
            return None
        for room in open_rooms:
            if not waits.turn.done():
                room.enroll(waits)
        try:
            return await waits.turn
        except asyncio.CancelledError:
            if waits.turn.done() and not waits.turn.cancelled():
                seat = waits.turn.result()
                if seat is not None:
                    seat.release()
            for room in tuple(waits.rooms):
                room.withdraw(waits)
            raise

    def leave(self) -> None:
        self._go.set()

    def in_use(self, room: Room) -> int:
        """Return how many slots of the room it has."""
        return min(self.count, room.capacity) if self.seat is not None and self.seat.room is room else 0


class RoomMachine(RuleBasedStateMachine):
    """Calls come, go and are cancelled in any order; two things may happen in one turn of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=QuickLoop)
        self.runner.get_loop()
        pacer = LocalPacer(Pace(account="a", model="m", concurrency=2), LoopClock())
        self.rooms = [Room(4, QUEUE_LENGTH), Room(2, QUEUE_LENGTH), Room(100, QUEUE_LENGTH, pacer)]
        self.pacer = pacer
        self.asked: list[Holder] = []
        self.served: list[Holder] = []

    def turn(self, *, complete: bool = True) -> None:
        """Let the loop run until nothing is left to do, or only once."""

        async def pass_on() -> None:
            for _ in range(12 if complete else 1):
                await asyncio.sleep(0)

        self.runner.run(pass_on())

    @rule(
        places=st.sets(st.integers(0, 2), min_size=1),
        key=st.sampled_from("ab"),
        count=st.integers(1, 5),
        complete=st.booleans(),
    )
    def ask(self, places: set[int], key: str, count: int, complete: bool) -> None:
        async def begin() -> Holder:
            return Holder([self.rooms[place] for place in sorted(places)], key, count, self.served)

        self.asked.append(self.runner.run(begin()))
        self.turn(complete=complete)

    @precondition(lambda self: self.asked)
    @rule(place=st.integers(0, 100), complete=st.booleans())
    def leave(self, place: int, complete: bool) -> None:
        self.asked[place % len(self.asked)].leave()
        self.turn(complete=complete)

    @precondition(lambda self: self.asked)
    @rule(place=st.integers(0, 100), complete=st.booleans())
    def cancel(self, place: int, complete: bool) -> None:
        self.asked[place % len(self.asked)].task.cancel()
        self.turn(complete=complete)

    @precondition(lambda self: len(self.asked) > 1)
    @rule(one=st.integers(0, 100), other=st.integers(0, 100))
    def leave_and_cancel_at_once(self, one: int, other: int) -> None:
        self.asked[one % len(self.asked)].leave()
        self.asked[other % len(self.asked)].task.cancel()
        self.turn(complete=False)

    @invariant()
    def no_more_is_in_use_than_there_is(self) -> None:
        for room in self.rooms:
            in_use = sum(holder.in_use(room) for holder in self.asked)
            assert 0 <= in_use <= room.capacity - room.free <= room.capacity
            assert room.waiting <= QUEUE_LENGTH
        assert self.pacer.in_use <= max([2, *(holder.count for holder in self.asked)])

    @invariant()
    def nobody_waits_where_there_is_room_for_the_next(self) -> None:
        self.turn()
        for room in self.rooms[:2]:
            assert not room.waiting or room.free < room.capacity

    def teardown(self) -> None:
        for holder in self.asked:
            holder.leave()
        for _ in range(len(self.asked) + 1):
            self.turn()
        assert all(holder.task.done() for holder in self.asked)
        assert {holder.task.exception() for holder in self.asked if not holder.task.cancelled()} <= {None}
        assert [(room.free, room.waiting) for room in self.rooms] == [(room.capacity, 0) for room in self.rooms]
        assert self.pacer.in_use == 0
        self.runner.close()


RoomMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestRoom = RoomMachine.TestCase


async def order_of(asked: Sequence[tuple[str, int]]) -> list[str]:
    """Return the keys in the order in which they are let into a room for one."""
    room, order = Room(1, 1000), list[str]()
    seat = room.try_take(1, 0)
    waiting = []
    for key, priority in asked:
        each = waiter(key, priority)
        room.enroll(each)
        waiting.append(each)
    while waiting:
        assert seat is not None
        seat.release()
        [served] = [each for each in waiting if each.turn.done()]
        waiting.remove(served)
        order.append(served.key)
        seat = served.turn.result()
    return order


async def test_keys_take_turns_however_many_calls_of_one_wait() -> None:
    assert await order_of([("a", 0)] * 4 + [("b", 0)] * 2) == ["a", "b", "a", "b", "a", "a"]


async def test_a_key_of_higher_priority_is_next_more_often() -> None:
    order = await order_of([("low", -5)] * 20 + [("high", 5)] * 20)
    assert order[:17].count("high") == 16
    assert sorted(order) == ["high"] * 20 + ["low"] * 20


async def test_a_key_of_the_lowest_priority_is_not_left_waiting_for_ever() -> None:
    room, served = Room(1, 1000), 0
    seat = room.try_take(1, 0)
    poor = waiter("low", -10)
    room.enroll(poor)
    rich = waiter("high", 10)
    room.enroll(rich)
    while not poor.turn.done():
        assert seat is not None
        seat.release()
        if rich.turn.done():
            seat = rich.turn.result()
            rich = waiter("high", 10)
            room.enroll(rich)
            served += 1
    assert served <= 256


async def test_keys_that_come_later_do_not_keep_one_of_low_priority_waiting_for_ever() -> None:
    room = Room(1, 1000)
    seat = room.try_take(1, 0)
    poor = waiter("low", -10)
    room.enroll(poor)
    for number in range(100):
        newcomer = waiter(f"key-{number}")
        room.enroll(newcomer)
        assert seat is not None
        seat.release()
        if poor.turn.done():
            break
        seat = newcomer.turn.result()
    assert poor.turn.done()


async def test_room_that_comes_in_the_moment_in_which_its_call_is_cancelled_goes_to_the_next() -> None:
    room = Room(1, 10)
    seat = room.try_take(1, 0)
    leaves, stays = waiter(), waiter()
    room.enroll(leaves)
    room.enroll(stays)
    leaves.turn.cancel()  # its task has not run yet, and still stands in the queue
    assert seat is not None
    seat.release()
    assert (stays.turn.done(), room.free, room.waiting) == (True, 0, 0)


async def test_a_queue_does_not_grow_with_calls_that_gave_up() -> None:
    queue = FairQueue()
    stays = waiter("stays")
    queue.add(stays)
    for number in range(10_000):
        leaves = waiter(f"key-{number}")
        queue.add(leaves)
        queue.discard(leaves)
    assert (len(queue), queue.head()) == (1, stays)
    assert len(queue._heap) < 200
    assert len(queue._stamps) < 200
    assert len(queue._lines) == 1


async def full_room(*asked: tuple[str, int]) -> tuple[Room, list[Waiter]]:
    """Return a room whose queue is filled by these, by key and priority."""
    room = Room(1, len(asked))
    assert room.try_take(1, 0) is not None
    waiting = [waiter(*each) for each in asked]
    for each in waiting:
        room.enroll(each)
    return room, waiting


@pytest.mark.parametrize(
    ("asked", "newcomer", "gone"),
    [
        ([("a", 0)] * 3, ("b", 0), 2),
        ([("a", 0), ("b", 0), ("a", 0), ("c", 0)], ("c", 0), None),
        ([("a", 0), ("b", 0), ("a", 0), ("b", 0), ("a", 0)], ("c", 0), 4),
        ([("a", 0), ("a", 0), ("b", 0)], ("b", 0), None),
        ([("a", 0)] * 3, ("a", 0), None),
        ([("a", 0), ("b", 0)], ("c", 0), None),
        ([("a", 0), ("b", 0)], ("c", -10), None),
        ([("b", 0), ("a", -10)], ("c", 10), 1),
        ([("a", 10)] * 8, ("c", -10), None),
        ([], ("a", 10), None),
    ],
)
async def test_a_full_queue_takes_whoever_has_less_in_it_in_the_place_of_the_last_of_the_key_with_most(
    asked: list[tuple[str, int]], newcomer: tuple[str, int], gone: int | None
) -> None:
    room, waiting = await full_room(*asked)
    comes = waiter(*newcomer)

    assert room.has_place_for(comes) is (gone is not None)
    if gone is not None:
        room.enroll(comes)
        assert [number for number, each in enumerate(waiting) if each.turn.done()] == [gone]
        assert (waiting[gone].turn.result(), room.waiting, comes.rooms) == (None, len(asked), [room])


async def test_calls_that_left_a_queue_no_longer_count_against_their_key() -> None:
    room, waiting = await full_room(("a", 0), ("a", 0))
    room.withdraw(waiting[1])
    room.enroll(waiter("b"))

    assert not room.has_place_for(waiter("c"))


async def test_whoever_is_displaced_in_one_room_goes_on_waiting_in_another() -> None:
    room, waiting = await full_room(("a", 0), ("a", 0))
    other = Room(1, 10)
    seat = other.try_take(1, 0)
    other.enroll(waiting[1])
    room.enroll(waiter("b"))

    assert (waiting[1].turn.done(), waiting[1].rooms, room.waiting) == (False, [other], 2)
    assert seat is not None
    seat.release()
    assert await waiting[1].turn is not None


async def test_a_call_for_more_choices_than_there_are_slots_takes_all() -> None:
    room = Room(2, 1)
    seat = room.try_take(4, 0)
    assert (seat is not None, room.free) == (True, 0)


async def test_a_large_call_is_not_overtaken_and_its_leaving_lets_the_others_pass() -> None:
    room = Room(2, 10)
    assert room.try_take(1, 0) is not None
    large, small = waiter(count=2), waiter(count=1)
    room.enroll(large)
    assert room.try_take(1, 0) is None
    room.enroll(small)
    assert not small.turn.done()
    room.withdraw(large)
    assert (small.turn.done(), room.free) == (True, 0)


async def test_whoever_waits_in_two_rooms_is_given_the_first_that_is_free_and_leaves_the_other() -> None:
    first, second = Room(1, 10), Room(1, 10)
    seats = first.try_take(1, 0), second.try_take(1, 0)
    waits = waiter()
    first.enroll(waits)
    second.enroll(waits)
    assert seats[1] is not None
    seats[1].release()
    seat = await waits.turn
    assert seat is not None
    assert (seat.room, first.waiting, second.waiting) == (second, 0, 0)


async def test_a_room_that_is_no_more_sends_everybody_to_look_again() -> None:
    room = Room(1, 10)
    assert room.try_take(1, 0) is not None
    waits = waiter()
    room.enroll(waits)
    room.dismiss()
    assert (await waits.turn, room.waiting) == (None, 0)


async def test_whoever_waits_for_the_pace_is_let_in_when_its_time_has_come() -> None:
    clock = LoopClock()
    room = Room(100, 10, LocalPacer(Pace(account="a", model="m", requests_per_minute=60), clock))
    assert room.try_take(1, 0) is not None
    waits, began = waiter(), clock.monotonic()
    room.enroll(waits)
    for _ in range(100):
        room.pump()
    timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined] # nothing else tells of them
    assert sum(not timer.cancelled() for timer in timers) == 1
    await waits.turn
    assert clock.monotonic() - began == pytest.approx(1.0)

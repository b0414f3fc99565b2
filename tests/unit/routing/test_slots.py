"""Slots of an engine: never more in use than there are, first come, first served, nothing left behind."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from qwenport.core.errors import Overloaded
from qwenport.routing.slots import Slots

pytestmark = pytest.mark.anyio

CAPACITY = 4
QUEUE_LENGTH = 5


class Holder:
    """A call that takes slots and keeps them until it is told to go."""

    def __init__(self, slots: Slots, count: int, order: list[Holder]) -> None:
        self.count = min(count, slots.capacity)
        self.has = False
        self._go = asyncio.Event()
        self._order = order
        self.task = asyncio.get_running_loop().create_task(self._run(slots, count))

    async def _run(self, slots: Slots, count: int) -> None:
        async with slots.take(count):
            self.has = True
            self._order.append(self)
            try:
                await self._go.wait()
            finally:
                self.has = False

    def leave(self) -> None:
        self._go.set()


class SlotsMachine(RuleBasedStateMachine):
    """Calls come, go and are cancelled in any order; two things may happen in one turn of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.slots = Slots(CAPACITY, queue_length=QUEUE_LENGTH)
        self.asked: list[Holder] = []
        self.served: list[Holder] = []

    def turn(self, *, complete: bool = True) -> None:
        """Let the loop run until nothing is left to do, or only once."""

        async def pass_on() -> None:
            for _ in range(12 if complete else 1):
                await asyncio.sleep(0)

        self.runner.run(pass_on())

    @rule(count=st.integers(1, CAPACITY + 2), complete=st.booleans())
    def ask(self, count: int, complete: bool) -> None:
        async def begin() -> Holder:
            return Holder(self.slots, count, self.served)

        self.asked.append(self.runner.run(begin()))
        self.turn(complete=complete)

    @precondition(lambda self: self.asked)
    @rule(place=st.integers(0, 100), complete=st.booleans())
    def leave(self, place: int, complete: bool) -> None:
        holder = self.asked[place % len(self.asked)]
        holder.leave()
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
    def no_more_are_in_use_than_there_are(self) -> None:
        in_use = sum(holder.count for holder in self.asked if holder.has)
        assert 0 <= in_use <= CAPACITY - self.slots.free <= CAPACITY
        assert self.slots.waiting <= QUEUE_LENGTH

    @invariant()
    def first_come_first_served(self) -> None:
        places = [self.asked.index(holder) for holder in self.served]
        assert places == sorted(places)

    def teardown(self) -> None:
        for holder in self.asked:
            holder.leave()
        # Every turn lets the next ones in; a call that was refused has ended with `Overloaded`.
        for _ in range(len(self.asked) + 1):
            self.turn()
        refused = [holder.task for holder in self.asked if not holder.task.cancelled() and holder.task.exception()]
        assert {type(task.exception()) for task in refused} <= {Overloaded}
        assert all(holder.task.done() for holder in self.asked)
        assert (self.slots.free, self.slots.waiting) == (CAPACITY, 0)
        self.runner.close()


SlotsMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestSlots = SlotsMachine.TestCase


async def test_a_call_for_more_choices_than_there_are_slots_takes_all() -> None:
    slots = Slots(2)
    async with slots.take(4):
        assert slots.free == 0
    assert slots.free == 2


async def test_a_full_queue_refuses_at_once() -> None:
    slots = Slots(1, queue_length=0)
    async with slots.take(1):
        with pytest.raises(Overloaded):
            await AsyncExitStack().enter_async_context(slots.take(1))


async def test_a_turn_that_does_not_come_in_time_is_refused_and_lets_others_pass() -> None:
    slots = Slots(2, queue_seconds=0.01)
    async with slots.take(1):
        with pytest.raises(Overloaded):
            await AsyncExitStack().enter_async_context(slots.take(2))
        # The call for two stood in the way of this one, and no longer does.
        async with slots.take(1):
            assert (slots.free, slots.waiting) == (0, 0)
    assert slots.free == 2


async def queued(slots: Slots, count: int, served: list[Holder]) -> Holder:
    """Return a call that waits for its turn."""
    holder = Holder(slots, count, served)
    await asyncio.sleep(0)
    assert not holder.has
    return holder


async def test_a_call_that_is_cancelled_as_its_turn_comes_passes_the_turn_on() -> None:
    slots, served = Slots(1), list[Holder]()
    async with slots.take(1):
        first = await queued(slots, 1, served)
        second = await queued(slots, 1, served)
    # The turn has come, and the call has not yet woken up.
    first.task.cancel()
    await asyncio.wait((first.task,))
    await asyncio.sleep(0)
    assert (first.task.cancelled(), second.has) == (True, True)
    second.leave()
    await second.task

    assert slots.free == 1


async def test_a_call_that_leaves_the_queue_lets_those_behind_it_pass() -> None:
    slots, served = Slots(2), list[Holder]()
    async with slots.take(1):
        large = await queued(slots, 2, served)
        small = await queued(slots, 1, served)
        large.task.cancel()
        await asyncio.wait((large.task,))
        await asyncio.sleep(0)
        assert small.has
        small.leave()
        await small.task

    assert slots.free == 2

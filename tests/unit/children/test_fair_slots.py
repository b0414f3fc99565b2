"""Who is next where a few places are wanted by many."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from qwenport.children.fair_slots import FairSlots
from qwenport.core.errors import Overloaded

pytestmark = pytest.mark.anyio


class Work:
    """Work that takes a place and keeps it until it is told to end."""

    def __init__(self, slots: FairSlots) -> None:
        self._slots = slots
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str) -> None:
        """Ask for a place for each; the letter of a name is its owner."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._hold(name))
        await settled()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await settled()

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        with suppress(asyncio.CancelledError):
            await self._tasks[name]
        await settled()

    async def _hold(self, name: str) -> None:
        async with self._slots.hold(name[0]):
            self.begun.append(name)
            await self._ends[name].wait()


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_work_at_a_time_than_there_are_places() -> None:
    work = Work(FairSlots(2, wait_s=60))
    await work.ask("a1", "a2", "a3")
    assert work.begun == ["a1", "a2"]

    await work.end("a1")
    assert work.begun == ["a1", "a2", "a3"]
    await work.end("a2", "a3")


async def test_whoever_holds_least_is_next_however_many_came_before() -> None:
    work = Work(FairSlots(2, wait_s=60))
    await work.ask("a1", "a2", "a3", "a4", "b1", "b2", "c1")

    for name in ("a1", "a2", "b1", "c1"):
        await work.end(name)

    assert work.begun == ["a1", "a2", "b1", "a3", "c1", "b2"]
    await work.end("a3", "b2", "a4")


async def test_owners_who_hold_as_much_are_served_by_turns() -> None:
    work = Work(FairSlots(1, wait_s=60))
    await work.ask("x1", "a1", "a2", "b1", "b2")

    for name in ("x1", "a1", "b1", "a2", "b2"):
        await work.end(name)

    assert work.begun == ["x1", "a1", "b1", "a2", "b2"]


async def test_nobody_waits_longer_than_they_may_and_who_gave_up_is_not_served() -> None:
    slots = FairSlots(1, wait_s=0.01)
    work = Work(slots)
    await work.ask("a1")

    with pytest.raises(Overloaded):
        async with slots.hold("b"):
            pytest.fail("there was no place")

    await work.end("a1")
    await work.ask("c1")
    assert work.begun == ["a1", "c1"]
    await work.end("c1")


async def test_who_leaves_the_line_is_not_waited_for() -> None:
    work = Work(FairSlots(1, wait_s=60))
    await work.ask("a1", "b1", "b2", "c1")
    await work.cancel("b1")
    await work.cancel("c1")

    await work.end("a1")

    assert work.begun == ["a1", "b2"]
    await work.end("b2")


async def test_a_place_that_comes_in_the_moment_in_which_its_owner_leaves_goes_to_the_next() -> None:
    slots = FairSlots(1, wait_s=60)
    work = Work(slots)
    async with slots.hold("x"):
        await work.ask("a1", "b1")
    await work.cancel("a1")  # its place was given to it, and it has not run since

    assert work.begun == ["b1"]
    await work.end("b1")


async def test_a_place_that_comes_just_after_its_owner_has_left_goes_to_the_next() -> None:
    slots = FairSlots(1, wait_s=60)
    work = Work(slots)
    async with slots.hold("x"):
        await work.ask("a1", "b1")
        leaving = asyncio.create_task(work.cancel("a1"))
        await asyncio.sleep(0)  # it is told to leave, and has not run since
    await leaving

    assert work.begun == ["b1"]
    await work.end("b1")

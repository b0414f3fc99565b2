"""How much of all calls' pictures is held at a time, and who waits for whom."""

from __future__ import annotations

import asyncio

import pytest

from qwenport.core.errors import Overloaded
from qwenport.core.ids import AccountId, RequestId
from qwenport.media.room import PictureRoom

pytestmark = pytest.mark.anyio

A, B = AccountId("a"), AccountId("b")
ONE, TWO, THREE, FOUR = (RequestId(str(number)) for number in range(4))


def room(most: int = 100, wait_s: float = 60) -> PictureRoom:
    return PictureRoom(most, most_of_call=10, wait_s=wait_s)


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_call_counts_what_is_expected_while_it_loads_and_then_what_it_loaded() -> None:
    held = room()
    await held.enter(ONE, A, 40)
    held.take(ONE, 10)
    assert held.held_bytes == 40

    held.take(ONE, 35)
    assert held.held_bytes == 45

    await held.enter(TWO, A, 20)
    held.take(TWO, 5)
    held.complete(TWO)
    assert held.held_bytes == 50

    held.leave(ONE)
    held.leave(TWO)
    held.leave(THREE)
    assert held.held_bytes == 0


async def test_what_has_no_room_is_refused_at_once_and_counts_nothing() -> None:
    held = room()
    await held.enter(ONE, A, 60)
    await held.enter(TWO, B, 30)

    with pytest.raises(Overloaded):
        held.take(TWO, 41)

    assert held.held_bytes == 90
    held.take(TWO, 40)
    assert held.held_bytes == 100


async def test_one_account_does_not_fill_the_room() -> None:
    held = room()
    await held.enter(ONE, A, 75)

    with pytest.raises(Overloaded):
        held.take(ONE, 76)
    await held.enter(TWO, B, 25)

    assert held.held_bytes == 100


async def test_a_call_waits_until_others_have_left_the_account_with_least_first() -> None:
    held = room()
    await held.enter(ONE, A, 50)
    await held.enter(TWO, B, 50)
    waiting = [asyncio.create_task(held.enter(*each)) for each in ((THREE, A, 20), (FOUR, AccountId("c"), 40))]
    await settled()
    assert held.held_bytes == 100

    held.leave(TWO)
    await settled()
    assert ([task.done() for task in waiting], held.held_bytes) == ([False, True], 90)

    held.leave(ONE)
    await asyncio.gather(*waiting)
    assert held.held_bytes == 60


async def test_a_call_that_would_load_more_than_there_is_room_for_waits_until_it_is_alone() -> None:
    held = room()
    await held.enter(ONE, B, 30)
    waiting = asyncio.create_task(held.enter(TWO, A, 10_000))
    await settled()
    assert not waiting.done()

    held.leave(ONE)
    await waiting
    assert held.held_bytes == 75


async def test_nobody_waits_longer_than_they_may() -> None:
    held = room(wait_s=0.01)
    await held.enter(ONE, A, 75)

    with pytest.raises(Overloaded):
        await held.enter(TWO, B, 26)
    await held.enter(THREE, B, 25)

    assert held.held_bytes == 100


async def test_who_stops_waiting_lets_in_those_behind() -> None:
    held = room()
    await held.enter(ONE, A, 70)
    large = asyncio.create_task(held.enter(TWO, B, 60))
    await settled()
    small = asyncio.create_task(held.enter(THREE, B, 10))
    await settled()
    assert not small.done()

    large.cancel()
    await small

    assert (large.cancelled(), held.held_bytes) == (True, 80)


def test_there_is_always_room_for_one_call() -> None:
    assert PictureRoom(0, most_of_call=300, wait_s=1).most_bytes == 400

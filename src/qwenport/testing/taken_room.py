"""Room that a test holds, so that calls find none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qwenport.routing.room import Room


@asynccontextmanager
async def taken(room: Room, count: int) -> AsyncIterator[None]:
    """Hold room for so many choices while the block runs; raises `RuntimeError` where there is none."""
    seat = room.try_take(count, 0)
    if seat is None:
        raise RuntimeError(f"there is no room for {count}: {room.free} of {room.capacity} are free")
    try:
        yield
    finally:
        seat.release()

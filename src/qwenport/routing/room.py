"""Room at one target: slots, pace, and the one bounded queue before both."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Protocol

from qwenport.routing.fair_queue import FairQueue, Waiter


class Permit(Protocol):
    """Leave that one call has from the pace of its target."""

    counts_tokens: bool
    """Whether it is to be told what the call used."""

    def used(self, tokens: int) -> None:
        """Replace the bound that was taken by what was used."""
        ...

    def give_back(self) -> None:
        """Let the next call have its place; once."""
        ...


class Pacer(Protocol):
    """What an upstream's own limits let pass."""

    def take(self, count: int, tokens: int) -> Permit | float:
        """Return leave for a call, or in how many seconds to ask again; infinity where the pacer will tell."""
        ...

    def answered(self) -> None:
        """Note that a try ended otherwise than by a 429."""
        ...

    def throttled(self, retry_after_s: float | None) -> bool:
        """Note that the upstream said 429, and for how long if it told; return whether that means everybody."""
        ...

    def opens_in(self) -> float:
        """Return for how many seconds nothing passes in any case, because the upstream said so."""
        ...

    @property
    def is_asking(self) -> bool:
        """Whether it does not know yet, because it asks other workers; then it will tell."""
        ...

    def watch(self, on_room: Callable[[], None]) -> None:
        """Have this called when a place was given back."""
        ...

    def unwatch(self, on_room: Callable[[], None]) -> None:
        """Undo `watch`."""
        ...


class Seat:
    """The room that one call has."""

    __slots__ = ("_count", "permit", "room")

    def __init__(self, room: Room, count: int, permit: Permit | None) -> None:
        self.room = room
        self._count = count
        self.permit = permit

    def release(self) -> None:
        """Let the next one in; once."""
        if self.permit is not None:
            self.permit.give_back()
        self.room.give_back(self._count)


class Room:
    """A call for n choices takes n slots, or all there are where n is more; nobody is overtaken for being large."""

    def __init__(self, capacity: int, queue_length: int, pacer: Pacer | None = None) -> None:
        self.capacity = capacity
        self.free = capacity
        self.pacer = pacer
        self._queue = FairQueue()
        self.queue_length = queue_length
        self._timer: asyncio.TimerHandle | None = None
        self._pumping = False
        self._impatient: set[Waiter] = set()
        if pacer is not None:
            pacer.watch(self.pump)

    @property
    def waiting(self) -> int:
        """How many calls are in the queue."""
        return len(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether nobody can be put into the queue any more."""
        return len(self._queue) >= self.queue_length

    def has_place_for(self, waiter: Waiter) -> bool:
        """Tell whether a call can join the queue: beside the others, or in the place of one whose key has more."""
        return not self.is_full or self._queue.displaced_by(waiter) is not None

    @property
    def is_asking(self) -> bool:
        """Whether it is not known yet if there is room."""
        return self.pacer is not None and self.pacer.is_asking

    def opens_in(self) -> float:
        """Return for how many seconds nothing passes in any case."""
        return 0.0 if self.pacer is None else self.pacer.opens_in()

    def try_take(self, count: int, tokens: int) -> Seat | None:
        """Return room for a call if there is some now and nobody waits for it."""
        if len(self._queue):
            return None
        return self._fit(count, tokens)[0]

    def enroll(self, waiter: Waiter) -> None:
        """Put a call into the queue that `has_place_for` it; a queue that was empty has it looked at at once."""
        if self.is_full:
            self._displace(self._queue.displaced_by(waiter))
        self._queue.add(waiter)
        waiter.rooms.append(self)
        if waiter.is_impatient:
            self._impatient.add(waiter)
        self.pump()

    def withdraw(self, waiter: Waiter) -> None:
        """Take a call out of the queue; those behind it may pass."""
        self._queue.discard(waiter)
        self._impatient.discard(waiter)
        self.pump()

    def give_back(self, count: int) -> None:
        """Take back slots of a seat."""
        self.free += count
        self.pump()

    def dismiss(self) -> None:
        """Send everybody who waits away to look again, and let go of the pacer; for a target that is no more."""
        self._send_away(self._queue.everybody())
        if self._timer is not None:
            self._timer.cancel()
        if self.pacer is not None:
            self.pacer.unwatch(self.pump)

    def pump(self) -> None:
        """Let in whoever is next, as long as there is room."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while (waiter := self._queue.head()) is not None:
                seat, wait_s = self._fit(waiter.count, waiter.tokens)
                if seat is None:
                    if self._impatient and not self.is_asking:
                        self._send_away(self._impatient)
                        continue
                    self._look_again_in(wait_s)
                    return
                self._queue.serve(waiter)
                self._grant(waiter, seat)
        finally:
            self._pumping = False

    def _fit(self, count: int, tokens: int) -> tuple[Seat | None, float]:
        """Return room, or in how many seconds to look again."""
        count = min(count, self.capacity)
        if self.free < count:
            return None, math.inf
        permit: Permit | None = None
        if self.pacer is not None:
            taken = self.pacer.take(count, tokens)
            if isinstance(taken, float):
                return None, taken
            permit = taken
        self.free -= count
        return Seat(self, count, permit), 0.0

    def _grant(self, waiter: Waiter, seat: Seat | None) -> None:
        rooms, waiter.rooms = waiter.rooms, []
        for room in rooms:
            room.withdraw(waiter)
        if not waiter.turn.done():
            waiter.turn.set_result(seat)
        elif seat is not None:
            seat.release()

    def _displace(self, waiter: Waiter | None) -> None:
        """Put a call out of this queue; where it stands in no other one, it looks again and finds no place."""
        if waiter is None:
            return
        self._queue.discard(waiter)
        self._impatient.discard(waiter)
        waiter.rooms.remove(self)
        if not waiter.rooms:
            self._grant(waiter, None)

    def _send_away(self, waiters: Iterable[Waiter]) -> None:
        for waiter in tuple(waiters):
            self._grant(waiter, None)

    def _look_again_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds < math.inf:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.pump)

"""Who is next of those that wait: by turns between keys, more often for keys of higher priority, nobody never.

Self-clocked fair queueing: what a key waits for is stamped one after the other with the virtual time at which it is
done, at the key's own speed; the smallest stamp is next, and its stamp is the time that newcomers begin at.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwenport.routing.room import Room, Seat

PRIORITY_STEP = 2.5
"""Steps of priority that double how often a key's calls are next: from 1/16 at -10 to 16 at 10."""

_SLACK = 32


class Waiter:
    """One call that waits, for room at any of several targets."""

    __slots__ = ("count", "is_impatient", "key", "rooms", "tokens", "turn", "weight")

    def __init__(self, key: str, priority: int, *, count: int) -> None:
        """Wait for `count` slots, for a key."""
        self.key = key
        self.weight: float = 2.0 ** (priority / PRIORITY_STEP)
        self.count = count
        self.tokens = 0
        """How many tokens at most it takes from a pace."""
        self.is_impatient = False
        """Whether it goes elsewhere rather than wait, once it is known that there is no room."""
        self.rooms: list[Room] = []
        """In whose queues it stands."""
        self.turn: asyncio.Future[Seat | None] = asyncio.get_running_loop().create_future()
        """What it was given; None to look again, because the targets are others now, or others have its place."""

    @property
    def load(self) -> float:
        """How much it is for its key's weight."""
        return self.count / self.weight


class _Line:
    """What waits of one key, in its order, and how much that is for the key's weight."""

    __slots__ = ("load", "waiters")

    def __init__(self) -> None:
        self.load = 0.0
        self.waiters: dict[Waiter, None] = {}


class FairQueue:
    """The waiting calls of one target; a call may wait in several such queues."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Waiter]] = []
        self._waiting: set[Waiter] = set()
        self._stamps: dict[str, float] = {}
        self._lines: dict[str, _Line] = {}
        self._time = 0.0
        self._order = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, waiter: Waiter) -> None:
        """Put a call behind the others of its key."""
        stamp = max(self._time, self._stamps.get(waiter.key, 0.0)) + waiter.load
        self._stamps[waiter.key] = stamp
        self._order += 1
        heapq.heappush(self._heap, (stamp, self._order, waiter))
        self._waiting.add(waiter)
        line = self._lines.setdefault(waiter.key, _Line())
        line.waiters[waiter] = None
        line.load += waiter.load

    def displaced_by(self, newcomer: Waiter) -> Waiter | None:
        """Return the last call of the key with most here, by weight; None where the newcomer's would have as much."""
        fullest = max(self._lines.values(), key=lambda line: line.load, default=None)
        own = self._lines.get(newcomer.key)
        if fullest is None or (0.0 if own is None else own.load) + newcomer.load >= fullest.load:
            return None
        return next(reversed(fullest.waiters))

    def head(self) -> Waiter | None:
        """Return who is next."""
        heap = self._heap
        while heap:
            waiter = heap[0][2]
            if waiter in self._waiting:
                return waiter
            heapq.heappop(heap)
        return None

    def serve(self, waiter: Waiter) -> None:
        """Take the head out, and go on to its time."""
        self._time = self._heap[0][0]
        self.discard(waiter)

    def discard(self, waiter: Waiter) -> None:
        """Take a call out, wherever it stands."""
        if waiter not in self._waiting:
            return
        self._waiting.remove(waiter)
        line = self._lines[waiter.key]
        del line.waiters[waiter]
        line.load -= waiter.load
        if not line.waiters:
            del self._lines[waiter.key]
        if not self._waiting:
            self._heap.clear()
            self._stamps.clear()
            self._time = 0.0
        elif len(self._heap) > 2 * len(self._waiting) + _SLACK:
            self._tidy()

    def everybody(self) -> list[Waiter]:
        """Return all who wait, in no order."""
        return list(self._waiting)

    def _tidy(self) -> None:
        """Forget those who left, and keys of which nothing waits: both would grow with every client that gives up."""
        self._heap = [entry for entry in self._heap if entry[2] in self._waiting]
        heapq.heapify(self._heap)
        waiting = {waiter.key for waiter in self._waiting}
        self._stamps = {key: at for key, at in self._stamps.items() if key in waiting}

"""How many calls an engine works on at a time, and the bounded queue before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qwenport.core.errors import Overloaded

QUEUE_LENGTH = 256
QUEUE_SECONDS = 60.0


class Slots:
    """First come, first served; a call for n choices takes n slots, or all there are where n is more."""

    def __init__(
        self, capacity: int, *, queue_length: int = QUEUE_LENGTH, queue_seconds: float = QUEUE_SECONDS
    ) -> None:
        self.capacity = capacity
        self.free = capacity
        self._queue_length = queue_length
        self._queue_seconds = queue_seconds
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many calls are in the queue."""
        return len(self._waiting)

    @asynccontextmanager
    async def take(self, count: int) -> AsyncIterator[None]:
        """Hold slots while the block runs.

        Raises:
            Overloaded: the queue is full, or the call's turn did not come in time.
        """
        count = min(count, self.capacity)
        await self._acquire(count)
        try:
            yield
        finally:
            self._release(count)

    async def _acquire(self, count: int) -> None:
        if not self._waiting and self.free >= count:
            self.free -= count
            return
        if len(self._waiting) >= self._queue_length:
            raise Overloaded
        turn = asyncio.get_running_loop().create_future()
        entry = (count, turn)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(self._queue_seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # the turn came in the same moment
                self._release(count)
            elif entry in self._waiting:
                self._waiting.remove(entry)
                self._admit_waiting()
            if isinstance(error, TimeoutError):
                raise Overloaded from error
            raise

    def _release(self, count: int) -> None:
        self.free += count
        self._admit_waiting()

    def _admit_waiting(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.free:
            count, turn = self._waiting.popleft()
            if not turn.done():
                self.free -= count
                turn.set_result(None)

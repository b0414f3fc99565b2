"""A few places that many want at once: whoever holds least is next, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from qwenport.core.errors import Overloaded


class FairSlots:
    """Places for work of several owners; one who asks for much waits behind himself, and not before the others."""

    def __init__(self, size: int, *, wait_s: float) -> None:
        """Let `size` work at a time, and wait `wait_s` for a place."""
        self._free = size
        self._wait_s = wait_s
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def hold(self, owner: str) -> AsyncGenerator[None, None]:
        """Wait for a place, and have it until the block ends.

        Raises:
            Overloaded: there was none in time.
        """
        await self._take(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    async def _take(self, owner: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            self._held[owner] += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # It came in the same moment.
                self._give_back(owner)
            else:
                self._forget(owner, turn)
            if isinstance(error, TimeoutError):
                raise Overloaded from error
            raise

    def _give_back(self, owner: str) -> None:
        self._free += 1
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        while self._free and self._waiting:
            # Of those who hold as much, the one who was served longest ago stands first.
            following = min(self._waiting, key=lambda each: self._held[each])
            turns = self._waiting.pop(following)
            turn = turns.popleft()
            if turns:
                self._waiting[following] = turns
            if turn.done():  # Who waited was broken off and has not come back to say so.
                continue
            turn.set_result(None)
            self._free -= 1
            self._held[following] += 1

    def _forget(self, owner: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(owner)
        if turns is None or turn not in turns:
            return  # A place that became free has passed it over already.
        turns.remove(turn)
        if not turns:
            del self._waiting[owner]

"""The memory that the pictures of all calls of a gateway process have together."""

from __future__ import annotations

import asyncio
import math
from collections import Counter

from qwenport.core.errors import Overloaded
from qwenport.core.ids import AccountId, RequestId

_SHARE = 0.75
"""Of the room that one account may fill."""


class _Held:
    """What one call has of the room."""

    __slots__ = ("account_id", "expected", "loaded")

    def __init__(self, account_id: AccountId, expected: int) -> None:
        self.account_id = account_id
        self.expected = expected
        self.loaded = 0

    @property
    def size_bytes(self) -> int:
        """How much is counted: what it loaded, but while it loads no less than what was expected."""
        return max(self.expected, self.loaded)


class PictureRoom:
    """Calls wait for room for what they are expected to load; what is more is refused when there is none for it.

    A call that has begun never waits: what it has loaded would be held up meanwhile, and so would those who wait for
    that. Its pictures count until it leaves.
    """

    def __init__(self, most_bytes: int, *, most_of_call: int, wait_s: float) -> None:
        """Have room for so many bytes, or for what one call may have where that is more."""
        self.most_bytes = max(most_bytes, math.ceil(most_of_call / _SHARE))
        """How many that is."""
        self._wait_s = wait_s
        self._calls: dict[RequestId, _Held] = {}
        self._held: Counter[AccountId] = Counter()
        self._waiting: dict[RequestId, tuple[_Held, asyncio.Future[None]]] = {}

    @property
    def held_bytes(self) -> int:
        """How much is held now."""
        return self._held.total()

    async def enter(self, call_id: RequestId, account_id: AccountId, expected_bytes: int) -> None:
        """Wait for room.

        Raises:
            Overloaded: there was none in time.
        """
        held = _Held(account_id, min(expected_bytes, int(self.most_bytes * _SHARE)))
        if not self._waiting and self._has_room(account_id, held.expected):
            self._admit(call_id, held)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = held, turn
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except TimeoutError as error:
            raise Overloaded from error
        finally:
            if self._waiting.pop(call_id, None):
                self._let_in()

    def take(self, call_id: RequestId, size_bytes: int) -> None:
        """Count what a call is about to load; raises `Overloaded` where there is no room for it now."""
        held = self._calls[call_id]
        more = max(held.loaded + size_bytes - held.size_bytes, 0)
        if more and not self._has_room(held.account_id, more):
            raise Overloaded
        held.loaded += size_bytes
        self._held[held.account_id] += more

    def complete(self, call_id: RequestId) -> None:
        """Count no more of a call than it has loaded."""
        held = self._calls[call_id]
        self._held[held.account_id] -= held.size_bytes - held.loaded
        held.expected = 0
        self._let_in()

    def leave(self, call_id: RequestId) -> None:
        """Count nothing more of a call; harmless for one that never entered."""
        held = self._calls.pop(call_id, None)
        if held is None:
            return
        self._held[held.account_id] -= held.size_bytes
        if self._held[held.account_id] <= 0:
            del self._held[held.account_id]
        self._let_in()

    def _has_room(self, account_id: AccountId, size_bytes: int) -> bool:
        of_account = self._held[account_id] + size_bytes
        return self.held_bytes + size_bytes <= self.most_bytes and of_account <= self.most_bytes * _SHARE

    def _admit(self, call_id: RequestId, held: _Held) -> None:
        self._calls[call_id] = held
        self._held[held.account_id] += held.size_bytes

    def _let_in(self) -> None:
        """Let in who waits, calls of the account with least in the room first; nobody overtakes one that is larger."""
        while self._waiting:
            call_id = min(self._waiting, key=lambda each: self._held[self._waiting[each][0].account_id])
            held, turn = self._waiting[call_id]
            if not turn.done():
                if not self._has_room(held.account_id, held.expected):
                    return
                self._admit(call_id, held)
                turn.set_result(None)
            del self._waiting[call_id]

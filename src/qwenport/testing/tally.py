"""Counters that only count: what is held now, and how every call was settled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from qwenport.core.errors import Refused
from qwenport.core.ids import AccountId, GrantId, RequestId
from qwenport.gate.charges import Ask, Consumed, Taken
from qwenport.storage.records import Balance
from qwenport.testing.scripted_engine import Wait


class Tally:
    """Takes everything; `taking` and `settling` hold up what has their name, `refusal` refuses."""

    def __init__(
        self, *, taking: Wait | None = None, settling: Wait | None = None, refusal: Refused | None = None
    ) -> None:
        self.held: dict[RequestId, Ask] = {}
        """What was taken and not settled."""
        self.settled: list[Consumed | None] = []
        """What replaced the holds, in order; None for calls that were not admitted after all."""
        self.taken = asyncio.Event()
        """Set once something was taken."""
        self.balances: list[Balance] = []
        """What was followed."""
        self._taking = taking
        self._settling = settling
        self._refusal = refusal
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, ask: Ask) -> Taken:
        """Take what is asked, after a wait where there is one; raises the refusal, where there is one."""
        if self._taking is not None:
            await self._taking.pause()
        if self._refusal is not None:
            raise self._refusal
        self.held[ask.hold.id] = ask
        self.taken.set()
        return Taken(is_covered=False)

    def settle(self, request_id: RequestId, consumed: Consumed | None) -> None:
        """Note the settlement, after a wait where there is one."""
        if self._settling is None:
            self._note(request_id, consumed)
            return
        task = asyncio.get_running_loop().create_task(self._settle_later(self._settling, request_id, consumed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def follow(self, balances: Iterable[Balance]) -> None:
        """Note the balances."""
        self.balances.extend(balances)

    def is_spent(self, account_id: AccountId, currency: str, grant: tuple[GrantId, str, int] | None) -> bool:  # noqa: ARG002
        """Everybody has enough."""
        return False

    async def drain(self) -> None:
        """Wait until every settlement is noted."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _settle_later(self, wait: Wait, request_id: RequestId, consumed: Consumed | None) -> None:
        await wait.pause()
        self._note(request_id, consumed)

    def _note(self, request_id: RequestId, consumed: Consumed | None) -> None:
        del self.held[request_id]
        self.settled.append(consumed)

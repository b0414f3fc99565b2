"""A limit that only counts: what is held now, and how every call was settled."""

from __future__ import annotations

import asyncio

from qwenport.core.errors import Throttled
from qwenport.core.ids import RequestId
from qwenport.metering.records import Hold, Settlement
from qwenport.testing.scripted_engine import Wait


class Tally:
    """Takes everything; `taking` and `settling` hold up what has their name, `refusal` refuses."""

    def __init__(
        self, *, taking: Wait | None = None, settling: Wait | None = None, refusal: Throttled | None = None
    ) -> None:
        self.held: dict[RequestId, Hold] = {}
        """What was taken and not settled."""
        self.settled: list[Settlement | None] = []
        """What replaced the holds, in order; None for calls that were not admitted after all."""
        self.taken = asyncio.Event()
        """Set once something was taken."""
        self._taking = taking
        self._settling = settling
        self._refusal = refusal

    async def take(self, hold: Hold) -> None:
        """Take the hold, after a wait where there is one.

        Raises:
            Throttled: the refusal, where there is one.
        """
        if self._taking is not None:
            await self._taking.pause()
        if self._refusal is not None:
            raise self._refusal
        self.held[hold.id] = hold
        self.taken.set()

    async def settle(self, hold: Hold, settlement: Settlement | None) -> None:
        """Note the settlement, after a wait where there is one."""
        if self._settling is not None:
            await self._settling.pause()
        del self.held[hold.id]
        self.settled.append(settlement)

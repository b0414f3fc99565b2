"""The seam for limits: what every admitted call must take before it runs, and gives back afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from qwenport.metering.records import Hold, Settlement

log = logging.getLogger(__name__)


class Limit(Protocol):
    """Something of which only so much may be in use or used up."""

    async def take(self, hold: Hold) -> None:
        """Take what the hold may consume at most, or nothing at all.

        Raises:
            Throttled: there is not enough left; nothing was taken.
        """
        ...

    async def settle(self, hold: Hold, settlement: Settlement | None) -> None:
        """Replace what was taken by what was consumed; None where the call was not admitted after all."""
        ...


async def settle_all(limits: Sequence[Limit], hold: Hold, settlement: Settlement | None) -> None:
    """Settle every limit, whatever happens to the others; one that fails is logged."""
    settling = (limit.settle(hold, settlement) for limit in limits)
    for ending in await asyncio.gather(*settling, return_exceptions=True):
        if ending is not None:
            log.error("a limit could not be settled for call %s", hold.id, exc_info=ending)

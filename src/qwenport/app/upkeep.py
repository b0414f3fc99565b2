"""What one worker does for the whole house: looks at the balances, and drops what is no longer kept."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from qwenport.core.clock import Clock
from qwenport.metering.quick_check import balances_add_up
from qwenport.metering.retention import retain
from qwenport.observability.metrics import Metrics
from qwenport.settings.configuration_file import BooksTable
from qwenport.storage.database import Database

log = logging.getLogger(__name__)

BALANCES_S = 300.0
"""How often the balances are looked at."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Its steps; each raises `StorageUnavailable`, and is taken again later."""

    database: Database
    run: Callable[[Callable[[], Any]], Awaitable[Any]]
    clock: Clock
    metrics: Metrics
    books: BooksTable

    async def look_at_balances(self) -> None:
        """Tell the metrics whether the balances add up."""
        balanced = await self.run(lambda: balances_add_up(self.database))
        self.metrics.note_books(balanced=balanced)
        if not balanced:
            log.critical("the books do not balance; see `qwenport ledger check`")

    async def retain(self) -> None:
        """Drop what is older than the configuration keeps, where 0 keeps all, and bodies whose time is over."""
        keep, audit = self.books.keep_months or None, self.books.keep_audit_months or None
        await self.run(lambda: retain(self.database, keep, self.clock.now(), keep_audit_months=audit))

"""What the admin API is given by the composition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from qwenport.accounts.members import MemberRing
from qwenport.catalog.catalog import Catalog
from qwenport.core.clock import Clock
from qwenport.core.ids import Ids
from qwenport.engines.engine import Engine
from qwenport.metering.price_book import PriceBook
from qwenport.storage.database import Database

Run = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs blocking work in a thread."""


class OpenBooks(Struct, frozen=True, kw_only=True):
    """What the journals hold that the books do not."""

    open_holds: int = 0
    """Calls that are running."""
    stale_holds: int = 0
    """Holds that are past their expiry."""
    unposted: int = 0
    """Settlements that are not in the books yet."""
    backlog_bytes: int = 0
    """Size of the journals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminParts:
    """What the admin API works on."""

    run: Run
    """For short work of the database: changes and look-ups."""
    read_aside: Run
    """For long reads, in a thread of their own, so that they hold up neither posting nor the following of changes."""
    post: Callable[[], Awaitable[None]]
    """Brings the books up to the journals, so that an answer holds every call that has ended."""
    follow: Callable[[], Awaitable[None]]
    """Puts changes in force."""
    database: Database
    clock: Clock
    ids: Ids
    catalog: Catalog
    prices: PriceBook
    members: MemberRing
    open_books: Callable[[], OpenBooks]
    engines: Mapping[str, Engine]
    timezone: str
    gateway_bytes: Callable[[], int]
    running: bool = True
    """Whether calls may come in meanwhile; not where the command line works on the database itself."""

"""The operator's application on the database itself, for the command line when no server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from qwenport.accounts.accounts import Accounts
from qwenport.app.data_dir import DataDirectory
from qwenport.app.refusal import StartRefused
from qwenport.app.supervisor import load_catalog, post_left_behind
from qwenport.core.clock import SystemClock
from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import RandomIds
from qwenport.metering.flush import Books
from qwenport.observability.metrics import Metrics
from qwenport.server.admin.routes import AdminParts
from qwenport.server.asgi import ASGIApp
from qwenport.server.health import HealthParts
from qwenport.server.routes import operator_application
from qwenport.settings.settings import Settings
from qwenport.storage.database import Database

T = TypeVar("T")


async def _run(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def _nothing() -> None:
    """Do nothing: the books were brought up to date when the database was opened, and no gateway follows keys."""


@contextmanager
def offline_application(settings: Settings) -> Iterator[ASGIApp]:
    """Give the application while holding the data directory, so that no server starts meanwhile.

    Raises:
        StartRefused: there is no data directory yet, a server holds it, or the database cannot be used.
    """
    if not settings.database.exists():
        raise StartRefused(
            f"no server has run with the data directory {settings.data_dir} yet: "
            "start `qwenport serve` once, or set QWENPORT_DATA_DIR"
        )
    folder = DataDirectory(settings.data_dir)
    folder.lock()
    try:
        if not folder.slots_are_free():
            raise StartRefused("the server is just ending; try again in a moment")
        catalog = load_catalog(settings)
        with Database.open(settings.database) as database:
            books = Books(database, catalog.cards)
            for slot in folder.slots():
                post_left_behind(slot, books)
            admin = AdminParts(
                run=_run,
                post=_nothing,
                follow_keys=_nothing,
                database=database,
                accounts=Accounts(database, SystemClock(), RandomIds()),
                catalog=catalog,
                open_holds=lambda: 0,
                engines={},
                timezone=settings.timezone,
                gateway_bytes=lambda: 0,
            )
            health = HealthParts(engines={}, ping_storage=database.ping, is_draining=lambda: False, metrics=Metrics())
            yield operator_application(health, admin)
    except StorageUnavailable as error:
        raise StartRefused(f"the database in {settings.data_dir} cannot be used: {error}") from error
    finally:
        folder.unlock()

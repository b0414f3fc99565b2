"""The operator's application on the database itself, for the command line when no server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from qwenport.app.data_dir import DataDirectory
from qwenport.app.database_place import open_database, place_of
from qwenport.app.followed import Followed
from qwenport.app.operators_catalog import load_catalog
from qwenport.app.refusal import StartRefused
from qwenport.app.supervisor import post_left_behind
from qwenport.app.upstreams import ProbedUpstreams
from qwenport.core.clock import SystemClock
from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import RandomIds
from qwenport.gate.admission import Rules
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.metering.flush import Books
from qwenport.metering.price_book import PriceBook
from qwenport.observability.metrics import Metrics
from qwenport.server.admin.parts import AdminParts, OpenBooks
from qwenport.server.asgi import ASGIApp
from qwenport.server.health import HealthParts
from qwenport.server.routes import operator_application
from qwenport.settings.settings import Settings

T = TypeVar("T")


async def _run(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def _nothing() -> None:
    """Do nothing: the books were brought up to date when the database was opened."""


@contextmanager
def offline_application(settings: Settings) -> Iterator[ASGIApp]:
    """Give the application while holding the data directory, so that no server starts meanwhile.

    Raises:
        StartRefused: there is no data directory yet, a server holds it, or the database cannot be used.
    """
    if settings.database_url is None and not settings.database.exists():
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
        clock, prices = SystemClock(), PriceBook(catalog.cards)
        with open_database(settings) as database:
            books = Books(database, prices, timezone=settings.timezone)
            for slot in folder.slots():
                post_left_behind(slot, books)
            followed = Followed(database, clock, Rules(limits=LimitBook(), prices=prices))
            counters = LocalCounters(clock)

            async def follow() -> None:
                followed.take_in(await _run(followed.read), counters)

            followed.take_in(followed.read(), counters)
            admin = AdminParts(
                run=_run,
                read_aside=_run,
                post=_nothing,
                follow=follow,
                database=database,
                clock=clock,
                ids=RandomIds(),
                catalog=catalog,
                prices=prices,
                members=followed.members,
                open_books=OpenBooks,
                engines={},
                timezone=settings.timezone,
                gateway_bytes=lambda: 0,
                upstreams=ProbedUpstreams(settings),
                running=False,
            )
            health = HealthParts(
                engines={},
                ping_storage=database.ping,
                is_draining=lambda: False,
                metrics=Metrics(),
                maintenance=followed.maintenance,
            )
            yield operator_application(health, admin)
    except StorageUnavailable as error:
        raise StartRefused(f"the database {place_of(settings)} cannot be used: {error}") from error
    finally:
        folder.unlock()

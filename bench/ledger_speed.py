"""How many calls a second the ledger takes for good: from lines of the journal to committed books, on both databases.

Both are as durable as in service: every batch of 500 is on the disk before the next begins. The calls are those of
`bench.books_generator`, of 400 keys, so that a batch touches as many rows of usage as that of a busy gateway does.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from bench.books_generator import Caller, version_of
from bench.percentile import percentile
from bench.processes import cpu_seconds_of_tree
from qwenport.metering.entry_of_call import Booked
from qwenport.metering.flush import BATCH, Books
from qwenport.metering.journal import Journal
from qwenport.metering.ledger import check
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.replay import Poster
from qwenport.storage.database import Database
from qwenport.testing.postgres import PostgresServer, find_bin

CALLS_A_ROUND = 20_000

_BEGIN_MS = 1_794_441_600_000
"""2026-11-12, in the middle of a month, so that all calls of a run lie in it."""
_MS_A_CALL = 5


class DatabaseSpeed(Struct, frozen=True, kw_only=True):
    """What one database took; medians over the rounds, processor time in microseconds a call."""

    database: str
    """Name and version."""
    calls_a_second: float
    calls_a_second_p10: float
    """The tenth part of the rounds was slower."""
    cpu_us: float
    """Of the process that posts; SQLite works inside of it."""
    server_cpu_us: float
    """Of all processes of the database server; 0 for SQLite."""


class LedgerSpeed(Struct, frozen=True, kw_only=True):
    """The sustained speed of the ledger."""

    databases: tuple[DatabaseSpeed, ...]
    rounds: int
    calls_a_round: int
    batch: int
    """Calls in one transaction."""


def settlement_of(booked: Booked) -> Settlement:
    """Return the line of the journal that becomes these rows of the books."""
    call, at = booked.call, booked.call.at / 1000
    return Settlement(
        hold=Hold(
            id=call.request_id,
            at=at,
            expires_at=at + 600,
            key_id=call.key_id,
            account_id=call.account_id,
            workspace_id=call.workspace_id,
            currency=call.currency,
            model=call.model,
            face=call.face,
            operation=call.operation,
            streams=call.streams,
            batch=call.batch,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cost_nanos=booked.posting.hold_nanos,
            grant=call.grant_id,
        ),
        at=booked.posting.at / 1000,
        outcome=Outcome(call.outcome),
        status=call.status,
        error=call.error,
        served_by=call.served_by,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        cached_tokens=call.cached_tokens,
        reasoning_tokens=call.reasoning_tokens,
        usage_source=call.usage_source,
        priced=True,
        cost_nanos=call.cost_nanos,
        price_source=call.price_source,
        queue_ms=call.queue_ms,
        first_event_ms=call.first_event_ms,
        total_ms=call.total_ms,
    )


def measure(database: Database, folder: Path, rounds: int, server_cpu_s: Callable[[], float]) -> DatabaseSpeed:
    """Post so many rounds of calls after a first that warms up; raises `AssertionError` for books that are not right.

    The journal is written between the rounds, in `folder`.
    """
    caller, journal = Caller(random.Random(1)), Journal(folder / f"journal-{database.dialect}")
    poster = Poster(journal, Books(database, PriceBook({})).post)
    samples: list[tuple[float, float, float]] = []
    for number in range(rounds + 1):
        begin = _BEGIN_MS + number * CALLS_A_ROUND * _MS_A_CALL
        for booked in caller.calls(range(begin, begin + CALLS_A_ROUND * _MS_A_CALL, _MS_A_CALL)):
            settlement = settlement_of(booked)
            journal.hold(settlement.hold)
            journal.settle(settlement)
        journal.sync()
        sample = _post(poster, journal, server_cpu_s)
        if number:
            samples.append(sample)
    journal.close()
    found = check(database)
    if not found.balanced or found.calls != (rounds + 1) * CALLS_A_ROUND:
        raise AssertionError(f"the books hold {found.calls} calls and differ: {found.differences}")
    speeds = [CALLS_A_ROUND / wall for wall, _, _ in samples]
    return DatabaseSpeed(
        database=version_of(database),
        calls_a_second=median(speeds),
        calls_a_second_p10=percentile(speeds, 0.1),
        cpu_us=median(own for _, own, _ in samples) * 1e6 / CALLS_A_ROUND,
        server_cpu_us=median(theirs for _, _, theirs in samples) * 1e6 / CALLS_A_ROUND,
    )


def _post(poster: Poster, journal: Journal, server_cpu_s: Callable[[], float]) -> tuple[float, float, float]:
    """Return the seconds that a round took, and those of the processor, here and at the server."""
    theirs, own, began = server_cpu_s(), time.process_time(), time.perf_counter()
    posted = poster.post_written(journal.number, journal.offset)
    spent = time.perf_counter() - began, time.process_time() - own, server_cpu_s() - theirs
    if posted != CALLS_A_ROUND:
        raise AssertionError(f"{posted} calls reached the books, {CALLS_A_ROUND} were made")
    return spent


def measure_both(folder: Path, rounds: int, server_core: int) -> LedgerSpeed:
    """Measure SQLite, and PostgreSQL with its server on a core of its own."""
    with Database.open(folder / "qwenport.db") as database:
        databases = [measure(database, folder, rounds, lambda: 0.0)]
    with postgres(server_core) as server, Database.open(server.database()) as database:
        databases.append(measure(database, folder, rounds, lambda: cpu_seconds_of_tree(server.pid)))
    return LedgerSpeed(databases=tuple(databases), rounds=rounds, calls_a_round=CALLS_A_ROUND, batch=BATCH)


@contextmanager
def postgres(core: int) -> Iterator[PostgresServer]:
    """Run a durable server whose processes stay on one core."""
    own = os.sched_getaffinity(0)
    # What is started inherits it.
    os.sched_setaffinity(0, {core})
    try:
        server = PostgresServer(durable=True)
        server.start()
    finally:
        os.sched_setaffinity(0, own)
    try:
        yield server
    finally:
        server.close()


def reason_to_skip() -> str:
    """Return why this cannot be measured here, empty where it can."""
    try:
        find_bin()
    except RuntimeError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="qwenport-bench-") as place:
        print(msgspec.json.encode(measure_both(Path(place), int(sys.argv[1]), int(sys.argv[2]))).decode())

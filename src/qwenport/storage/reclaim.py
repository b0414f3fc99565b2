"""Giving back to the disk what dropped months and expired bodies have left free in the file of SQLite."""

from __future__ import annotations

from dataclasses import dataclass

from qwenport.storage.database import Database
from qwenport.storage.status import number, size_bytes
from qwenport.storage.transaction import Transaction

_STEP_PAGES = 2_000
"""8 MB: others wait for one step at most, which takes some milliseconds."""

_INCREMENTAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaimed:
    """How large the database was, and is."""

    before_bytes: int
    after_bytes: int


def reclaim(database: Database) -> Reclaimed:
    """Shrink the file while others go on using it; raises `StorageUnavailable`, and what was done till then stays.

    A file that an early version made is written anew once, for which others wait and the disk needs its size twice.
    PostgreSQL gives back the space of dropped months by itself.
    """
    with database.one_by_one() as connection:
        before = size_bytes(connection)
        if database.dialect == "sqlite":
            _shrink(connection)
        return Reclaimed(before_bytes=before, after_bytes=size_bytes(connection))


def _shrink(connection: Transaction) -> None:
    if number(connection, "PRAGMA auto_vacuum") != _INCREMENTAL:
        _run(connection, "PRAGMA auto_vacuum = INCREMENTAL")
        _run(connection, "VACUUM")
    while number(connection, "PRAGMA freelist_count"):
        _run(connection, f"PRAGMA incremental_vacuum({_STEP_PAGES})")
    # The file itself becomes shorter when the log is worked into it.
    _run(connection, "PRAGMA wal_checkpoint(TRUNCATE)")


def _run(connection: Transaction, statement: str) -> None:
    result = connection.connection.exec_driver_sql(statement)
    if result.returns_rows:
        # A pragma works while its rows are read.
        result.all()

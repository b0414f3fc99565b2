"""One database: opened, brought up to date, and given out a transaction at a time.

Synchronous on purpose: the server calls it from one thread of its own, and nothing of it is on the path of a call.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from qwenport.core.errors import StorageUnavailable
from qwenport.storage.failures import translated
from qwenport.storage.schema import bring_up_to_date
from qwenport.storage.transaction import Transaction

BUSY_TIMEOUT_MS = 5_000

_BEGIN = "qwenport_begin"
_LOCKED = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_BUSY_SNAPSHOT}
)


class Database:
    """A handle on one SQLite file; several handles, also of several processes, may share the file."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._identity = _identity(path)

    @classmethod
    def open(cls, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
        """Open the file, making it (mode 0600) or migrating it where needed.

        Raises `StorageUnavailable` where that is impossible or a newer version made the file.
        """
        _create(path)
        database = cls(_engine(path, busy_timeout_ms), path)
        try:
            bring_up_to_date(database.read, database.write)
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Give a transaction that sees one state of the database throughout; raises `StorageUnavailable`."""
        with self._transaction("BEGIN") as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Give a transaction that holds the write lock; commits at the end, rolls back on any exception.

        Raises `StorageUnavailable`; nothing of the transaction is kept then.
        """
        with self._transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction

    def ping(self) -> None:
        """Raise `StorageUnavailable` unless the database answers."""
        with self.read() as transaction:
            transaction.connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        with translated():
            self._refuse_if_replaced()
            with self._engine.connect() as plain:
                connection = plain.execution_options(**{_BEGIN: begin})
                with connection.begin():
                    yield Transaction(connection)

    def _refuse_if_replaced(self) -> None:
        # An open connection goes on writing into a file that was deleted or moved away, and all of it would be lost.
        if _identity(self._path) != self._identity:
            self._engine.dispose()
            raise StorageUnavailable("the database file was removed or replaced; restart to open the new one")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another of the same name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _create(path: Path) -> None:
    """Make the file where it is missing; SQLite gives its -wal and -shm files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageUnavailable(f"the database file cannot be opened: {error.strerror}") from error


def _engine(path: Path, busy_timeout_ms: int) -> Engine:
    # mode=rw: a connection that is opened later must not make a new, empty file.
    location = f"file:{quote(str(path.absolute()))}"
    url = URL.create("sqlite", database=location, query={"mode": "rw", "uri": "true"})
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver would otherwise open transactions by its own rules, and deferred ones at that.
        connection.isolation_level = None
        _switch_to_wal(connection, busy_timeout_ms)
        for pragma in _pragmas(busy_timeout_ms):
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options: Any = connection.get_execution_options()
        connection.exec_driver_sql(options.get(_BEGIN, "BEGIN"))

    return engine


def _switch_to_wal(connection: sqlite3.Connection, busy_timeout_ms: int) -> None:
    """Turn the write-ahead log on; of several that open a new file at once, most meet a lock that does not wait."""
    deadline = time.monotonic() + busy_timeout_ms / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _LOCKED or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _pragmas(busy_timeout_ms: int) -> tuple[str, ...]:
    return (
        f"PRAGMA busy_timeout = {int(busy_timeout_ms)}",
        # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits in a power cut. A key that was deleted would
        # come back to life, and calls whose journal lines were dropped after posting would be gone. It costs one
        # fsync a batch, none a call.
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        # 16 MB of log before it is worked into the file: request ids are random, so every batch touches pages all over
        # the indexes, and one that is touched often is then written back once (a fifth less CPU at 300,000 calls).
        "PRAGMA wal_autocheckpoint = 4000",
    )

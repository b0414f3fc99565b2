"""How a database file of SQLite is opened, and how its transactions begin."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from qwenport.core.errors import StorageUnavailable

_LOCKED = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_BUSY_SNAPSHOT}
)
_PAUSE_MS = 10


class SqliteServer:
    """One file; it is made (mode 0600) where it is missing. Statements have no time limit on SQLite."""

    dialect: Final = "sqlite"

    def __init__(self, path: Path, *, lock_wait_ms: int) -> None:
        """Raise `StorageUnavailable` where the file cannot be opened."""
        _create(path)
        self._path = path
        self._identity = _identity(path)
        self.engine = _engine(path, lock_wait_ms)

    def begin_read(self, _timeout_s: float) -> str:
        """Return the statement that begins a transaction that only reads."""
        return "BEGIN"

    def begin_write(self, _timeout_s: float, *, alone: bool) -> str:  # noqa: ARG002 - a file has one writer anyhow
        """Return the statement that begins a transaction that holds the write lock."""
        return "BEGIN IMMEDIATE"

    def check(self, connection: Connection) -> None:
        """Do nothing: the library is part of the program."""

    def refuse_if_replaced(self) -> None:
        """Raise `StorageUnavailable` where the file is no longer the one that was opened."""
        # An open connection goes on writing into a file that was deleted or moved away, and all of it would be lost.
        if _identity(self._path) != self._identity:
            self.engine.dispose()
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


def _engine(path: Path, lock_wait_ms: int) -> Engine:
    # mode=rw: a connection that is opened later must not make a new, empty file.
    location = f"file:{quote(str(path.absolute()))}"
    url = URL.create("sqlite", database=location, query={"mode": "rw", "uri": "true"})
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver would otherwise open transactions by its own rules, and deferred ones at that.
        connection.isolation_level = None
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            # Only a file without pages takes it: those that dropped months leave can then be given back piece by
            # piece (`storage.reclaim`).
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL").close()
        _switch_to_wal(connection, lock_wait_ms)
        for pragma in _pragmas(lock_wait_ms):
            connection.execute(pragma).close()

    return engine


def _switch_to_wal(connection: sqlite3.Connection, lock_wait_ms: int) -> None:
    """Turn the write-ahead log on; of several that open a new file at once, most meet a lock that does not wait."""
    for _ in range(lock_wait_ms // _PAUSE_MS):
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _LOCKED:
                raise
            time.sleep(_PAUSE_MS / 1000)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL").close()


def _pragmas(lock_wait_ms: int) -> tuple[str, ...]:
    return (
        f"PRAGMA busy_timeout = {int(lock_wait_ms)}",
        # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits in a power cut. A key that was deleted would
        # come back to life, and calls whose journal lines were dropped after posting would be gone. It costs one
        # fsync a batch, none a call.
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        # 16 MB of log before it is worked into the file: every batch touches pages of several indexes, and one that
        # is touched often is then written back once.
        "PRAGMA wal_autocheckpoint = 4000",
    )

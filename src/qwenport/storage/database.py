"""One database: opened, brought up to date, and given out a transaction at a time.

Synchronous on purpose: the server calls it from threads of its own, and nothing of it is on the path of a call.

What `write` and `append` promise, on both databases and between all processes: a `write` runs alone, so that what it
looks at stays as it is until it commits, and what it numbers becomes visible in the order of the numbers. An `append`
on SQLite is a `write`; on PostgreSQL appends run beside one another, and only unique keys decide between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from sqlalchemy import Connection, Engine, QueuePool, event

from qwenport.core.secret import Secret
from qwenport.storage.failures import translated
from qwenport.storage.schema import is_up_to_date, migrate
from qwenport.storage.sqlite_server import SqliteServer
from qwenport.storage.transaction import Transaction

BUSY_TIMEOUT_MS = 5_000
"""How long a lock that another process holds is waited for, and a free connection of the pool."""

POOL_SIZE = 5
"""Connections to a PostgreSQL server at most, of each handle."""

READ_TIMEOUT_S = 30.0
WRITE_TIMEOUT_S = 60.0
NO_TIMEOUT = 0.0
"""For statements that go through everything: a check of the books, an export, a backup."""

_BEGIN = "qwenport_begin"

_MIGRATION_WAIT_MS = 3_600_000
"""How long a start waits while another one moves the books of years into new tables."""


class Server(Protocol):
    """What differs between the two databases."""

    engine: Engine

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgresql`."""
        ...

    def begin_read(self, timeout_s: float, /) -> str:
        """Return what begins a transaction that reads."""
        ...

    def begin_write(self, timeout_s: float, /, *, alone: bool) -> str:
        """Return what begins a transaction that writes."""
        ...

    def check(self, connection: Connection, /) -> None:
        """Raise `StorageUnavailable` for a server that cannot be used."""
        ...

    def refuse_if_replaced(self) -> None:
        """Raise `StorageUnavailable` for a database that is not the one that was opened."""
        ...


class Database:
    """A handle on one database; several handles, also of several processes, may share it."""

    def __init__(self, server: Server) -> None:
        self._server = server

        @event.listens_for(server.engine, "begin")
        def begin(connection: Connection) -> None:
            options: Any = connection.get_execution_options()
            connection.exec_driver_sql(options[_BEGIN])

    @classmethod
    def open(
        cls, place: Path | Secret, *, pool_size: int = POOL_SIZE, busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> Database:
        """Open a file of SQLite, or the URL of a database on PostgreSQL; make or migrate the tables where needed.

        Raises `StorageUnavailable` where that is impossible or a newer version made the tables.
        """
        database = cls(_server(place, pool_size, busy_timeout_ms))
        try:
            with database.read() as transaction:
                database._server.check(transaction.connection)
                present = is_up_to_date(transaction)
            if not present:
                _migrate(place)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgresql`."""
        return self._server.dialect

    @property
    def connections_in_use(self) -> int:
        """Return how many connections are given out now."""
        pool = self._server.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @contextmanager
    def read(self, *, timeout_s: float = READ_TIMEOUT_S) -> Iterator[Transaction]:
        """Give a transaction that sees one state of the database throughout; raises `StorageUnavailable`.

        The timeout holds for each statement, on PostgreSQL.
        """
        with self._transaction(self._server.begin_read(timeout_s)) as transaction:
            yield transaction

    @contextmanager
    def write(self, *, timeout_s: float = WRITE_TIMEOUT_S) -> Iterator[Transaction]:
        """Give a transaction beside which nobody else writes; commits at the end, rolls back on any exception.

        Raises `StorageUnavailable`; nothing of the transaction is kept then.
        """
        with self._transaction(self._server.begin_write(timeout_s, alone=True)) as transaction:
            yield transaction

    @contextmanager
    def append(self, *, timeout_s: float = WRITE_TIMEOUT_S) -> Iterator[Transaction]:
        """Give a transaction for rows that unique keys keep apart; others of its kind may run beside it.

        Raises `StorageUnavailable`; nothing of the transaction is kept then.
        """
        with self._transaction(self._server.begin_write(timeout_s, alone=False)) as transaction:
            yield transaction

    @contextmanager
    def one_by_one(self) -> Iterator[Transaction]:
        """Give a connection on which each statement stands for itself, for those that no transaction may hold."""
        with self._transaction("SELECT 1") as transaction:
            yield transaction

    def ping(self) -> None:
        """Raise `StorageUnavailable` unless the database answers."""
        with self.read() as transaction:
            transaction.connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        """Close every connection."""
        self._server.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        with translated():
            self._server.refuse_if_replaced()
            with self._server.engine.connect() as plain:
                connection = plain.execution_options(**{_BEGIN: begin})
                with connection.begin():
                    yield Transaction(connection)


def _server(place: Path | Secret, pool_size: int, lock_wait_ms: int) -> Server:
    if isinstance(place, Path):
        return SqliteServer(place, lock_wait_ms=lock_wait_ms)
    # Its driver takes 8 MB, which a process with SQLite does not need.
    from qwenport.storage.postgres_server import PostgresServer  # noqa: PLC0415

    return PostgresServer(place, pool_size=pool_size, lock_wait_ms=lock_wait_ms)


def _migrate(place: Path | Secret) -> None:
    """Bring the tables up to date over a connection of its own, which waits for whoever else is at it."""
    with Database(_server(place, 1, _MIGRATION_WAIT_MS)) as migrating, migrating.write(timeout_s=NO_TIMEOUT) as writing:
        migrate(writing)

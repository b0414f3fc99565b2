"""How a database on a PostgreSQL server is reached, and how its transactions begin."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import QueuePool

from qwenport.core.errors import StorageUnavailable
from qwenport.core.secret import Secret

OLDEST_SERVER = 13
"""The oldest major version that the server may have."""

_WRITERS = 0x71776E70
"""Key of the advisory lock that writers take in this database; any number that nobody else uses."""

_DEFAULTS: Final = {
    "application_name": "qwenport",
    "client_encoding": "UTF8",
    "connect_timeout": "5",
    # A server that vanished without a word is noticed within about a minute.
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""Connection parameters that the URL may override, https://www.postgresql.org/docs/current/libpq-connect.html."""


class PostgresServer:
    """One database on a server, with a bounded pool of connections."""

    dialect: Final = "postgresql"

    def __init__(self, url: Secret, *, pool_size: int, lock_wait_ms: int) -> None:
        """Connect to nothing yet; raise `StorageUnavailable` for a URL that cannot be read."""
        self.engine = _engine(_parameters(url), pool_size, lock_wait_ms / 1000)
        self._lock_wait_ms = lock_wait_ms

    def begin_read(self, timeout_s: float) -> str:
        """Return the statements that begin a transaction that only reads, and one state throughout."""
        return f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {self._limits(timeout_s)}"

    def begin_write(self, timeout_s: float, *, alone: bool) -> str:
        """Return the statements that begin a transaction that writes: alone, or beside others that are not alone.

        One message to the server: the lock is taken before the first statement sees anything, and as each statement
        of this isolation level sees what was committed before it, the transaction sees all that earlier holders wrote.
        """
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        return (
            f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {self._limits(timeout_s)}; "
            # A process that hangs or was cut off must not keep all others from writing.
            "SET LOCAL idle_in_transaction_session_timeout = 60000; "
            # The journal lets go of what the database says it has; a server set to answer before that is overruled.
            f"SET LOCAL synchronous_commit = on; SELECT {lock}({_WRITERS})"
        )

    def check(self, connection: Connection) -> None:
        """Raise `StorageUnavailable` where the server or the database cannot hold the tables."""
        version, encoding = connection.exec_driver_sql(
            "SELECT current_setting('server_version_num'), current_setting('server_encoding')"
        ).one()
        refuse_unfit(int(version) // 10_000, str(encoding))

    def refuse_if_replaced(self) -> None:
        """Do nothing: a connection to a database that was removed fails by itself."""

    def _limits(self, timeout_s: float) -> str:
        return (
            f"SET LOCAL statement_timeout = {round(timeout_s * 1000)}; SET LOCAL lock_timeout = {self._lock_wait_ms:d}"
        )


def refuse_unfit(major: int, encoding: str) -> None:
    """Raise `StorageUnavailable` for a server that is too old or a database that cannot hold every text."""
    if major < OLDEST_SERVER:
        raise StorageUnavailable(
            f"the database server is PostgreSQL {major}; qwenport needs {OLDEST_SERVER} or a newer one"
        )
    if encoding != "UTF8":
        raise StorageUnavailable(
            f"the database has the encoding `{encoding}`; "
            "make another with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )


def _parameters(url: Secret) -> dict[str, Any]:
    try:
        named = conninfo_to_dict(url.reveal())
    except psycopg.Error:
        # Not even as the cause: the driver's words repeat parts of the URL, which has a password.
        raise StorageUnavailable(
            "the database URL cannot be read; it is written postgresql://user:password@host:port/database, "
            "with special characters of the password as %40 and the like"
        ) from None
    return {**_DEFAULTS, **named}


def _engine(parameters: dict[str, Any], pool_size: int, pool_timeout_s: float) -> Engine:
    def connect() -> psycopg.Connection[Any]:
        # Autocommit: transactions begin with our own statements instead of the driver's.
        return psycopg.connect(autocommit=True, **parameters)

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,
    )

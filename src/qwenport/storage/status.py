"""What an operator asks of a database: which kind, which revision, how large, which months."""

from __future__ import annotations

from dataclasses import dataclass

from qwenport.storage import months
from qwenport.storage.database import Database
from qwenport.storage.schema import revision_of
from qwenport.storage.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatus:
    """The database as it is now."""

    dialect: str
    version: str
    """Of the server, or of the library of SQLite."""
    revision: str
    size_bytes: int
    free_bytes: int
    """How much of the size is free for new rows and can be given back to the disk; 0 on PostgreSQL."""
    months: tuple[str, ...]
    """Months with calls, oldest first, as `202601`."""


def read_status(database: Database) -> DatabaseStatus:
    """Look at the database; raises `StorageUnavailable`."""
    is_sqlite = database.dialect == "sqlite"
    with database.read() as transaction:
        version = "SELECT sqlite_version()" if is_sqlite else "SELECT current_setting('server_version')"
        free_pages = number(transaction, "PRAGMA freelist_count") if is_sqlite else 0
        return DatabaseStatus(
            dialect=database.dialect,
            version=str(transaction.connection.exec_driver_sql(version).scalar_one()),
            revision=revision_of(transaction) or "",
            size_bytes=size_bytes(transaction),
            free_bytes=free_pages * number(transaction, "PRAGMA page_size") if is_sqlite else 0,
            months=months.months(transaction),
        )


def size_bytes(transaction: Transaction) -> int:
    """Return how much of the disk the database takes, without its log."""
    if transaction.connection.dialect.name == "postgresql":
        return number(transaction, "SELECT pg_database_size(current_database())")
    return number(transaction, "PRAGMA page_count") * number(transaction, "PRAGMA page_size")


def number(transaction: Transaction, statement: str) -> int:
    """Return the one number that a statement gives."""
    return int(transaction.connection.exec_driver_sql(statement).scalar_one())

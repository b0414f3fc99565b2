"""The tables of calls and postings, one of each for every month in UTC, so that a month is dropped whole.

On PostgreSQL they are partitions of `calls` and `postings`, for whoever looks at all of them; statements of ours name
the month's own table on both databases. A call is unique in its month: its id and its moment never change.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection, Index, MetaData, PrimaryKeyConstraint, Table, text

from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.month_tables import calls_table, postings_table
from qwenport.storage.tables import METADATA
from qwenport.storage.transaction import Transaction

_MONTH = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])")
_CALLS = "calls_"
_POSTINGS = "postings_"

_CREATION = 0x71776E71
"""Key of the advisory lock under which a month is made on PostgreSQL, where two may need it at once."""

# Newest first with any filter on key, account, model and status. The model stands behind the moment: whether a key or
# an account has called it is then seen in the index, without a look at the calls, and posting writes no further
# indexes, each of which costs it a page for every key. Calls that failed are few, and it costs next to nothing to keep
# them by themselves. Calls of one millisecond are few too, so that no index needs the id to order them.
_NEWEST = (("at",), ("key_id", "at", "model"), ("account_id", "at", "model"), ("model", "at"))
_NEWEST_FAILED = (
    ("status", "at"),
    ("key_id", "status", "at"),
    ("account_id", "status", "at"),
    ("model", "status", "at"),
)

# Of a call its moment, of a posting that of its call.
_PARTITIONED_BY = {_CALLS: "at", _POSTINGS: "call_at"}

# Made once: a statement that is made anew leaves a circle for garbage collection, and each batch of calls looks twice.
# Not `to_regclass`: it remembers that a name was missing, and an advisory lock does not make it forget.
_LOOK = {
    "sqlite": text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name"),
    "postgresql": text(
        "SELECT 1 FROM pg_class WHERE relname = :name AND relnamespace = current_schema()::regnamespace"
    ),
}


def month_of(at_ms: int) -> str:
    """Return the month in UTC of a moment in milliseconds since 1970, as `202601`."""
    return moment(at_ms).strftime("%Y%m").zfill(6)


def month_bounds(month: str) -> tuple[int, int]:
    """Return the first millisecond of a month and that of the next."""
    year, number = int(_checked(month)[:4]), int(month[4:])
    following = (year, number + 1) if number < 12 else (year + 1, 1)
    return milliseconds(datetime(year, number, 1, tzinfo=UTC)), milliseconds(datetime(*following, 1, tzinfo=UTC))


@cache
def calls_of(month: str) -> Table:
    """Return the table of a month's calls."""
    table = calls_table(_CALLS + _checked(month), _metadata())
    table.append_constraint(PrimaryKeyConstraint("request_id"))
    for names in _NEWEST:
        Index(None, *(table.c[name] for name in names))
    failed = table.c.status != 200
    for names in _NEWEST_FAILED:
        Index(None, *(table.c[name] for name in names), sqlite_where=failed, postgresql_where=failed)
    return table


@cache
def postings_of(month: str) -> Table:
    """Return the table of a month's postings."""
    table = postings_table(_POSTINGS + _checked(month), _metadata())
    table.append_constraint(PrimaryKeyConstraint("request_id"))
    return table


def months(transaction: Transaction) -> tuple[str, ...]:
    """Return the months that have tables, oldest first."""
    catalog = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    }
    connection = transaction.connection
    names = connection.execute(text(catalog[connection.dialect.name])).scalars()
    found = (name.removeprefix(_CALLS) for name in names if name.startswith(_CALLS))
    return tuple(sorted(month for month in found if _MONTH.fullmatch(month)))


def ensure(transaction: Transaction, month: str) -> None:
    """Make the tables of a month where they are missing; otherwise this is one look at the catalog.

    In a transaction that writes, before anything else is written in it: on PostgreSQL one waits for another that
    makes a month at the same time.
    """
    connection = transaction.connection
    if _exists(connection, month):
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATION})")
        if _exists(connection, month):
            return
    for table in (calls_of(month), postings_of(month)):
        _create(connection, table, month)


def exists(transaction: Transaction, month: str) -> bool:
    """Tell whether a month has its tables."""
    return _exists(transaction.connection, month)


def drop(transaction: Transaction, month: str) -> None:
    """Remove the calls and postings of a month, in a transaction that writes alone; one without tables is passed."""
    for table in (calls_of(month), postings_of(month)):
        table.drop(transaction.connection, checkfirst=True)


def _checked(month: str) -> str:
    if _MONTH.fullmatch(month) is None:
        raise ValueError(f"`{month}` is no month; months are written as `202601`")
    return month


def _metadata() -> MetaData:
    # Each table has a collection of its own: those of months are no part of the tables that always exist.
    return MetaData(naming_convention=METADATA.naming_convention)


def _exists(connection: Connection, month: str) -> bool:
    look = _LOOK[connection.dialect.name]
    return connection.execute(look, {"name": _CALLS + _checked(month)}).scalar() is not None


def _create(connection: Connection, table: Table, month: str) -> None:
    if connection.dialect.name == "sqlite":
        table.create(connection)
        return
    parent = _CALLS if table.name.startswith(_CALLS) else _POSTINGS
    name = parent.rstrip("_")
    first, after = month_bounds(month)
    # Made like the parent and then attached: that locks the parent less than a table that is born a partition does,
    # and whoever reads all months meanwhile goes on reading.
    connection.exec_driver_sql(f"CREATE TABLE {table.name} (LIKE {name})")
    connection.exec_driver_sql(
        f"ALTER TABLE {table.name} ADD CONSTRAINT {table.primary_key.name!s} PRIMARY KEY (request_id)"
    )
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        index.create(connection)
    connection.exec_driver_sql(
        f"ALTER TABLE {name} ATTACH PARTITION {table.name} FOR VALUES FROM ({first}) TO ({after})"
    )

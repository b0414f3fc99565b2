"""Many rows at once, past SQLAlchemy's handling of each value: the books write some ten values for every call.

A row is a struct whose fields are columns of the table. SQLite takes the values one row after the other, which costs
nothing there; PostgreSQL takes all rows as one JSON text, so that a batch is one statement and one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Table

from qwenport.storage.transaction import Transaction


def append(transaction: Transaction, table: Table, rows: Sequence[Struct]) -> None:
    """Write rows that are not there yet."""
    if rows:
        _write(transaction, table, rows, "")


def write_new(transaction: Transaction, table: Table, rows: Sequence[Struct], key: str) -> set[str]:
    """Write those rows whose value of the unique column `key` is not there yet, and return these values.

    Of two transactions that write the same row at once, exactly one is told that it did.
    """
    if not rows:
        return set()
    connection = transaction.connection
    if _is_postgresql(transaction):
        statement = f"{_insert(table.name, type(rows[0]), postgresql=True)} ON CONFLICT DO NOTHING RETURNING {key}"
        return set(connection.exec_driver_sql(statement, (_json(rows),)).scalars())
    # SQLite has one writer at a time, so nothing can come between the look and the writing. The keys are one JSON text,
    # because a statement with a place for each would be another one for every number of them, and all would be kept.
    keys = tuple(getattr(row, key) for row in rows)
    query = f"SELECT {key} FROM {table.name} WHERE {key} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our names
    known = set(connection.exec_driver_sql(query, (msgspec.json.encode(keys).decode(),)).scalars())
    new = [row for row, value in zip(rows, keys, strict=True) if value not in known] if known else rows
    append(transaction, table, new)
    return set(keys) - known


def add_up(transaction: Transaction, table: Table, rows: Sequence[Struct], sums: tuple[str, ...]) -> None:
    """Add the columns `sums` to rows of the same primary key, and write the rows that are not there yet.

    The rows differ in their keys. They are written in the order of these, so that of two transactions that write the
    same rows one waits and none is broken off.
    """
    if rows:
        keys = tuple(column.name for column in table.primary_key)
        added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in sums)
        ordered = sorted(rows, key=lambda row: tuple(getattr(row, name) for name in keys))
        _write(transaction, table, ordered, f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}")


def _write(transaction: Transaction, table: Table, rows: Sequence[Struct], conflict: str) -> None:
    kind = type(rows[0])
    if _is_postgresql(transaction):
        statement = _insert(table.name, kind, postgresql=True) + conflict
        transaction.connection.exec_driver_sql(statement, (_json(rows),))
    else:
        statement = _insert(table.name, kind, postgresql=False) + conflict
        transaction.connection.exec_driver_sql(statement, [structs.astuple(row) for row in rows])


@lru_cache(maxsize=256)
def _insert(table: str, kind: type[Struct], *, postgresql: bool) -> str:
    names = [f'"{name}"' for name in kind.__struct_fields__]
    into = f"INSERT INTO {table} ({', '.join(names)})"
    if postgresql:
        return f"{into} SELECT {', '.join(names)} FROM json_populate_recordset(NULL::{table}, %s::json)"  # noqa: S608
    return f"{into} VALUES ({', '.join('?' * len(names))})"


def _json(rows: Sequence[Struct]) -> str:
    return msgspec.json.encode(rows).decode()


def _is_postgresql(transaction: Transaction) -> bool:
    return transaction.connection.dialect.name == "postgresql"

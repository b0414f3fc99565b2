"""Statements on the table of levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select

from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.records import LevelRecord
from qwenport.storage.tables import LEVELS
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, level: LevelRecord) -> None:
    """Write a new level; its name must not be taken."""
    row = {"name": level.name, "description": level.description, "created_at": milliseconds(level.created_at)}
    transaction.connection.execute(insert(LEVELS), row)


def find(transaction: Transaction, name: str) -> LevelRecord | None:
    """Return the level with this name."""
    row = transaction.connection.execute(select(LEVELS).where(LEVELS.c.name == name)).one_or_none()
    return None if row is None else _record(row)


def every(transaction: Transaction) -> Sequence[LevelRecord]:
    """Return all levels by name."""
    return [_record(row) for row in transaction.connection.execute(select(LEVELS).order_by(LEVELS.c.name))]


def remove(transaction: Transaction, name: str) -> None:
    """Delete a level."""
    transaction.connection.execute(delete(LEVELS).where(LEVELS.c.name == name))


def _record(row: Row[Any]) -> LevelRecord:
    return LevelRecord(name=row.name, description=row.description, created_at=moment(row.created_at))

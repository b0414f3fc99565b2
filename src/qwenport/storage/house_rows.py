"""Statements on what holds for the whole house: named values, each a JSON text."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from qwenport.storage.tables import HOUSE_STATE
from qwenport.storage.transaction import Transaction


def find(transaction: Transaction, name: str) -> str | None:
    """Return the JSON of a value."""
    query = select(HOUSE_STATE.c.value).where(HOUSE_STATE.c.name == name)
    value = transaction.connection.execute(query).scalar_one_or_none()
    return None if value is None else str(value)


def put(transaction: Transaction, name: str, value: str) -> None:
    """Write the JSON of a value, in the place of the one before."""
    transaction.connection.execute(delete(HOUSE_STATE).where(HOUSE_STATE.c.name == name))
    transaction.connection.execute(insert(HOUSE_STATE), {"name": name, "value": value})

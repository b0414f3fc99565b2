"""Counters of changes: whoever keeps a copy of something asks them what is newer."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import bindparam, insert, select, update

from qwenport.storage.tables import REVISIONS
from qwenport.storage.transaction import Transaction


class Counter(StrEnum):
    """What has a counter of its changes."""

    API_KEYS = "api_keys"
    ACCOUNTS = "accounts"
    MEMBERS = "members"
    LIMITS = "limits"
    RATES = "rates"
    BALANCES = "balances"
    HOUSE_STATE = "house_state"


def next_revision(transaction: Transaction, counter: Counter) -> int:
    """Take the next number of a counter.

    A row, not a sequence: its lock is held until commit. So numbers become visible in their order, and a reader that
    asks for what came after N misses nothing.
    """
    row = transaction.connection.execute(_NEXT, {"counter": counter.value}).scalar_one_or_none()
    if row is not None:
        return int(row)
    transaction.connection.execute(insert(REVISIONS), {"name": counter.value, "value": 1})
    return 1


def current(transaction: Transaction) -> dict[str, int]:
    """Return every counter's number."""
    return {name: value for name, value in transaction.connection.execute(_ALL)}  # noqa: C416 - rows are no pairs


_ALL = select(REVISIONS.c.name, REVISIONS.c.value)
_NEXT = (
    update(REVISIONS)
    .where(REVISIONS.c.name == bindparam("counter"))
    .values(value=REVISIONS.c.value + 1)
    .returning(REVISIONS.c.value)
)

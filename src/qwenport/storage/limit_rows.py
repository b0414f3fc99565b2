"""Statements on the table of limits.

Rows are returned as stored, because a newer version may have written kinds of limits that this one does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, and_, delete, insert, or_, select, update

from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId
from qwenport.core.limits import Limit
from qwenport.storage.moments import milliseconds
from qwenport.storage.records import LimitRecord
from qwenport.storage.tables import LIMITS
from qwenport.storage.transaction import Transaction


class LimitFilter(Struct, frozen=True, kw_only=True):
    """Which limits to list, oldest first; what is None does not restrict, values are compared whole."""

    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    key_id: KeyId | None = None
    level: str | None = None
    model: str | None = None
    unit: str | None = None
    after: LimitId | None = None
    """The last limit of the page before."""
    limit: int | None = None


class LimitRow(Struct, frozen=True, kw_only=True):
    """A limit as it is stored."""

    id: LimitId
    name: str
    unit: str
    window: str
    cap: int
    currency: str
    burst_ms: int | None
    mode: str
    level: str
    account_id: AccountId | None
    workspace_id: WorkspaceId | None
    key_id: KeyId | None
    model: str
    per: tuple[str, ...]
    version: int
    created_at: int
    """In milliseconds since 1970 in UTC."""


def add(transaction: Transaction, record: LimitRecord) -> None:
    """Write a new limit."""
    row = {"id": record.limit.id, "created_at": milliseconds(record.created_at), **_values(record.limit)}
    transaction.connection.execute(insert(LIMITS), row)


def write(transaction: Transaction, limit: Limit) -> None:
    """Write a limit that exists anew."""
    transaction.connection.execute(update(LIMITS).where(LIMITS.c.id == limit.id).values(**_values(limit)))


def remove(transaction: Transaction, limit_id: LimitId) -> None:
    """Delete a limit."""
    transaction.connection.execute(delete(LIMITS).where(LIMITS.c.id == limit_id))


def find(transaction: Transaction, limit_id: LimitId) -> LimitRow | None:
    """Return the limit with this id."""
    row = transaction.connection.execute(select(LIMITS).where(LIMITS.c.id == limit_id)).one_or_none()
    return None if row is None else _row(row)


def matching(transaction: Transaction, wanted: LimitFilter) -> Sequence[LimitRow]:
    """Return the limits that a filter lets through, oldest first; none after one that does not exist."""
    columns = LIMITS.c
    query = select(LIMITS).order_by(columns.created_at, columns.id).limit(wanted.limit)
    for column, value in (
        (columns.account_id, wanted.account_id),
        (columns.workspace_id, wanted.workspace_id),
        (columns.key_id, wanted.key_id),
        (columns.level, wanted.level),
        (columns.model, wanted.model),
        (columns.unit, wanted.unit),
    ):
        if value is not None:
            query = query.where(column == str(value))
    if wanted.after is not None:
        last = select(columns.created_at).where(columns.id == wanted.after).scalar_subquery()
        query = query.where(or_(columns.created_at > last, and_(columns.created_at == last, columns.id > wanted.after)))
    return [_row(row) for row in transaction.connection.execute(query)]


def _values(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "unit": limit.unit.value,
        "window": limit.window.value,
        "cap": limit.cap,
        "currency": limit.currency,
        "burst_ms": limit.burst_ms,
        "mode": limit.mode.value,
        "level": limit.level,
        "account_id": limit.account_id,
        "workspace_id": limit.workspace_id,
        "key_id": limit.key_id,
        "model": limit.model,
        "per": [dimension.value for dimension in limit.per],
        "version": limit.version,
    }


def _row(row: Row[Any]) -> LimitRow:
    named = row._mapping  # noqa: SLF001 - the documented name, https://docs.sqlalchemy.org/en/20/core/connections.html
    return LimitRow(**{**{name: named[name] for name in LimitRow.__struct_fields__}, "per": tuple(named["per"])})

"""Statements on the call history."""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq, ge, lt
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, insert, select, tuple_

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.storage.records import CallRecord
from qwenport.storage.tables import CALLS
from qwenport.storage.transaction import Transaction

_FIELDS = CallRecord.__struct_fields__


class CallFilter(Struct, frozen=True, kw_only=True):
    """Which calls to return; None does not restrict. Values are compared whole and never as patterns."""

    key_id: KeyId | None = None
    account_id: AccountId | None = None
    model: str | None = None
    status: int | None = None
    since: int | None = None
    """First millisecond that belongs."""
    until: int | None = None
    """First millisecond that does not belong any more."""
    before: tuple[int, RequestId] | None = None
    """Time and id of a call; only calls that come after it in the newest-first order are returned."""


def known(transaction: Transaction, request_ids: Sequence[RequestId]) -> set[RequestId]:
    """Return which of these calls are in the history already."""
    query = select(CALLS.c.request_id).where(CALLS.c.request_id.in_(request_ids))
    return set(transaction.connection.execute(query).scalars())


def add(transaction: Transaction, calls: Sequence[CallRecord]) -> None:
    """Write calls that are not in the history yet."""
    if calls:
        transaction.connection.execute(insert(CALLS), [msgspec.structs.asdict(call) for call in calls])


def newest(transaction: Transaction, wanted: CallFilter, limit: int) -> Sequence[CallRecord]:
    """Return at most `limit` calls, newest first."""
    query = select(CALLS).where(*_conditions(wanted)).order_by(CALLS.c.at.desc(), CALLS.c.request_id.desc())
    return [_record(row) for row in transaction.connection.execute(query.limit(limit))]


def find(transaction: Transaction, request_id: RequestId) -> CallRecord | None:
    """Return one call."""
    row = transaction.connection.execute(select(CALLS).where(CALLS.c.request_id == request_id)).one_or_none()
    return None if row is None else _record(row)


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    columns = CALLS.c
    bounds = (
        (columns.key_id, eq, wanted.key_id),
        (columns.account_id, eq, wanted.account_id),
        (columns.model, eq, wanted.model),
        (columns.status, eq, wanted.status),
        (columns.at, ge, wanted.since),
        (columns.at, lt, wanted.until),
    )
    conditions = [compare(column, value) for column, compare, value in bounds if value is not None]
    if wanted.before is not None:
        conditions.append(tuple_(columns.at, columns.request_id) < wanted.before)
    return conditions


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(**{name: getattr(row, name) for name in _FIELDS})

"""Statements on the call history, which lies in one table a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import eq, ge, lt
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, Table, func, literal_column, select, tuple_

from qwenport.core.ids import AccountId, KeyId, RequestId, WorkspaceId, moment_ms_of
from qwenport.storage import steering
from qwenport.storage.bulk import write_new
from qwenport.storage.months import calls_of, month_bounds, month_of, months
from qwenport.storage.records import CallRecord
from qwenport.storage.tables import API_KEYS
from qwenport.storage.transaction import Transaction

_FIELDS = CallRecord.__struct_fields__
_OK = 200
_INDEXED = ("key_id", "account_id", "model", "status")
_DAY_MS = 86_400_000
LAST_MOMENT_MS = 253_370_764_799_999
"""The end of the year 9998: that of the month after it is the last that calendars know."""


class CallFilter(Struct, frozen=True, kw_only=True):
    """Which calls to return; None does not restrict. Values are compared whole and never as patterns."""

    key_id: KeyId | None = None
    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    model: str | None = None
    status: int | None = None
    outcome: str | None = None
    face: str | None = None
    served_by: str | None = None
    upstream: str | None = None
    """First part of `served_by`, up to its first slash."""
    least_cost_nanos: int | None = None
    since: int | None = None
    """First millisecond that belongs."""
    until: int | None = None
    """First millisecond that does not belong any more."""
    before: tuple[int, RequestId] | None = None
    """Time and id of a call; only calls that come after it in the newest-first order are returned."""


def add_new(transaction: Transaction, month: str, calls: Sequence[CallRecord]) -> set[str]:
    """Write the calls of one month that are not in the history yet, and return their ids."""
    return write_new(transaction, calls_of(month), calls, "request_id")


def newest(transaction: Transaction, wanted: CallFilter, limit: int) -> Sequence[CallRecord]:
    """Return at most `limit` calls, newest first."""
    found: list[CallRecord] = []
    if _is_key_of_others(transaction, wanted):
        return found
    for month in _months_of(transaction, wanted):
        query = _search(calls_of(month), transaction.connection.dialect.name, wanted)
        found += [_record(row) for row in transaction.connection.execute(query.limit(limit - len(found)))]
        if len(found) >= limit:
            break
    return found


def find(transaction: Transaction, request_id: RequestId) -> CallRecord | None:
    """Return one call: looked for where its id says that it was made, and then everywhere."""
    for month in _likely_first(months(transaction), moment_ms_of(request_id)):
        calls = calls_of(month)
        row = transaction.connection.execute(select(calls).where(calls.c.request_id == request_id)).one_or_none()
        if row is not None:
            return _record(row)
    return None


def _likely_first(kept: Sequence[str], made_at: int) -> Iterator[str]:
    # Made and admitted are two moments, and two machines' clocks: the id may name the month beside.
    moments = (made_at, made_at + _DAY_MS, made_at - _DAY_MS)
    likely = dict.fromkeys(month_of(min(max(each, 0), LAST_MOMENT_MS)) for each in moments)
    yield from (month for month in likely if month in kept)
    yield from (month for month in reversed(kept) if month not in likely)


def _months_of(transaction: Transaction, wanted: CallFilter) -> Iterator[str]:
    """Yield the months that may hold such calls, newest first."""
    first = wanted.since or 0
    bounds = [each for each in (wanted.until, wanted.before[0] + 1 if wanted.before else None) if each is not None]
    end = min(bounds, default=None)
    for month in reversed(months(transaction)):
        begin, next_begin = month_bounds(month)
        if next_begin > first and (end is None or begin < end):
            yield month


def _is_key_of_others(transaction: Transaction, wanted: CallFilter) -> bool:
    """Tell whether the key belongs to another account or workspace, for ever: all its calls would be read in vain."""
    if wanted.key_id is None or (wanted.account_id is None and wanted.workspace_id is None):
        return False
    columns = API_KEYS.c
    query = select(columns.account_id, columns.workspace_id).where(columns.id == wanted.key_id)
    owners = transaction.connection.execute(query).one_or_none()
    asked = (wanted.account_id, wanted.workspace_id)
    return owners is not None and any(
        one is not None and one != owner for one, owner in zip(asked, owners, strict=True)
    )


def _search(calls: Table, dialect: str, wanted: CallFilter) -> Select[Any]:
    given = {name: value for name in _INDEXED if (value := getattr(wanted, name)) is not None}
    failed = wanted.status is not None and wanted.status != _OK
    leads = steering.leading(given, failed=failed)
    conditions = [
        *steering.equalities(calls, dialect, given, leads),
        *_further_conditions(calls, wanted),
    ]
    if failed:
        # Said once more, in the words of the indexes of calls that did not succeed.
        conditions.append(calls.c.status != literal_column(str(_OK)))
    return select(calls).where(*conditions).order_by(*steering.newest_first(calls, dialect, leads))


def _further_conditions(calls: Table, wanted: CallFilter) -> list[ColumnElement[bool]]:
    columns = calls.c
    bounds = (
        (columns.workspace_id, eq, wanted.workspace_id),
        (columns.outcome, eq, wanted.outcome),
        (columns.face, eq, wanted.face),
        (columns.served_by, eq, wanted.served_by),
        (columns.cost_nanos, ge, wanted.least_cost_nanos),
        (columns.at, ge, wanted.since),
        (columns.at, lt, wanted.until),
    )
    conditions = [compare(column, value) for column, compare, value in bounds if value is not None]
    if wanted.upstream is not None:
        conditions.append(func.substr(columns.served_by, 1, len(wanted.upstream) + 1) == f"{wanted.upstream}/")
    if wanted.before is not None:
        conditions.append(tuple_(columns.at, columns.request_id) < wanted.before)
    return conditions


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(**dict(zip(_FIELDS, row, strict=True)))

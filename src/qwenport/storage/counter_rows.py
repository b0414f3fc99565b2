"""What the books say of the time that counters look back on: balances, free quotas, this month, the last hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, func, select

from qwenport.core.ids import AccountId, KeyId, RequestId, WorkspaceId
from qwenport.storage import balance_rows, free_usage_rows, months
from qwenport.storage.moments import HOUR_MS
from qwenport.storage.records import Balance, FreeTokens
from qwenport.storage.tables import ACCOUNTS, API_KEYS, USAGE_DAYS
from qwenport.storage.transaction import Transaction

GRAIN_MS = 1000
"""Calls of the last hour of one key to one model are added up by this much time."""

_IDS_AT_ONCE = 500


class CountedCalls(Struct, frozen=True, kw_only=True, gc=False):
    """What calls of one key to one model have used at one time, or on one day."""

    at_ms: int = 0
    """The latest of their moments; 0 for a day."""
    day: str = ""
    """In the server's time zone, as `2026-01-31`; empty for a moment."""
    key_id: KeyId
    account_id: AccountId
    workspace_id: WorkspaceId
    level: str
    """Of the account, now."""
    currency: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    images: int
    pages: int
    cost_nanos: int


class CounterFacts(Struct, frozen=True, kw_only=True):
    """One state of the books."""

    at_ms: int
    balances: tuple[Balance, ...]
    free: tuple[FreeTokens, ...]
    days: tuple[CountedCalls, ...]
    """Of this month."""
    last_hour: tuple[CountedCalls, ...]
    """In the order of time."""
    levels: Mapping[str, str]
    """Of every account."""
    posted: frozenset[RequestId] = frozenset()
    """Those of the calls that were asked about which are in the books."""


class BookedCall(Struct, frozen=True, kw_only=True, gc=False):
    """What one call has consumed, as the books have it."""

    input_tokens: int
    output_tokens: int
    images: int
    pages: int
    cost_nanos: int


def read_counter_facts(
    transaction: Transaction, *, at_ms: int, zone: tzinfo, open_holds: Sequence[RequestId] = ()
) -> CounterFacts:
    """Return what counters begin with; `open_holds` are calls of which it must be known whether they are in here."""
    levels = _levels(transaction)
    month = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date().replace(day=1)
    return CounterFacts(
        at_ms=at_ms,
        balances=tuple(balance_rows.every(transaction)),
        free=tuple(free_usage_rows.every(transaction)),
        days=tuple(_days(transaction, month.isoformat(), levels)),
        last_hour=tuple(sorted(_last_hour(transaction, at_ms, levels), key=lambda row: row.at_ms)),
        levels=levels,
        posted=frozenset(consumed_by(transaction, open_holds)),
    )


def consumed_by(transaction: Transaction, ids: Sequence[RequestId]) -> dict[RequestId, BookedCall]:
    """Return what those of the calls that are in the books have consumed."""
    found: dict[RequestId, BookedCall] = {}
    for month in months.months(transaction) if ids else ():
        calls = months.calls_of(month).c
        query = select(
            calls.request_id, calls.input_tokens, calls.output_tokens, calls.images, calls.pages, calls.cost_nanos
        )
        for some in _parts(ids):
            for row in transaction.connection.execute(query.where(calls.request_id.in_(some))):
                found[RequestId(row.request_id)] = BookedCall(
                    input_tokens=row.input_tokens,
                    output_tokens=row.output_tokens,
                    images=row.images,
                    pages=row.pages,
                    cost_nanos=row.cost_nanos or 0,
                )
    return found


def _parts(ids: Sequence[RequestId]) -> Iterator[Sequence[RequestId]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]


def _levels(transaction: Transaction) -> dict[str, str]:
    return {row.id: row.level for row in transaction.connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.level))}


def _days(transaction: Transaction, first: str, levels: dict[str, str]) -> Iterator[CountedCalls]:
    keys = transaction.connection.execute(select(API_KEYS.c.id, API_KEYS.c.workspace_id))
    workspaces = {row.id: row.workspace_id for row in keys}
    usage = USAGE_DAYS.c
    columns = (usage.day, usage.account_id, usage.key_id, usage.model, usage.currency)
    counts = ("requests", "input_tokens", "output_tokens", "images", "pages", "cost_nanos")
    query = (
        select(*columns, *(func.sum(usage[name]).label(name) for name in counts))
        .where(usage.day >= first)
        .group_by(*columns)
    )
    for row in transaction.connection.execute(query):
        yield _counted(row, levels, day=row.day, workspace_id=workspaces.get(row.key_id, ""))


def _last_hour(transaction: Transaction, at_ms: int, levels: dict[str, str]) -> Iterator[CountedCalls]:
    since = at_ms - HOUR_MS
    known = set(months.months(transaction))
    for month in sorted({months.month_of(since), months.month_of(at_ms)} & known):
        calls = months.calls_of(month).c
        columns = (calls.key_id, calls.account_id, calls.workspace_id, calls.model, calls.currency)
        query = (
            select(
                *columns,
                func.max(calls.at).label("at_ms"),
                func.count().label("requests"),
                *(
                    func.coalesce(func.sum(calls[name]), 0).label(name)
                    for name in ("input_tokens", "output_tokens", "images", "pages", "cost_nanos")
                ),
            )
            .where(calls.at > since)
            .group_by(*columns, calls.at - calls.at % GRAIN_MS)
        )
        for row in transaction.connection.execute(query):
            yield _counted(row, levels, at_ms=row.at_ms, workspace_id=row.workspace_id)


def _counted(
    row: Row[Any], levels: dict[str, str], *, workspace_id: str, at_ms: int = 0, day: str = ""
) -> CountedCalls:
    return CountedCalls(
        at_ms=at_ms,
        day=day,
        key_id=KeyId(row.key_id),
        account_id=AccountId(row.account_id),
        workspace_id=WorkspaceId(workspace_id),
        level=levels.get(row.account_id, ""),
        currency=row.currency,
        model=row.model,
        requests=int(row.requests),
        input_tokens=int(row.input_tokens),
        output_tokens=int(row.output_tokens),
        images=int(row.images),
        pages=int(row.pages),
        cost_nanos=int(row.cost_nanos),
    )

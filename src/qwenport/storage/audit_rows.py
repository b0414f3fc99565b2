"""Sums and contradictions over calls, ledger and hourly usage, for the check of the books. They read whole tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, Select, case, func, or_, select

from qwenport.core.ids import AccountId, RequestId
from qwenport.storage.tables import CALLS, LEDGER_ENTRIES, USAGE_HOURS
from qwenport.storage.transaction import Transaction

_SETTLING = LEDGER_ENTRIES.c.kind.in_(("post", "void"))


class BookSum(Struct, frozen=True, kw_only=True, gc=False):
    """What one of the books says of one account in one currency."""

    requests: int = 0
    unpriced_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_nanos: int = 0


class Contradiction(Struct, frozen=True, kw_only=True, gc=False):
    """A call whose ledger entries are not one entry of its cost."""

    request_id: RequestId
    entries: int
    cost_nanos: int
    posted_nanos: int


Sums = dict[tuple[AccountId, str], BookSum]
"""Sums by account and currency."""


def call_sums(transaction: Transaction) -> Sums:
    """Return the sums over the call history."""
    return _sums(transaction, _call_sums())


def consumed_sums(transaction: Transaction) -> Sums:
    """Return the sums over the calls that consumed something, which are those that usage counts."""
    return _sums(transaction, _call_sums().where(CALLS.c.input_tokens + CALLS.c.output_tokens > 0))


def _call_sums() -> Select[Any]:
    columns = CALLS.c
    counts = (
        func.count().label("requests"),
        func.sum(case((columns.cost_nanos.is_(None), 1), else_=0)).label("unpriced_requests"),
        *(func.sum(columns[name]).label(name) for name in ("input_tokens", "output_tokens", "cached_tokens")),
        func.sum(func.coalesce(columns.cost_nanos, 0)).label("cost_nanos"),
    )
    dimensions = (columns.account_id, columns.currency)
    return select(*dimensions, *counts).group_by(*dimensions)


def hour_sums(transaction: Transaction) -> Sums:
    """Return the sums over the hourly usage."""
    columns = USAGE_HOURS.c
    counts = (func.sum(columns[name]).label(name) for name in BookSum.__struct_fields__)
    dimensions = (columns.account_id, columns.currency)
    return _sums(transaction, select(*dimensions, *counts).group_by(*dimensions))


def ledger_sums(transaction: Transaction) -> Sums:
    """Return requests and amounts over the ledger; it knows of nothing else."""
    columns = LEDGER_ENTRIES.c
    counts = (func.count().label("requests"), func.sum(columns.amount_nanos).label("cost_nanos"))
    dimensions = (columns.account_id, columns.currency)
    return _sums(transaction, select(*dimensions, *counts).where(_SETTLING).group_by(*dimensions))


def contradicted_calls(transaction: Transaction, limit: int) -> Sequence[Contradiction]:
    """Return calls, at most `limit`, that do not have exactly one ledger entry, of exactly their cost."""
    entries = _entries_by_request()
    cost = func.coalesce(CALLS.c.cost_nanos, 0)
    count = func.coalesce(entries.c.entries, 0)
    posted = func.coalesce(entries.c.posted, 0)
    query = (
        select(CALLS.c.request_id, count.label("entries"), cost.label("cost"), posted.label("posted"))
        .outerjoin(entries, entries.c.request_id == CALLS.c.request_id)
        .where(or_(count != 1, posted != cost))
        .order_by(CALLS.c.request_id)
        .limit(limit)
    )
    return [_contradiction(row) for row in transaction.connection.execute(query)]


def entries_without_call(transaction: Transaction, limit: int) -> Sequence[RequestId]:
    """Return request ids, at most `limit`, that the ledger knows and the call history does not."""
    query = (
        select(LEDGER_ENTRIES.c.request_id)
        .distinct()
        .outerjoin(CALLS, CALLS.c.request_id == LEDGER_ENTRIES.c.request_id)
        .where(_SETTLING, CALLS.c.request_id.is_(None))
        .order_by(LEDGER_ENTRIES.c.request_id)
        .limit(limit)
    )
    return list(transaction.connection.execute(query).scalars())


def _entries_by_request() -> Any:
    columns = LEDGER_ENTRIES.c
    query = select(columns.request_id, func.count().label("entries"), func.sum(columns.amount_nanos).label("posted"))
    return query.where(_SETTLING).group_by(columns.request_id).subquery()


def _sums(transaction: Transaction, query: Select[Any]) -> Sums:
    return {(row.account_id, row.currency): _book_sum(row) for row in transaction.connection.execute(query)}


def _book_sum(row: Row[Any]) -> BookSum:
    # PostgreSQL sums integers of 64 bits as a decimal.
    named = row._mapping  # noqa: SLF001 - the documented name, https://docs.sqlalchemy.org/en/20/core/connections.html
    return BookSum(**{name: int(named[name]) for name in BookSum.__struct_fields__ if name in named})


def _contradiction(row: Row[Any, Any, Any, Any]) -> Contradiction:
    return Contradiction(
        request_id=row.request_id, entries=row.entries, cost_nanos=row.cost, posted_nanos=int(row.posted)
    )

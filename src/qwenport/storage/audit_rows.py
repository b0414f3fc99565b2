"""Sums and contradictions over the books, for the check of them. They read whole tables, one month at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import ColumnElement, Row, Select, Table, and_, case, func, literal, not_, or_, select

from qwenport.core.ids import AccountId, GrantId, RequestId
from qwenport.storage.entry_rows import CARRIED
from qwenport.storage.months import calls_of, postings_of
from qwenport.storage.records import UsageCounts
from qwenport.storage.tables import LEDGER_ENTRIES, USAGE_DAYS, USAGE_HOURS
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import CARRIED_HOUR, consumed

_COUNTS = UsageCounts.__struct_fields__


class BookSum(UsageCounts, frozen=True, kw_only=True, gc=False):
    """What one of the books says of one account in one currency."""

    calls: int = 0
    """With those that consumed nothing; only the call history knows of them."""
    requests: int = 0
    unpriced_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    image_tokens: int = 0
    images: int = 0
    pages: int = 0
    cost_nanos: int = 0


class MonthFacts(Struct, frozen=True, kw_only=True, gc=False):
    """What is counted of one month."""

    calls: int
    postings: int
    agreeing: int
    """Calls whose posting is of exactly their account, currency, time, kind and cost."""
    first: int | None
    """Times of the first and the last call; None for an empty month."""
    last: int | None


class Contradiction(Struct, frozen=True, kw_only=True, gc=False):
    """A call whose posting is missing or not that of the call."""

    request_id: RequestId
    cost_nanos: int
    posted_nanos: int | None
    """None without a posting."""
    kind: str


Sums = dict[tuple[AccountId, str], BookSum]
"""Sums by account and currency."""

Flows = dict[tuple[str, str, str], int]
"""Nano-units by the ledger account that is debited, the one that is credited, and the currency."""


def call_sums(transaction: Transaction, month: str) -> Sums:
    """Return the sums over a month's calls."""
    columns = calls_of(month).c
    counts = (
        func.count().label("calls"),
        func.sum(case((consumed(columns), 1), else_=0)).label("requests"),
        func.sum(case((columns.cost_nanos.is_(None), 1), else_=0)).label("unpriced_requests"),
        *(func.sum(columns[name]).label(name) for name in _COUNTS[2:-1]),
        func.sum(func.coalesce(columns.cost_nanos, 0)).label("cost_nanos"),
    )
    dimensions = (columns.account_id, columns.currency)
    return _sums(transaction, select(*dimensions, *counts).group_by(*dimensions))


def hour_sums(transaction: Transaction, since: int | None, until: int | None) -> Sums:
    """Return the sums over the usage of a range of hours, of all of them without bounds."""
    query = _usage_sums(USAGE_HOURS)
    if since is not None:
        query = query.where(USAGE_HOURS.c.hour >= since)
    if until is not None:
        query = query.where(USAGE_HOURS.c.hour < until)
    return _sums(transaction, query)


def day_sums(transaction: Transaction) -> Sums:
    """Return the sums over the usage of all days."""
    return _sums(transaction, _usage_sums(USAGE_DAYS))


def hours_between(transaction: Transaction, since: int, until: int) -> int:
    """Return how many rows of usage lie in a range of hours in which no calls are kept."""
    column = USAGE_HOURS.c.hour
    query = select(func.count()).where(column > CARRIED_HOUR, column >= since, column < until)
    return int(transaction.connection.execute(query).scalar_one())


def free_sums(transaction: Transaction, month: str) -> dict[tuple[AccountId, GrantId, str], int]:
    """Return the tokens that each grant covered in a month, by account, grant and model."""
    columns = calls_of(month).c
    dimensions = (columns.account_id, columns.grant_id, columns.model)
    query = (
        select(*dimensions, func.sum(columns.input_tokens + columns.output_tokens))
        .where(columns.grant_id != "", consumed(columns))
        .group_by(*dimensions)
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in transaction.connection.execute(query)}


def carried_free_sums(transaction: Transaction) -> dict[tuple[AccountId, GrantId, str], int]:
    """Return the same of all months that were dropped."""
    columns = USAGE_HOURS.c
    dimensions = (columns.account_id, columns.key_id, columns.model)
    query = (
        select(*dimensions, func.sum(columns.input_tokens + columns.output_tokens))
        .where(columns.hour == CARRIED_HOUR, columns.key_id != "")
        .group_by(*dimensions)
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in transaction.connection.execute(query)}


def posting_flows(transaction: Transaction, month: str) -> Flows:
    """Return what a month's postings moved."""
    columns = postings_of(month).c
    return _flows(transaction, columns, None)


def entry_flows(transaction: Transaction, *, carried: bool) -> Flows:
    """Return what entries moved: those that carry dropped months on, or all the others."""
    columns = LEDGER_ENTRIES.c
    return _flows(transaction, columns, columns.kind == CARRIED if carried else columns.kind != CARRIED)


def month_facts(transaction: Transaction, month: str) -> MonthFacts:
    """Return what is counted of a month."""
    calls, postings = calls_of(month), postings_of(month)
    first, last, count = transaction.connection.execute(
        select(func.min(calls.c.at), func.max(calls.c.at), func.count())
    ).one()
    posted = transaction.connection.execute(select(func.count()).select_from(postings)).scalar_one()
    agreeing = (
        select(func.count())
        .select_from(calls.join(postings, postings.c.request_id == calls.c.request_id))
        .where(_agrees(calls, postings))
    )
    return MonthFacts(
        calls=count,
        postings=posted,
        agreeing=transaction.connection.execute(agreeing).scalar_one(),
        first=first,
        last=last,
    )


def contradicted_calls(transaction: Transaction, month: str, limit: int) -> Sequence[Contradiction]:
    """Return calls, at most `limit`, whose posting is missing or not theirs."""
    calls, postings = calls_of(month), postings_of(month)
    cost = func.coalesce(calls.c.cost_nanos, 0)
    query = (
        select(calls.c.request_id, cost, postings.c.amount_nanos, func.coalesce(postings.c.kind, ""))
        .select_from(calls.outerjoin(postings, postings.c.request_id == calls.c.request_id))
        .where(or_(postings.c.request_id.is_(None), not_(_agrees(calls, postings))))
        .order_by(calls.c.request_id)
        .limit(limit)
    )
    return [
        Contradiction(request_id=row[0], cost_nanos=row[1], posted_nanos=row[2], kind=row[3])
        for row in transaction.connection.execute(query)
    ]


def postings_without_call(transaction: Transaction, month: str, limit: int) -> Sequence[RequestId]:
    """Return request ids, at most `limit`, that a month's postings know and its calls do not."""
    calls, postings = calls_of(month), postings_of(month)
    query = (
        select(postings.c.request_id)
        .select_from(postings.outerjoin(calls, calls.c.request_id == postings.c.request_id))
        .where(calls.c.request_id.is_(None))
        .order_by(postings.c.request_id)
        .limit(limit)
    )
    return list(transaction.connection.execute(query).scalars())


def _agrees(calls: Table, postings: Table) -> ColumnElement[bool]:
    return and_(
        postings.c.amount_nanos == func.coalesce(calls.c.cost_nanos, 0),
        postings.c.kind == case((consumed(calls.c), "post"), else_="void"),
        postings.c.account_id == calls.c.account_id,
        postings.c.currency == calls.c.currency,
        postings.c.call_at == calls.c.at,
        postings.c.debit == literal("customer:") + calls.c.account_id,
    )


def _usage_sums(table: Table) -> Select[Any]:
    columns = table.c
    dimensions = (columns.account_id, columns.currency)
    counts = (func.sum(columns[name]).label(name) for name in _COUNTS)
    return select(*dimensions, *counts).group_by(*dimensions)


def _sums(transaction: Transaction, query: Select[Any]) -> Sums:
    return {(row.account_id, row.currency): _book_sum(row) for row in transaction.connection.execute(query)}


def _book_sum(row: Row[Any]) -> BookSum:
    # PostgreSQL sums integers of 64 bits as a decimal.
    named = row._mapping  # noqa: SLF001 - the documented name, https://docs.sqlalchemy.org/en/20/core/connections.html
    return BookSum(**{name: int(named[name]) for name in BookSum.__struct_fields__ if name in named})


def plus(one: BookSum, other: BookSum) -> BookSum:
    """Return two sums together."""
    return BookSum(**{name: count + getattr(other, name) for name, count in structs.asdict(one).items()})


def _flows(transaction: Transaction, columns: Any, condition: ColumnElement[bool] | None) -> Flows:
    dimensions = (columns.debit, columns.credit, columns.currency)
    query = select(*dimensions, func.sum(columns.amount_nanos)).group_by(*dimensions)
    if condition is not None:
        query = query.where(condition)
    return {(row[0], row[1], row[2]): int(row[3]) for row in transaction.connection.execute(query)}

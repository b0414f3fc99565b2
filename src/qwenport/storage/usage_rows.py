"""Statements on the hourly usage."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from operator import eq, ge, lt
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.dialects import postgresql, sqlite

from qwenport.core.ids import AccountId, KeyId
from qwenport.storage.records import UsageHour
from qwenport.storage.tables import USAGE_HOURS
from qwenport.storage.transaction import Transaction

_DIMENSIONS = tuple(column.name for column in USAGE_HOURS.primary_key)
COUNTS = tuple(column.name for column in USAGE_HOURS.columns if column.name not in _DIMENSIONS)
"""Names of what is summed."""


class Dimension(StrEnum):
    """What usage is grouped by, besides the currency."""

    HOUR = "hour"
    MODEL = "model"
    KEY = "key_id"


class UsageFilter(Struct, frozen=True, kw_only=True):
    """Which usage to sum; None does not restrict. Values are compared whole and never as patterns."""

    account_id: AccountId | None = None
    key_id: KeyId | None = None
    model: str | None = None
    since: int | None = None
    """Hours that begin at this millisecond or later."""
    until: int | None = None
    """Hours that begin before this millisecond."""


class UsageSum(Struct, frozen=True, kw_only=True, gc=False):
    """The sums of one group in one currency."""

    group: str | int
    """The hour's beginning in milliseconds, the model or the key."""
    currency: str
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_nanos: int


def add(transaction: Transaction, hours: Sequence[UsageHour]) -> None:
    """Add to what the same hours and dimensions hold already."""
    if not hours:
        return
    connection = transaction.connection
    # The two databases have the same clause under two constructors.
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(USAGE_HOURS)
    sums = {name: USAGE_HOURS.c[name] + statement.excluded[name] for name in COUNTS}
    upsert = statement.on_conflict_do_update(index_elements=list(_DIMENSIONS), set_=sums)
    connection.execute(upsert, [msgspec.structs.asdict(hour) for hour in hours])


def sums(transaction: Transaction, by: Dimension, wanted: UsageFilter) -> Sequence[UsageSum]:
    """Return the sums of each group and currency, in their order."""
    group = USAGE_HOURS.c[by]
    totals = (func.sum(USAGE_HOURS.c[name]).label(name) for name in COUNTS)
    query = (
        select(group.label("grouped"), USAGE_HOURS.c.currency, *totals)
        .where(*_conditions(wanted))
        .group_by(group, USAGE_HOURS.c.currency)
        .order_by(group, USAGE_HOURS.c.currency)
    )
    return [_sum(row) for row in transaction.connection.execute(query)]


def _conditions(wanted: UsageFilter) -> list[ColumnElement[bool]]:
    columns = USAGE_HOURS.c
    bounds = (
        (columns.account_id, eq, wanted.account_id),
        (columns.key_id, eq, wanted.key_id),
        (columns.model, eq, wanted.model),
        (columns.hour, ge, wanted.since),
        (columns.hour, lt, wanted.until),
    )
    return [compare(column, value) for column, compare, value in bounds if value is not None]


def _sum(row: Row[Any]) -> UsageSum:
    # PostgreSQL sums integers of 64 bits as a decimal.
    counts = {name: int(getattr(row, name)) for name in COUNTS}
    return UsageSum(group=row.grouped, currency=row.currency, **counts)

"""Statements on the usage by hours of UTC and by days of the server's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from operator import eq, ge, lt
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import BigInteger, ColumnElement, Table, case, cast, delete, func, literal_column, or_, select

from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.storage.bulk import add_up
from qwenport.storage.months import calls_of
from qwenport.storage.records import UsageCounts, UsageDay, UsageHour
from qwenport.storage.tables import API_KEYS, USAGE_DAYS, USAGE_HOURS
from qwenport.storage.transaction import Transaction

COUNTS = UsageCounts.__struct_fields__
"""Names of what is summed."""

CARRIED_HOUR = -1
"""No hour: it stands for all that is kept of months which were dropped."""


class Dimension(StrEnum):
    """What usage is grouped by, besides the currency."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    MODEL = "model"
    KEY = "key_id"
    ACCOUNT = "account_id"
    ROUTE = "served_by"


class UsageFilter(Struct, frozen=True, kw_only=True):
    """Which usage to sum; None does not restrict. Values are compared whole and never as patterns."""

    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    """That the keys belong to, deleted ones too."""
    key_id: KeyId | None = None
    model: str | None = None
    served_by: str | None = None
    since: int | str | None = None
    """Hours that begin at this millisecond or later; or the first day."""
    until: int | str | None = None
    """Hours that begin before this millisecond; or the first day that does not belong any more."""


class UsageSum(Struct, frozen=True, gc=False):
    """The sums of one group in one currency."""

    groups: tuple[str | int, ...]
    """The values of what was grouped by, in its order."""
    currency: str
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    image_tokens: int
    images: int
    pages: int
    cost_nanos: int

    @property
    def counts(self) -> tuple[int, ...]:
        """All that is summed, in the order of `COUNTS`."""
        return structs.astuple(self)[2:]


def add_hours(transaction: Transaction, hours: Sequence[UsageHour]) -> None:
    """Add to what the same hours and dimensions hold already."""
    add_up(transaction, USAGE_HOURS, hours, COUNTS)


def add_days(transaction: Transaction, days: Sequence[UsageDay]) -> None:
    """Add to what the same days and dimensions hold already."""
    add_up(transaction, USAGE_DAYS, days, COUNTS)


def days_of_calls(transaction: Transaction, month: str, since: int, until: int, day: str) -> Sequence[UsageDay]:
    """Return what those calls of a month consumed that were admitted in a range of milliseconds, as usage of `day`."""
    columns = calls_of(month).c
    dimensions = [columns[name] for name in ("account_id", "key_id", "model", "served_by", "currency")]
    totals = (
        func.count().label("requests"),
        func.sum(case((columns.cost_nanos.is_(None), 1), else_=0)).label("unpriced_requests"),
        *(func.sum(columns[name]).label(name) for name in COUNTS[2:-1]),
        func.sum(func.coalesce(columns.cost_nanos, 0)).label("cost_nanos"),
    )
    query = (
        select(*dimensions, *(cast(total, BigInteger).label(total.name) for total in totals))
        .where(columns.at >= since, columns.at < until, consumed(columns))
        .group_by(*dimensions)
    )
    return [UsageDay(day=day, **row._mapping) for row in transaction.connection.execute(query)]  # noqa: SLF001 - the documented name, https://docs.sqlalchemy.org/en/20/core/connections.html


def drop_empty_days(transaction: Transaction) -> None:
    """Delete the usage of days from which everything was taken away."""
    transaction.connection.execute(delete(USAGE_DAYS).where(*(USAGE_DAYS.c[name] == 0 for name in COUNTS)))


def consumed(columns: Any) -> ColumnElement[bool]:
    """Return the condition that a call of the history is usage; of `calls_of(month).c`."""
    counted: ColumnElement[int] = columns.input_tokens + columns.output_tokens + columns.images + columns.pages
    return or_(counted > 0, columns["items"] != "", func.coalesce(columns.cost_nanos, 0) > 0)


def sums_of_hours(transaction: Transaction, by: Sequence[Dimension], wanted: UsageFilter) -> Sequence[UsageSum]:
    """Return the sums of each group and currency, in their order; not by day or month, which are no hours."""
    return _sums(transaction, USAGE_HOURS, USAGE_HOURS.c.hour, by, wanted)


def sums_of_days(transaction: Transaction, by: Sequence[Dimension], wanted: UsageFilter) -> Sequence[UsageSum]:
    """Return the same from the days; not by hour."""
    return _sums(transaction, USAGE_DAYS, USAGE_DAYS.c.day, by, wanted)


def first_kept_hour(transaction: Transaction) -> int | None:
    """Return the first hour that is still known where earlier ones were dropped; None where nothing was dropped."""
    column = USAGE_HOURS.c.hour
    if transaction.connection.execute(select(column).where(column == CARRIED_HOUR).limit(1)).first() is None:
        return None
    first = transaction.connection.execute(select(func.min(column)).where(column > CARRIED_HOUR)).scalar_one()
    return None if first is None else int(first)


def cost_before(transaction: Transaction, account_id: AccountId, currency: str, day: str) -> int:
    """Return what the calls of an account cost before a day, in nano-units."""
    columns = USAGE_DAYS.c
    query = select(func.sum(columns.cost_nanos)).where(
        columns.account_id == account_id, columns.currency == currency, columns.day < day
    )
    return int(transaction.connection.execute(query).scalar_one() or 0)


def _sums(
    transaction: Transaction, table: Table, time: ColumnElement[Any], by: Sequence[Dimension], wanted: UsageFilter
) -> Sequence[UsageSum]:
    # Numbers in the text, not as values: PostgreSQL must see that what is selected is what is grouped by.
    month = func.substr(time, literal_column("1"), literal_column("7"))
    groups = [month if each is Dimension.MONTH else table.c[each] for each in by]
    labelled = [group.label(f"group_{number}") for number, group in enumerate(groups)]
    currency = table.c.currency
    # PostgreSQL sums integers of 64 bits as a decimal.
    totals = (cast(func.sum(table.c[name]), BigInteger).label(name) for name in COUNTS)
    query = (
        select(*labelled, currency, *totals)
        .where(*_conditions(table, time, wanted))
        .group_by(*labelled, currency)
        .order_by(*labelled, currency)
    )
    if transaction.connection.dialect.name == "postgresql":
        # The groups of a month by day and key fit; a server's usual 4 MB make it sort on the disk.
        transaction.connection.exec_driver_sql("SET LOCAL work_mem = '32MB'")
    place = len(groups)
    return [UsageSum(tuple(row[:place]), *row[place:]) for row in transaction.connection.execute(query)]


def _conditions(table: Table, time: ColumnElement[Any], wanted: UsageFilter) -> list[ColumnElement[bool]]:
    columns = table.c
    bounds = (
        (columns.account_id, eq, wanted.account_id),
        (columns.key_id, eq, wanted.key_id),
        (columns.model, eq, wanted.model),
        (columns.served_by, eq, wanted.served_by),
        (time, ge, wanted.since),
        (time, lt, wanted.until),
    )
    conditions = [compare(column, value) for column, compare, value in bounds if value is not None]
    if wanted.workspace_id is not None:
        keys = select(API_KEYS.c.id).where(API_KEYS.c.workspace_id == wanted.workspace_id)
        conditions.append(columns.key_id.in_(keys))
    return [*conditions, columns.hour > CARRIED_HOUR] if table is USAGE_HOURS else conditions

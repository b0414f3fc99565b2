"""What was used and what it cost, by time, model, key, account or route."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.core.money import decimal_amount
from qwenport.metering.days import Days
from qwenport.metering.queries import ReportInvalid, check_range, moment_bound, readable
from qwenport.storage import usage_rows
from qwenport.storage.moments import moment
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import Dimension, UsageFilter, UsageSum

MOST_TOP = 1_000


class By(StrEnum):
    """What usage is broken down by."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    KEY = "key"
    MODEL = "model"
    ACCOUNT = "account"
    ROUTE = "route"
    DAY_KEY = "day,key"
    DAY_MODEL = "day,model"
    KEY_MODEL = "key,model"


class Order(StrEnum):
    """By what the greatest groups are found."""

    COST = "cost"
    """Within each currency, because amounts of two cannot be compared."""
    TOKENS = "tokens"
    REQUESTS = "requests"


class UsageQuery(Struct, frozen=True, kw_only=True):
    """Which usage to sum; None does not restrict.

    Usage is kept by days of the server's time zone, exact in every zone, and by hours of UTC. A range of whole such
    days is summed from the days. Every other is summed from the hours: an hour counts as a whole where it begins, so
    that days of another zone are exact where it is whole hours from UTC. In the others, such as Asia/Kolkata, the first
    half hour of a day (of the zones in use, at most 45 minutes) counts on the day before. Hours are dropped with the
    months of the call history; days stay.
    """

    by: By
    since: datetime | None = None
    until: datetime | None = None
    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    key_id: KeyId | None = None
    model: str | None = None
    served_by: str | None = None
    timezone: str | None = None
    """IANA name of the zone in which days are cut; None for the server's."""
    top: int | None = None
    """Only so many of the greatest groups, greatest first; None for all, in their own order."""
    order: Order = Order.COST


class UsageRow(Struct, frozen=True, kw_only=True):
    """The sums of one group in one currency; of the first seven fields only those that were asked for are set."""

    hour: datetime | UnsetType = UNSET
    day: str | UnsetType = UNSET
    month: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    account_id: AccountId | UnsetType = UNSET
    served_by: str | UnsetType = UNSET
    requests: int
    unpriced_requests: int
    """How many of the requests have no price; they are not in the cost."""
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    image_tokens: int
    images: int
    pages: int
    cost: str
    """Exact decimal amount of the priced requests."""
    currency: str


def usage_report(transaction: Transaction, query: UsageQuery, server_timezone: str) -> Sequence[UsageRow]:
    """Return the usage in the order of its groups, or the greatest of them; raises `ReportInvalid`."""
    check_range(query.since, query.until)
    if query.top is not None and not 1 <= query.top <= MOST_TOP:
        raise ReportInvalid(f"`top` may be 1 to {MOST_TOP}, not {query.top}")
    try:
        days = Days(server_timezone if query.timezone is None else query.timezone)
    except ValueError as error:
        raise ReportInvalid(str(error)) from error
    since, until = moment_bound("since", query.since), moment_bound("until", query.until)
    same_days = query.timezone in {None, server_timezone}
    dimensions = _DIMENSIONS[query.by]
    if Dimension.HOUR not in dimensions and same_days and _is_whole(days, since) and _is_whole(days, until):
        first, end = (None if bound is None else days.of(bound) for bound in (since, until))
        sums = usage_rows.sums_of_days(transaction, dimensions, _filter(query, first, end))
    else:
        sums = _sums_of_hours(transaction, query, days, since, until)
    # Plain texts: a month by day and key has thousands of rows, and members of an enumeration are slow as keys.
    names = [each.value for each in dimensions]
    return [_row(names, each) for each in _greatest(sums, query)]


_DIMENSIONS: Mapping[By, tuple[Dimension, ...]] = {
    By.HOUR: (Dimension.HOUR,),
    By.DAY: (Dimension.DAY,),
    By.MONTH: (Dimension.MONTH,),
    By.KEY: (Dimension.KEY,),
    By.MODEL: (Dimension.MODEL,),
    By.ACCOUNT: (Dimension.ACCOUNT,),
    By.ROUTE: (Dimension.ROUTE,),
    By.DAY_KEY: (Dimension.DAY, Dimension.KEY),
    By.DAY_MODEL: (Dimension.DAY, Dimension.MODEL),
    By.KEY_MODEL: (Dimension.KEY, Dimension.MODEL),
}

_ORDERS: Mapping[Order, Callable[[UsageSum], int]] = {
    Order.COST: lambda each: each.cost_nanos,
    Order.TOKENS: lambda each: each.input_tokens + each.output_tokens,
    Order.REQUESTS: lambda each: each.requests,
}


def _is_whole(days: Days, bound: int | None) -> bool:
    return bound is None or days.is_begin(bound)


def _filter(query: UsageQuery, since: int | str | None, until: int | str | None) -> UsageFilter:
    return UsageFilter(
        account_id=readable("account", query.account_id),
        workspace_id=readable("workspace", query.workspace_id),
        key_id=readable("key", query.key_id),
        model=readable("model", query.model),
        served_by=readable("route", query.served_by),
        since=since,
        until=until,
    )


def _sums_of_hours(
    transaction: Transaction, query: UsageQuery, days: Days, since: int | None, until: int | None
) -> Sequence[UsageSum]:
    kept = usage_rows.first_kept_hour(transaction)
    if kept is not None and (since is None or since < kept):
        raise ReportInvalid(
            f"hours before {moment(kept).isoformat()} are no longer kept; "
            "ask for a range of whole days of the server's time zone, or one that begins later"
        )
    dimensions = _DIMENSIONS[query.by]
    return by_days(transaction, dimensions, _filter(query, since, until), days)


_CUT_FROM_HOURS = frozenset({Dimension.DAY, Dimension.MONTH})


def by_days(
    transaction: Transaction, dimensions: Sequence[Dimension], wanted: UsageFilter, days: Days
) -> Sequence[UsageSum]:
    """Return the sums of hours, with days and months of any zone cut from them; only the first dimension may be one."""
    by_hour = [Dimension.HOUR if each in _CUT_FROM_HOURS else each for each in dimensions]
    sums = usage_rows.sums_of_hours(transaction, by_hour, wanted)
    return sums if by_hour == list(dimensions) else _merged(sums, dimensions, days)


def _merged(sums: Sequence[UsageSum], dimensions: Sequence[Dimension], days: Days) -> list[UsageSum]:
    """Return sums by hour, the first of their groups, as sums by day or month."""
    length = len("2026-01") if dimensions[0] is Dimension.MONTH else len("2026-01-31")
    totals: dict[tuple[tuple[str | int, ...], str], tuple[int, ...]] = {}
    for each in sums:
        group = (days.of(int(each.groups[0]))[:length], *each.groups[1:])
        counts = each.counts
        known = totals.get((group, each.currency))
        totals[group, each.currency] = (
            counts if known is None else tuple(a + b for a, b in zip(known, counts, strict=True))
        )
    return [UsageSum(group, currency, *totals[group, currency]) for group, currency in sorted(totals)]


def _greatest(sums: Sequence[UsageSum], query: UsageQuery) -> Sequence[UsageSum]:
    if query.top is None:
        return sums
    size = _ORDERS[query.order]
    if query.order is not Order.COST:
        return sorted(sums, key=size, reverse=True)[: query.top]
    currencies = sorted({each.currency for each in sums})
    ranked = {currency: [each for each in sums if each.currency == currency] for currency in currencies}
    return [each for currency in currencies for each in sorted(ranked[currency], key=size, reverse=True)[: query.top]]


def _row(names: Sequence[str], sums: UsageSum) -> UsageRow:
    fields: dict[str, Any] = dict(zip(names, sums.groups, strict=True))
    if "hour" in fields:
        fields["hour"] = moment(int(fields["hour"]))
    return UsageRow(
        **fields,
        requests=sums.requests,
        unpriced_requests=sums.unpriced_requests,
        input_tokens=sums.input_tokens,
        output_tokens=sums.output_tokens,
        cached_tokens=sums.cached_tokens,
        reasoning_tokens=sums.reasoning_tokens,
        image_tokens=sums.image_tokens,
        images=sums.images,
        pages=sums.pages,
        cost=decimal_amount(sums.cost_nanos),
        currency=sums.currency,
    )

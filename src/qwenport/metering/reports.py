"""What was used and what it cost, by day, model or key, and the history of calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import UNSET, Struct, UnsetType, structs

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.pricing import NANOS
from qwenport.storage import call_rows, usage_rows
from qwenport.storage.call_rows import CallFilter
from qwenport.storage.database import Database
from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.records import CallRecord
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import Dimension, UsageFilter, UsageSum

_Text = TypeVar("_Text", bound=str | None)

MAX_CALLS = 1_000
"""Calls in one answer; `before` leads on."""


class ReportInvalid(ValueError):
    """What was asked of a report cannot be; the words are for the operator."""


class By(StrEnum):
    """What usage is broken down by."""

    DAY = "day"
    MODEL = "model"
    KEY = "key"


class UsageQuery(Struct, frozen=True, kw_only=True):
    """Which usage to sum; None does not restrict.

    Usage is kept by hours of UTC, and an hour counts as a whole where it begins: on the day, and in the range from
    `since` to before `until`, in which its beginning lies. Days are exact in zones that are whole hours from UTC. In
    the others, such as Asia/Kolkata, the first half hour of a day (of the zones in use, at most 45 minutes) counts on
    the day before.
    """

    by: By
    since: datetime | None = None
    until: datetime | None = None
    account_id: AccountId | None = None
    key_id: KeyId | None = None
    model: str | None = None
    timezone: str = "UTC"
    """IANA name of the zone in which days are cut."""


class UsageRow(Struct, frozen=True, kw_only=True):
    """The sums of one day, model or key in one currency; of these three only the one that was asked for is set."""

    day: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    requests: int
    unpriced_requests: int
    """How many of the requests have no price; they are not in the cost."""
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: str
    """Exact decimal amount of the priced requests."""
    currency: str


class CallQuery(Struct, frozen=True, kw_only=True):
    """Which calls to list; None does not restrict."""

    limit: int = 50
    key_id: KeyId | None = None
    account_id: AccountId | None = None
    model: str | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: RequestId | None = None
    """The last call of the page before; the list goes on after it."""


class CallRow(Struct, frozen=True, kw_only=True):
    """One call of the history."""

    request_id: RequestId
    at: datetime
    key_id: KeyId
    account_id: AccountId
    model: str
    face: str
    operation: str
    streams: bool
    served_by: str
    outcome: str
    status: int
    error: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    usage_source: str
    cost: str | None
    """Exact decimal amount; None for a call without a price."""
    currency: str
    price_source: str
    first_event_ms: int | None
    total_ms: int


class Reports:
    """Reads the books of one database; every method raises `StorageUnavailable` when it fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usage(self, query: UsageQuery) -> Sequence[UsageRow]:
        """Return the usage in the order of its days, models or keys; raises `ReportInvalid`."""
        zone = _zone(query.timezone)
        wanted = _usage_filter(query)
        with self._database.read() as transaction:
            sums = usage_rows.sums(transaction, _DIMENSIONS[query.by], wanted)
        if query.by is By.DAY:
            sums = _by_day(sums, zone)
        return [_usage_row(query.by, each) for each in sums]

    def calls(self, query: CallQuery) -> Sequence[CallRow]:
        """Return calls, newest first; raises `ReportInvalid`."""
        if not 1 <= query.limit <= MAX_CALLS:
            raise ReportInvalid(f"a list of calls may hold 1 to {MAX_CALLS}, not {query.limit}")
        if query.status is not None and not 100 <= query.status <= 599:
            raise ReportInvalid(f"`{query.status}` is no HTTP status; name one from 100 to 599")
        with self._database.read() as transaction:
            wanted = _call_filter(query, _position(transaction, query.before))
            return [_call_row(call) for call in call_rows.newest(transaction, wanted, query.limit)]

    def call(self, request_id: RequestId) -> CallRow | None:
        """Return one call, None where the books do not know it."""
        with self._database.read() as transaction:
            call = call_rows.find(transaction, _readable("request id", request_id))
        return None if call is None else _call_row(call)


def decimal_amount(nanos: int) -> str:
    """Return nano-units as an exact decimal amount with at least two places, such as `0.00012` or `3.50`."""
    units, rest = divmod(abs(nanos), NANOS)
    places = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{units}.{places}"


_DIMENSIONS = {By.DAY: Dimension.HOUR, By.MODEL: Dimension.MODEL, By.KEY: Dimension.KEY}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ReportInvalid(f"{name!a} is no known time zone; name one like `Asia/Shanghai`") from error


def _usage_filter(query: UsageQuery) -> UsageFilter:
    _check_range(query.since, query.until)
    return UsageFilter(
        account_id=_readable("account", query.account_id),
        key_id=_readable("key", query.key_id),
        model=_readable("model", query.model),
        since=_bound("since", query.since),
        until=_bound("until", query.until),
    )


def _call_filter(query: CallQuery, before: tuple[int, RequestId] | None) -> CallFilter:
    _check_range(query.since, query.until)
    return CallFilter(
        key_id=_readable("key", query.key_id),
        account_id=_readable("account", query.account_id),
        model=_readable("model", query.model),
        status=query.status,
        since=_bound("since", query.since),
        until=_bound("until", query.until),
        before=before,
    )


def _readable(name: str, value: _Text) -> _Text:
    """Return a filter's value; a command line can hold bytes that are no text, which no database takes."""
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        raise ReportInvalid(f"the {name} {value!a} is no text in UTF-8") from error
    return value


def _check_range(since: datetime | None, until: datetime | None) -> None:
    aware = since is not None and until is not None and since.utcoffset() is not None and until.utcoffset() is not None
    if aware and since is not None and until is not None and since >= until:
        raise ReportInvalid(f"`since` ({since.isoformat()}) is not before `until` ({until.isoformat()})")


def _bound(name: str, moment_of_bound: datetime | None) -> int | None:
    if moment_of_bound is None:
        return None
    if moment_of_bound.utcoffset() is None:
        raise ReportInvalid(f"`{name}` is `{moment_of_bound.isoformat()}` and names no time zone; add one, such as `Z`")
    return milliseconds(moment_of_bound)


def _position(transaction: Transaction, before: RequestId | None) -> tuple[int, RequestId] | None:
    if before is None:
        return None
    call = call_rows.find(transaction, _readable("request id", before))
    if call is None:
        raise ReportInvalid(
            f"`before` names `{before}`, which is no call in the books; begin with the newest calls again"
        )
    return call.at, call.request_id


def _by_day(sums: Sequence[UsageSum], zone: ZoneInfo) -> list[UsageSum]:
    days: dict[tuple[str, str], UsageSum] = {}
    for each in sums:
        day = moment(int(each.group)).astimezone(zone).date().isoformat()
        days[day, each.currency] = _plus(days.get((day, each.currency)), each, day)
    return [days[key] for key in sorted(days)]


def _plus(total: UsageSum | None, each: UsageSum, day: str) -> UsageSum:
    if total is None:
        return structs.replace(each, group=day)
    return structs.replace(total, **{name: getattr(total, name) + getattr(each, name) for name in usage_rows.COUNTS})


def _usage_row(by: By, sums: UsageSum) -> UsageRow:
    group = str(sums.group)
    return UsageRow(
        day=group if by is By.DAY else UNSET,
        model=group if by is By.MODEL else UNSET,
        key_id=KeyId(group) if by is By.KEY else UNSET,
        requests=sums.requests,
        unpriced_requests=sums.unpriced_requests,
        input_tokens=sums.input_tokens,
        output_tokens=sums.output_tokens,
        cached_tokens=sums.cached_tokens,
        cost=decimal_amount(sums.cost_nanos),
        currency=sums.currency,
    )


def _call_row(call: CallRecord) -> CallRow:
    fields = structs.asdict(call)
    cost_nanos = fields.pop("cost_nanos")
    fields["at"] = moment(call.at)
    fields["cost"] = None if cost_nanos is None else decimal_amount(cost_nanos)
    return CallRow(**fields)

"""The history of calls: lists with filters, and single calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, structs

from qwenport.core.ids import AccountId, KeyId, RequestId, WorkspaceId
from qwenport.core.money import decimal_amount
from qwenport.metering.amounts import AmountInvalid, amount_nanos
from qwenport.metering.queries import ReportInvalid, check_range, moment_bound, readable
from qwenport.storage import call_rows, entry_rows, posting_rows
from qwenport.storage.call_rows import CallFilter
from qwenport.storage.moments import moment
from qwenport.storage.months import month_of
from qwenport.storage.records import CallRecord
from qwenport.storage.transaction import Transaction

MAX_CALLS = 1_000
"""Calls in one answer; `before` leads on."""


class CallQuery(Struct, frozen=True, kw_only=True):
    """Which calls to list; None does not restrict."""

    limit: int = 50
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
    least_cost: str | None = None
    """Decimal amount, in each call's own currency; calls without a price are left out."""
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
    workspace_id: WorkspaceId
    model: str
    face: str
    operation: str
    streams: bool
    batch: bool
    served_by: str
    outcome: str
    status: int
    error: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    image_tokens: int
    cache_creation_tokens: int
    explicitly_cached_tokens: int
    images: int
    pages: int
    usage_source: str
    cost: str | None
    """Exact decimal amount; None for a call without a price."""
    currency: str
    price_source: str
    free: str
    """The free quota that covered the call; empty for none."""
    held: str | None
    """What was held before the call ran, its upper bound; None for a call without a price."""
    refunded: str
    """How much of the cost went back by refunds and corrections; below 0 where a correction made the call dearer."""
    queue_ms: int | None
    first_event_ms: int | None
    total_ms: int
    items: str = ""
    """What a native service reported beyond tokens, such as `image_count 2`."""


def calls_report(transaction: Transaction, query: CallQuery) -> Sequence[CallRow]:
    """Return calls, newest first; raises `ReportInvalid`."""
    if not 1 <= query.limit <= MAX_CALLS:
        raise ReportInvalid(f"a list of calls may hold 1 to {MAX_CALLS}, not {query.limit}")
    wanted = call_filter(query, _position(transaction, query.before))
    return call_report_rows(transaction, call_rows.newest(transaction, wanted, query.limit))


def call_report(transaction: Transaction, request_id: RequestId) -> CallRow | None:
    """Return one call, None where the books do not know it."""
    call = call_rows.find(transaction, readable("request id", request_id))
    return None if call is None else call_report_rows(transaction, [call])[0]


def call_filter(query: CallQuery, before: tuple[int, RequestId] | None) -> CallFilter:
    """Return a query in the words of the tables; raises `ReportInvalid`."""
    check_range(query.since, query.until)
    if query.status is not None and not 100 <= query.status <= 599:
        raise ReportInvalid(f"`{query.status}` is no HTTP status; name one from 100 to 599")
    return CallFilter(
        key_id=readable("key", query.key_id),
        account_id=readable("account", query.account_id),
        workspace_id=readable("workspace", query.workspace_id),
        model=readable("model", query.model),
        status=query.status,
        outcome=readable("outcome", query.outcome),
        face=readable("face", query.face),
        served_by=readable("route", query.served_by),
        upstream=readable("upstream", query.upstream),
        least_cost_nanos=_least_cost(query.least_cost),
        since=moment_bound("since", query.since),
        until=moment_bound("until", query.until),
        before=before,
    )


def call_report_rows(transaction: Transaction, calls: Sequence[CallRecord]) -> list[CallRow]:
    """Return calls with what was held for them and what went back of their costs."""
    by_month: dict[str, list[RequestId]] = {}
    for call in calls:
        by_month.setdefault(month_of(call.at), []).append(call.request_id)
    held: dict[RequestId, int | None] = {}
    for month, request_ids in by_month.items():
        held |= posting_rows.holds(transaction, month, request_ids)
    refunded = entry_rows.returned(transaction, [call.request_id for call in calls])
    return [_row(call, held.get(call.request_id), refunded.get(call.request_id, 0)) for call in calls]


def _row(call: CallRecord, held_nanos: int | None, refunded_nanos: int) -> CallRow:
    fields = structs.asdict(call)
    cost_nanos = fields.pop("cost_nanos")
    fields["free"] = fields.pop("grant_id")
    fields["at"] = moment(call.at)
    fields["cost"] = None if cost_nanos is None else decimal_amount(cost_nanos)
    fields["held"] = None if held_nanos is None else decimal_amount(held_nanos)
    fields["refunded"] = decimal_amount(refunded_nanos)
    return CallRow(**fields)


def _least_cost(amount: str | None) -> int | None:
    try:
        return None if amount is None else amount_nanos(amount, zero=True)
    except AmountInvalid as error:
        raise ReportInvalid(f"the least cost is no amount: {error}") from error


def _position(transaction: Transaction, before: RequestId | None) -> tuple[int, RequestId] | None:
    if before is None:
        return None
    call = call_rows.find(transaction, readable("request id", before))
    if call is None:
        raise ReportInvalid(
            f"`before` names `{before}`, which is no call in the books; begin with the newest calls again"
        )
    return call.at, call.request_id

"""Our books beside an upstream's export of what it counted: what only one of them knows, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct, structs

from qwenport.core.ids import RequestId, moment_ms_of
from qwenport.core.money import decimal_amount
from qwenport.metering.amounts import AmountInvalid, amount_nanos
from qwenport.metering.days import Days, next_day, zone_named
from qwenport.metering.queries import ReportInvalid, readable
from qwenport.metering.upstream_export import ExportInvalid, ExportLine, read_export
from qwenport.metering.usage_report import by_days
from qwenport.storage import call_rows, months, usage_rows
from qwenport.storage.call_rows import CallFilter
from qwenport.storage.database import Database
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import Dimension, UsageFilter

MOST_LISTED = 10_000
"""Differences in one answer; the counts cover all."""

_PAGE = 1_000
_HOUR_MS = 3_600_000


class ReconcileQuery(Struct, frozen=True, kw_only=True):
    """What an export is compared with."""

    upstream: str
    """First part of `served_by`, up to its first slash."""
    columns: Mapping[str, str] = {}
    """What a column is, and its heading; for headings that are not understood by themselves."""
    currency: str = ""
    """Of the export's amounts, where no column says it; empty for whichever ours has."""
    tolerance: str = "0.000001"
    """By how much amounts may differ, for each request or each day and model."""
    timezone: str | None = None
    """In which the export cuts its days; None for the server's."""


class Counted(Struct, frozen=True, kw_only=True):
    """What one side has."""

    input_tokens: int
    output_tokens: int
    amount: str | None
    """Exact decimal; None where it says none, or no single one in the currency that is compared."""
    currency: str


class Difference(Struct, frozen=True, kw_only=True):
    """One request, or one day and model, on which the two do not agree."""

    kind: Literal["only_ours", "only_theirs", "other_counts", "other_amount"]
    request_id: str = ""
    day: str = ""
    model: str = ""
    """As the upstream is asked for it."""
    ours: Counted | None
    theirs: Counted | None


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What the comparison found."""

    compared_by: Literal["request_id", "day,model"]
    agreeing: int
    differing: int
    differences: tuple[Difference, ...]
    lines: int
    bad_lines: tuple[str, ...]
    """Lines of the export that could not be read, each with its number and why; the first hundred."""
    bad: int


class _Sum(Struct, frozen=True):
    """Counts of one key; amounts by currency."""

    input_tokens: int = 0
    output_tokens: int = 0
    amounts: tuple[tuple[str, int], ...] = ()


_Key = tuple[str, str]
"""A request id and nothing, or a day and a model."""
_Sums = dict[_Key, _Sum]


def reconcile(database: Database, content: bytes, query: ReconcileQuery, *, timezone: str = "UTC") -> Reconciliation:
    """Compare an export with the books; `timezone` is the server's.

    Raises:
        ExportInvalid: the export cannot be read, or holds nothing.
        ReportInvalid: the query names what cannot be.
        StorageUnavailable: the database fails.
    """
    readable("upstream", query.upstream)
    tolerance = _tolerance(query.tolerance)
    try:
        zone = zone_named(query.timezone or timezone)
    except ValueError as error:
        raise ReportInvalid(str(error)) from error
    export = read_export(content, query.columns, zone)
    if not export.lines:
        raise ExportInvalid("no line of the export could be read" if export.bad else "the export holds no lines")
    by_request = all(line.request_id for line in export.lines)
    theirs = _theirs(export.lines, query.currency, by_request=by_request)
    with database.read(timeout_s=0) as transaction:
        if by_request:
            ours = _our_requests(transaction, query.upstream, Days(str(zone)), export.lines)
        else:
            ours = _our_days(transaction, query.upstream, (str(zone), timezone), export.lines)
    differences = list(_differences(ours, theirs, tolerance, by_request=by_request))
    return Reconciliation(
        compared_by="request_id" if by_request else "day,model",
        agreeing=len(ours.keys() | theirs.keys()) - len(differences),
        differing=len(differences),
        differences=tuple(differences[:MOST_LISTED]),
        lines=len(export.lines),
        bad_lines=export.bad_lines,
        bad=export.bad,
    )


def _tolerance(text: str) -> int:
    try:
        return amount_nanos(text, zero=True)
    except AmountInvalid as error:
        raise ReportInvalid(f"the tolerance is no amount: {error}") from error


def _theirs(lines: Sequence[ExportLine], currency: str, *, by_request: bool) -> _Sums:
    sums: _Sums = {}
    for line in lines:
        key = (line.request_id, "") if by_request else (line.day or "", line.model)
        amounts = () if line.amount_nanos is None else ((line.currency or currency, line.amount_nanos),)
        _add(sums, key, _Sum(line.input_tokens, line.output_tokens, amounts))
    return sums


def _our_requests(transaction: Transaction, upstream: str, days: Days, lines: Sequence[ExportLine]) -> _Sums:
    """Return our calls in the time that the export covers: by its days, else by the times in its request ids."""
    named = sorted(line.day for line in lines if line.day is not None)
    if named:
        since, until = days.begin(date.fromisoformat(named[0])), days.begin(next_day(date.fromisoformat(named[-1])))
    else:
        since, until = _times_of_ids(transaction, lines)
    wanted = CallFilter(upstream=upstream, since=since, until=until)
    sums: _Sums = {}
    while True:
        calls = call_rows.newest(transaction, wanted, _PAGE)
        for call in calls:
            if call.input_tokens or call.output_tokens or call.cost_nanos:
                amounts = () if call.cost_nanos is None else ((call.currency, call.cost_nanos),)
                sums[call.request_id, ""] = _Sum(call.input_tokens, call.output_tokens, amounts)
        if len(calls) < _PAGE:
            return sums
        wanted = structs.replace(wanted, before=(calls[-1].at, calls[-1].request_id))


def _times_of_ids(transaction: Transaction, lines: Sequence[ExportLine]) -> tuple[int, int]:
    kept = [months.month_bounds(month) for month in months.months(transaction)]
    made = (moment_ms_of(RequestId(line.request_id)) for line in lines)
    known = sorted(at for at in made if any(begin <= at < end for begin, end in kept))
    return (known[0], known[-1] + _HOUR_MS) if known else (0, 0)


def _our_days(transaction: Transaction, upstream: str, zones: tuple[str, str], lines: Sequence[ExportLine]) -> _Sums:
    """Return our usage on the days that the export covers; the zones are the export's and the server's."""
    named = sorted(line.day for line in lines if line.day is not None)
    first, after = date.fromisoformat(named[0]), next_day(date.fromisoformat(named[-1]))
    dimensions = (Dimension.DAY, Dimension.ROUTE)
    if zones[0] == zones[1]:
        wanted = UsageFilter(since=first.isoformat(), until=after.isoformat())
        usage = usage_rows.sums_of_days(transaction, dimensions, wanted)
    else:
        days = Days(zones[0])
        wanted = UsageFilter(since=days.begin(first), until=days.begin(after))
        usage = by_days(transaction, dimensions, wanted, days)
    sums: _Sums = {}
    for each in usage:
        served_by = str(each.groups[1])
        if served_by.startswith(f"{upstream}/"):
            key = (str(each.groups[0]), served_by.removeprefix(f"{upstream}/"))
            _add(sums, key, _Sum(each.input_tokens, each.output_tokens, ((each.currency, each.cost_nanos),)))
    return sums


def _add(sums: _Sums, key: _Key, more: _Sum) -> None:
    known = sums.get(key, _Sum())
    amounts = dict(known.amounts)
    for currency, nanos in more.amounts:
        amounts[currency] = amounts.get(currency, 0) + nanos
    sums[key] = _Sum(
        known.input_tokens + more.input_tokens, known.output_tokens + more.output_tokens, tuple(sorted(amounts.items()))
    )


def _differences(ours: _Sums, theirs: _Sums, tolerance: int, *, by_request: bool) -> Iterator[Difference]:
    for key in sorted(ours.keys() | theirs.keys()):
        kind = _kind(ours.get(key), theirs.get(key), tolerance)
        if kind is not None:
            currency = _currency(ours.get(key), theirs.get(key))
            yield Difference(
                kind=kind,
                request_id=key[0] if by_request else "",
                day="" if by_request else key[0],
                model=key[1],
                ours=_counted(ours.get(key), currency),
                theirs=_counted(theirs.get(key), currency),
            )


def _kind(
    ours: _Sum | None, theirs: _Sum | None, tolerance: int
) -> Literal["only_ours", "only_theirs", "other_counts", "other_amount"] | None:
    if theirs is None:
        return "only_ours"
    if ours is None:
        return "only_theirs"
    if (ours.input_tokens, ours.output_tokens) != (theirs.input_tokens, theirs.output_tokens):
        return "other_counts"
    currency = _currency(ours, theirs)
    one, other = _amount(ours, currency), _amount(theirs, currency)
    if one is not None and other is not None and abs(one - other) > tolerance:
        return "other_amount"
    return None


def _currency(ours: _Sum | None, theirs: _Sum | None) -> str:
    """Return the currency in which the two are compared; the export's, else the only one that ours has, else none."""
    named = [currency for currency, _ in theirs.amounts if currency] if theirs is not None else []
    if not named and ours is not None:
        named = [currency for currency, _ in ours.amounts]
    return named[0] if len(named) == 1 else ""


def _amount(side: _Sum, currency: str) -> int | None:
    amounts = dict(side.amounts)
    # An export that names no currency means the one that is compared in.
    return amounts.get(currency, amounts.get(""))


def _counted(side: _Sum | None, currency: str) -> Counted | None:
    if side is None:
        return None
    nanos = _amount(side, currency)
    return Counted(
        input_tokens=side.input_tokens,
        output_tokens=side.output_tokens,
        amount=None if nanos is None else decimal_amount(nanos),
        currency=currency,
    )

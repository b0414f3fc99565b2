"""Operations that read the books: usage, and the history of calls."""

from __future__ import annotations

from collections.abc import Iterator

from qwenport.core.ids import RequestId
from qwenport.metering.call_report import CallQuery, CallRow
from qwenport.metering.export import call_batches, csv_lines, ndjson_lines
from qwenport.metering.usage_report import UsageQuery, UsageRow
from qwenport.server.admin.answers import CallBodyAnswer
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked, Streamed
from qwenport.server.admin.queries import CallFilterQuery, CallsQuery, ExportQuery, NoQuery, UsageReportQuery
from qwenport.server.admin.refusals import BodyNotKept, CallNotFound
from qwenport.storage import body_rows
from qwenport.storage.moments import milliseconds, moment


def show_usage(desk: Desk, asked: Asked[UsageReportQuery, None]) -> list[UsageRow]:
    """Sum the usage by time, key, model, account or route."""
    query = asked.query
    return [
        *desk.reports.usage(
            UsageQuery(
                by=query.by,
                since=query.since,
                until=query.until,
                account_id=query.account,
                workspace_id=query.workspace,
                key_id=query.key,
                model=query.model,
                served_by=query.served_by,
                timezone=query.timezone,
                top=query.top,
                order=query.order,
            )
        )
    ]


def list_calls(desk: Desk, asked: Asked[CallsQuery, None]) -> list[CallRow]:
    """List calls, newest first."""
    query = asked.query
    return [*desk.reports.calls(_call_query(query, limit=query.limit, before=query.before))]


def show_call(desk: Desk, asked: Asked[NoQuery, None]) -> CallRow:
    """Show one call."""
    found = desk.reports.call(RequestId(asked.id))
    if found is None:
        raise CallNotFound(asked.id)
    return found


def show_body(desk: Desk, asked: Asked[NoQuery, None]) -> CallBodyAnswer:
    """Show what a call said, if its key keeps that and its time is not over."""
    with desk.parts.database.read() as transaction:
        found = body_rows.find(transaction, RequestId(asked.id), milliseconds(desk.now()))
    if found is None:
        raise BodyNotKept(asked.id)
    return CallBodyAnswer(
        request_id=found.request_id,
        at=moment(found.at),
        expires_at=moment(found.expires_at),
        request=found.request.decode("utf-8", "backslashreplace"),
        answer=found.answer.decode("utf-8", "backslashreplace"),
        request_bytes=found.request_bytes,
        answer_bytes=found.answer_bytes,
    )


def export_calls(desk: Desk, asked: Asked[ExportQuery, None]) -> Streamed:
    """Export calls, newest first, as CSV or as one JSON object a line."""
    query = asked.query
    wanted = _call_query(query, limit=1, before=None)
    if query.format == "csv":
        return Streamed(blocks=_as_csv(desk, wanted), media_type="text/csv", file_name="calls.csv")
    blocks = (ndjson_lines(rows) for rows in call_batches(desk.parts.database, wanted))
    return Streamed(blocks=blocks, media_type="application/x-ndjson", file_name="calls.ndjson")


def _as_csv(desk: Desk, wanted: CallQuery) -> Iterator[bytes]:
    is_first = True
    for rows in call_batches(desk.parts.database, wanted):
        yield csv_lines(rows, header=is_first)
        is_first = False
    if is_first:
        yield csv_lines([], header=True)


def _call_query(query: CallFilterQuery, *, limit: int, before: RequestId | None) -> CallQuery:
    return CallQuery(
        limit=limit,
        before=before,
        account_id=query.account,
        workspace_id=query.workspace,
        key_id=query.key,
        model=query.model,
        face=query.face,
        served_by=query.served_by,
        upstream=query.upstream,
        least_cost=query.least_cost,
        outcome=query.outcome,
        status=query.status,
        since=query.since,
        until=query.until,
    )

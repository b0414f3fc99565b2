"""Operations on the books as a whole, for those who keep them."""

from __future__ import annotations

from qwenport.core.ids import RequestId
from qwenport.metering.ledger import LedgerCheck, check
from qwenport.metering.movements import EntryRow
from qwenport.metering.reconcile import ReconcileQuery, Reconciliation, reconcile
from qwenport.server.admin.bodies import CorrectionBody, RefundBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import ExportedQuery, NoQuery
from qwenport.server.admin.refusals import AdminRefused, CallNotFound


def check_ledger(desk: Desk, _asked: Asked[NoQuery, None]) -> LedgerCheck:
    """Check that the books balance, as far as their months are kept."""
    open_books = desk.parts.open_books()
    return check(
        desk.parts.database,
        open_holds=open_books.open_holds,
        stale_holds=open_books.stale_holds,
        unposted=open_books.unposted,
        running=desk.parts.running,
    )


def refund_call(desk: Desk, asked: Asked[NoQuery, RefundBody]) -> EntryRow:
    """Give the cost of a call back, all of it or a part."""
    body = asked.body
    _refuse_unknown(desk, body.request_id)
    return desk.movements.refund(asked.actor, body.request_id, body.amount, body.note)


def correct_call(desk: Desk, asked: Asked[NoQuery, CorrectionBody]) -> EntryRow:
    """Make a call cost what it ought to have cost, by an entry over the difference."""
    body = asked.body
    _refuse_unknown(desk, body.request_id)
    return desk.movements.correct(asked.actor, body.request_id, body.cost, body.note)


def reconcile_export(desk: Desk, asked: Asked[ExportedQuery, bytes]) -> Reconciliation:
    """Compare the books with the usage export of an upstream, a CSV, and list what differs."""
    query = asked.query
    wanted = ReconcileQuery(
        upstream=query.upstream,
        columns=_columns(query.columns),
        currency=query.currency,
        tolerance=query.tolerance,
        timezone=query.timezone,
    )
    return reconcile(desk.parts.database, asked.body, wanted, timezone=desk.parts.timezone)


def _columns(text: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        role, sign, heading = pair.partition("=")
        if not sign or not role.strip() or not heading.strip():
            raise AdminRefused(
                f"`columns` has {pair[:100]!a}; write what a column is and its heading, as `day=Booked on`"
            )
        columns[role.strip()] = heading.strip()
    return columns


def _refuse_unknown(desk: Desk, request_id: RequestId) -> None:
    if desk.reports.call(request_id) is None:
        raise CallNotFound(request_id)

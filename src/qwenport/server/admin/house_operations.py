"""Operations on the house: its log of changes, its state, what it keeps."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, structs

from qwenport.accounts.house import MaintenanceState
from qwenport.core.ids import AccountId
from qwenport.metering.retention import Retained, retain
from qwenport.server.admin.answers import AuditAnswer, StatusAnswer
from qwenport.server.admin.bodies import MaintenanceBody, RetentionBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import AuditQuery, NoQuery
from qwenport.storage import audit_log_rows
from qwenport.storage.audit_log_rows import AuditFilter
from qwenport.storage.records import AuditRecord


def list_audit(desk: Desk, asked: Asked[AuditQuery, None]) -> list[AuditAnswer]:
    """List the changes that people made, newest first."""
    query = asked.query
    wanted = AuditFilter(
        actor=query.actor,
        action=query.action,
        object_id=query.object,
        account_id=query.account,
        since=query.since,
        until=query.until,
        before=query.before,
        limit=query.limit,
    )
    return [_shown(record) for record in desk.audit.every(wanted)]


def show_status(desk: Desk, _asked: Asked[NoQuery, None]) -> StatusAnswer:
    """Tell how the server, its engines and its journals are."""
    parts = desk.parts
    return StatusAnswer(
        gateway_resident_bytes=parts.gateway_bytes(),
        engines={target: engine.condition() for target, engine in parts.engines.items()},
        **structs.asdict(parts.open_books()),
    )


def show_maintenance(desk: Desk, _asked: Asked[NoQuery, None]) -> MaintenanceState:
    """Tell whether the faces are closed for maintenance."""
    return desk.house.maintenance()


def set_maintenance(desk: Desk, asked: Asked[NoQuery, MaintenanceBody]) -> MaintenanceState:
    """Close the faces for maintenance, or open them again; the admin API stays open."""
    return desk.house.set_maintenance(asked.actor, asked.body.on, asked.body.words)


def retain_months(desk: Desk, asked: Asked[NoQuery, RetentionBody]) -> Retained:
    """Let go of months of calls that are older than what is to be kept; balances stay as they are."""
    body, now = asked.body, desk.now()
    done = retain(desk.parts.database, body.keep_months, now, keep_audit_months=body.keep_audit_months)
    with desk.parts.database.write() as transaction:
        audit_log_rows.note(
            transaction,
            at=now,
            actor=asked.actor,
            action="house.retain",
            object_kind="house",
            object_id="retention",
            account_id="",
            before=None,
            after={**structs.asdict(body), **structs.asdict(done)},
        )
    return done


def describe(desk: Desk, _asked: Asked[NoQuery, None]) -> dict[str, Any]:
    """Describe this API in OpenAPI 3.1."""
    return desk.document


def _shown(record: AuditRecord) -> AuditAnswer:
    return AuditAnswer(
        id=record.id,
        at=record.at,
        actor=record.actor,
        action=record.action,
        object_kind=record.object_kind,
        object_id=record.object_id,
        account_id=AccountId(record.account_id) if record.account_id else None,
        before=Raw(record.before.encode() or b"null"),
        after=Raw(record.after.encode() or b"null"),
    )

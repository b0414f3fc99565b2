"""Statements on the log of changes that people made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, json
from sqlalchemy import Row, insert, select

from qwenport.core.ids import AccountId
from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.records import AuditRecord
from qwenport.storage.tables import AUDIT_LOG
from qwenport.storage.transaction import Transaction


class AuditFilter(Struct, frozen=True, kw_only=True):
    """Which changes to list, newest first; what is None does not restrict, values are compared whole."""

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    account_id: AccountId | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Moment that does not belong any more."""
    before: int | None = None
    """Id of the last row of the page before."""
    limit: int = 100


def note(  # noqa: PLR0913 - one row, each column by its name
    transaction: Transaction,
    *,
    at: datetime,
    actor: str,
    action: str,
    object_kind: str,
    object_id: str,
    account_id: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
) -> None:
    """Write one change into the log, in the transaction that makes it; the caller leaves secrets out."""
    row = {
        "at": milliseconds(at),
        "actor": actor,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "account_id": account_id,
        "before": _json(before),
        "after": _json(after),
    }
    transaction.connection.execute(insert(AUDIT_LOG), row)


def matching(transaction: Transaction, wanted: AuditFilter) -> Sequence[AuditRecord]:
    """Return the changes that a filter lets through, newest first."""
    columns = AUDIT_LOG.c
    query = select(AUDIT_LOG).order_by(columns.id.desc()).limit(wanted.limit)
    for column, value in (
        (columns.actor, wanted.actor),
        (columns.action, wanted.action),
        (columns.object_kind, wanted.object_kind),
        (columns.object_id, wanted.object_id),
        (columns.account_id, wanted.account_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(columns.at >= milliseconds(wanted.since))
    if wanted.until is not None:
        query = query.where(columns.at < milliseconds(wanted.until))
    if wanted.before is not None:
        query = query.where(columns.id < wanted.before)
    return [_record(row) for row in transaction.connection.execute(query)]


def _json(values: Mapping[str, object] | None) -> str:
    return "" if values is None else json.encode(values).decode()


def _record(row: Row[Any]) -> AuditRecord:
    return AuditRecord(
        id=row.id,
        at=moment(row.at),
        actor=row.actor,
        action=row.action,
        object_kind=row.object_kind,
        object_id=row.object_id,
        account_id=row.account_id,
        before=row.before,
        after=row.after,
    )

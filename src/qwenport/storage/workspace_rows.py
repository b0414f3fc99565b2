"""Statements on the table of workspaces; deleted ones stay in it, because the books refer to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from qwenport.core.ids import AccountId, WorkspaceId
from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.records import WorkspaceRecord
from qwenport.storage.tables import WORKSPACES
from qwenport.storage.transaction import Transaction

_LIVING = select(WORKSPACES).where(WORKSPACES.c.deleted_at.is_(None))


def add(transaction: Transaction, workspace: WorkspaceRecord) -> None:
    """Write a new workspace."""
    row = {
        "id": workspace.id,
        "account_id": workspace.account_id,
        "name": workspace.name,
        "created_at": milliseconds(workspace.created_at),
    }
    transaction.connection.execute(insert(WORKSPACES), row)


def find(transaction: Transaction, workspace_id: WorkspaceId) -> WorkspaceRecord | None:
    """Return the living workspace with this id."""
    row = transaction.connection.execute(_LIVING.where(WORKSPACES.c.id == workspace_id)).one_or_none()
    return None if row is None else _record(row)


def living(transaction: Transaction, account_id: AccountId | None = None) -> Sequence[WorkspaceRecord]:
    """Return the workspaces of an account, or of all, that were not deleted, oldest first."""
    query = _LIVING.order_by(WORKSPACES.c.created_at, WORKSPACES.c.id)
    if account_id is not None:
        query = query.where(WORKSPACES.c.account_id == account_id)
    return [_record(row) for row in transaction.connection.execute(query)]


def rename(transaction: Transaction, workspace_id: WorkspaceId, name: str) -> None:
    """Give a workspace another name."""
    transaction.connection.execute(update(WORKSPACES).where(WORKSPACES.c.id == workspace_id).values(name=name))


def mark_deleted(transaction: Transaction, workspace_id: WorkspaceId, at: datetime) -> None:
    """Delete a workspace."""
    statement = update(WORKSPACES).where(WORKSPACES.c.id == workspace_id)
    transaction.connection.execute(statement.values(deleted_at=milliseconds(at)))


def _record(row: Row[Any]) -> WorkspaceRecord:
    return WorkspaceRecord(id=row.id, account_id=row.account_id, name=row.name, created_at=moment(row.created_at))

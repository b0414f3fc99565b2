"""Operations on workspaces, the parts of an account."""

from __future__ import annotations

from qwenport.core.ids import AccountId, WorkspaceId
from qwenport.server.admin.answers import DeletedAnswer
from qwenport.server.admin.bodies import WorkspaceBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import NoQuery
from qwenport.storage.records import WorkspaceRecord


def list_workspaces(desk: Desk, asked: Asked[NoQuery, None]) -> list[WorkspaceRecord]:
    """List the workspaces of an account."""
    return [*desk.workspaces.every(AccountId(asked.id))]


def create_workspace(desk: Desk, asked: Asked[NoQuery, WorkspaceBody]) -> WorkspaceRecord:
    """Make a workspace."""
    return desk.workspaces.create(asked.actor, AccountId(asked.id), asked.body.name)


def rename_workspace(desk: Desk, asked: Asked[NoQuery, WorkspaceBody]) -> WorkspaceRecord:
    """Give a workspace another name."""
    return desk.workspaces.rename(asked.actor, WorkspaceId(asked.id), asked.body.name)


def delete_workspace(desk: Desk, asked: Asked[NoQuery, None]) -> DeletedAnswer:
    """Delete a workspace that has no keys; the one that every account has stays."""
    desk.workspaces.delete(asked.actor, WorkspaceId(asked.id))
    return DeletedAnswer(id=asked.id)

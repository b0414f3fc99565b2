"""Workspaces: parts of an account with keys of their own. The one that every account begins with stays."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from qwenport.accounts.audit import note_change
from qwenport.accounts.errors import Conflict, NameTaken, StillInUse
from qwenport.accounts.existing import existing_account, living_workspace, open_account
from qwenport.accounts.limit_making import remove_limits
from qwenport.accounts.making import Making
from qwenport.accounts.texts import checked_name
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, Ids, WorkspaceId, workspace_of
from qwenport.storage import key_rows, member_rows, workspace_rows
from qwenport.storage.database import Database
from qwenport.storage.key_rows import KeyFilter
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import WorkspaceRecord
from qwenport.storage.transaction import Transaction

_SETTING = "name of a workspace"


class Workspaces:
    """The workspaces of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def create(self, actor: str, account_id: AccountId, name: str) -> WorkspaceRecord:
        """Make a workspace; raises `SettingInvalid`, `AccountNotFound`, `NameTaken`, or `Conflict` for a closed one."""
        making = self._making(actor)
        checked = checked_name(_SETTING, name)
        with self._database.write() as transaction:
            account = open_account(transaction, account_id)
            _refuse_taken(transaction, account.id, checked)
            workspace = WorkspaceRecord(
                id=WorkspaceId(self._ids.short_id("ws")), account_id=account.id, name=checked, created_at=making.at
            )
            workspace_rows.add(transaction, workspace)
            note_change(transaction, making.deed("workspace.create", workspace.id, account.id), None, workspace)
            return workspace

    def find(self, workspace_id: WorkspaceId) -> WorkspaceRecord:
        """Return a workspace that was not deleted; raises `WorkspaceNotFound`."""
        with self._database.read() as transaction:
            return living_workspace(transaction, workspace_id)

    def every(self, account_id: AccountId | None = None) -> Sequence[WorkspaceRecord]:
        """Return the workspaces of an account, or of all, oldest first; raises `AccountNotFound`."""
        with self._database.read() as transaction:
            if account_id is not None:
                existing_account(transaction, account_id)
            return workspace_rows.living(transaction, account_id)

    def rename(self, actor: str, workspace_id: WorkspaceId, name: str) -> WorkspaceRecord:
        """Give a workspace another name; raises `SettingInvalid`, `WorkspaceNotFound` or `NameTaken`."""
        making = self._making(actor)
        checked = checked_name(_SETTING, name)
        with self._database.write() as transaction:
            before = living_workspace(transaction, workspace_id)
            if before.name == checked:
                return before
            _refuse_taken(transaction, before.account_id, checked)
            after = structs.replace(before, name=checked)
            workspace_rows.rename(transaction, workspace_id, checked)
            note_change(transaction, making.deed("workspace.rename", workspace_id, before.account_id), before, after)
            return after

    def delete(self, actor: str, workspace_id: WorkspaceId) -> None:
        """Delete a workspace with the limits that bind it; what its keys consumed stays in the books.

        Raises `WorkspaceNotFound`, `Conflict` for the account's first one, or `StillInUse` while it has keys or
        members.
        """
        making = self._making(actor)
        with self._database.write() as transaction:
            workspace = living_workspace(transaction, workspace_id)
            if workspace_id == workspace_of(workspace.account_id):
                raise Conflict(
                    f"`{workspace_id}` is the first workspace of its account, which stays; rename it instead"
                )
            _refuse_inhabited(transaction, workspace)
            remove_limits(transaction, making, LimitFilter(workspace_id=workspace_id))
            workspace_rows.mark_deleted(transaction, workspace_id, making.at)
            deed = making.deed("workspace.delete", workspace_id, workspace.account_id)
            note_change(transaction, deed, workspace, None)

    def _making(self, actor: str) -> Making:
        return Making(actor=actor, at=self._clock.now(), ids=self._ids)


def _refuse_taken(transaction: Transaction, account_id: AccountId, name: str) -> None:
    for other in workspace_rows.living(transaction, account_id):
        if other.name == name:
            raise NameTaken(f"the account `{account_id}` has a workspace of this name already: `{other.id}`")


def _refuse_inhabited(transaction: Transaction, workspace: WorkspaceRecord) -> None:
    keys = key_rows.matching(transaction, KeyFilter(workspace_id=workspace.id))
    if keys:
        raise StillInUse(
            f"the workspace `{workspace.id}` has {len(keys)} keys, such as `{keys[0].id}`; delete them first"
        )
    for member in member_rows.living(transaction, workspace.account_id):
        if member.workspace_id == workspace.id:
            raise StillInUse(
                f"the member `{member.id}` is bound to the workspace `{workspace.id}`; remove or move them first"
            )

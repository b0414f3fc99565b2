"""Whose things are: looked up by the id that an address or a body names."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from qwenport.core.ids import AccountId, KeyId, LimitId, MemberId, RequestId, WorkspaceId
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.refusals import CallNotFound


class Owner(Struct, frozen=True, kw_only=True):
    """Whose something is."""

    account_id: AccountId | None
    """None for what belongs to the house."""
    workspace_id: WorkspaceId | None = None
    """None for what belongs to the whole account."""


FindOwner = Callable[[Desk, str], Owner]
"""Looks up whose the thing of this id is; raises `NotFound` where there is none."""


def owner_of_account(desk: Desk, name: str) -> Owner:
    """Return the account itself; raises `AccountNotFound`."""
    return Owner(account_id=desk.accounts.find(AccountId(name)).id)


def owner_of_workspace(desk: Desk, name: str) -> Owner:
    """Return a workspace's account, and itself; raises `WorkspaceNotFound`."""
    found = desk.workspaces.find(WorkspaceId(name))
    return Owner(account_id=found.account_id, workspace_id=found.id)


def owner_of_member(desk: Desk, name: str) -> Owner:
    """Return a member's account and workspace; raises `MemberNotFound`."""
    found = desk.members.find(MemberId(name))
    return Owner(account_id=found.account_id, workspace_id=found.workspace_id)


def owner_of_key(desk: Desk, name: str) -> Owner:
    """Return a key's account and workspace; raises `KeyNotFound`."""
    found = desk.keys.find(KeyId(name))
    return Owner(account_id=found.account_id, workspace_id=found.workspace_id)


def owner_of_limit(desk: Desk, name: str) -> Owner:
    """Return whom a limit binds; raises `LimitNotFound`."""
    found = desk.limits.find(LimitId(name)).limit
    return Owner(account_id=found.account_id, workspace_id=found.workspace_id)


def owner_of_call(desk: Desk, name: str) -> Owner:
    """Return a call's account and workspace; raises `CallNotFound`."""
    found = desk.reports.call(RequestId(name))
    if found is None:
        raise CallNotFound(name)
    return Owner(account_id=found.account_id, workspace_id=found.workspace_id)

"""Looking up what a change is about; what is not there is said in words."""

from __future__ import annotations

from qwenport.accounts.errors import (
    AccountNotFound,
    Conflict,
    KeyNotFound,
    LevelNotFound,
    MemberNotFound,
    SettingInvalid,
    WorkspaceNotFound,
)
from qwenport.accounts.texts import known_form
from qwenport.core.caller import AccountState
from qwenport.core.ids import AccountId, KeyId, MemberId, WorkspaceId
from qwenport.storage import account_rows, key_rows, level_rows, member_rows, workspace_rows
from qwenport.storage.records import AccountRecord, KeyRecord, MemberRecord, WorkspaceRecord
from qwenport.storage.transaction import Transaction


def existing_account(transaction: Transaction, account_id: AccountId) -> AccountRecord:
    """Return an account, closed or not; raises `AccountNotFound`."""
    known_form(account_id, AccountNotFound)
    account = account_rows.find(transaction, account_id)
    if account is None:
        raise AccountNotFound(account_id)
    return account


def open_account(transaction: Transaction, account_id: AccountId) -> AccountRecord:
    """Return an account that may still change; raises `AccountNotFound` or `Conflict`."""
    return refuse_closed(existing_account(transaction, account_id))


def refuse_closed(account: AccountRecord) -> AccountRecord:
    """Return the account, or raise `Conflict` where it is closed."""
    if account.terms.state is AccountState.CLOSED:
        raise Conflict(f"the account `{account.id}` is closed for good; make a new one with `qwenport accounts create`")
    return account


def first_account(transaction: Transaction) -> AccountRecord:
    """Return the account that the first start made, if it is not closed; raises `SettingInvalid` or `Conflict`."""
    account = account_rows.first(transaction)
    if account is None:
        raise SettingInvalid("there is no account yet that this could belong to; start the server once")
    return refuse_closed(account)


def living_workspace(transaction: Transaction, workspace_id: WorkspaceId) -> WorkspaceRecord:
    """Return a workspace; raises `WorkspaceNotFound`."""
    known_form(workspace_id, WorkspaceNotFound)
    workspace = workspace_rows.find(transaction, workspace_id)
    if workspace is None:
        raise WorkspaceNotFound(workspace_id)
    return workspace


def workspace_within(transaction: Transaction, workspace_id: WorkspaceId, account_id: AccountId) -> WorkspaceRecord:
    """Return a workspace of this account; raises `WorkspaceNotFound`, also for one of another account."""
    workspace = living_workspace(transaction, workspace_id)
    if workspace.account_id != account_id:
        raise WorkspaceNotFound(workspace_id)
    return workspace


def living_key(transaction: Transaction, key_id: KeyId) -> KeyRecord:
    """Return a key; raises `KeyNotFound`."""
    known_form(key_id, KeyNotFound)
    key = key_rows.find(transaction, key_id)
    if key is None or key.deleted:
        raise KeyNotFound(key_id)
    return key


def living_member(transaction: Transaction, member_id: MemberId) -> MemberRecord:
    """Return a member; raises `MemberNotFound`."""
    known_form(member_id, MemberNotFound)
    member = member_rows.find(transaction, member_id)
    if member is None or member.deleted:
        raise MemberNotFound(member_id)
    return member


def require_level(transaction: Transaction, name: str) -> None:
    """Raise `LevelNotFound` unless the name is empty or that of a level."""
    if name:
        known_form(name, LevelNotFound)
        if level_rows.find(transaction, name) is None:
            raise LevelNotFound(name)

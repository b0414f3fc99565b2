"""Making a limit, inside of a transaction that may make more: what it names must exist and fit together."""

from __future__ import annotations

from msgspec import structs

from qwenport.accounts.audit import note_change
from qwenport.accounts.errors import ChangeDenied, SettingInvalid
from qwenport.accounts.existing import existing_account, living_key, living_workspace, require_level
from qwenport.accounts.limit_settings import CreateLimit, new_limit, read_limit
from qwenport.accounts.making import Making
from qwenport.accounts.roles import OPERATOR_ACTOR
from qwenport.core.ids import KeyId, LimitId, MemberId
from qwenport.core.limits import Limit
from qwenport.storage import limit_rows, member_rows
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import KeyRecord, LimitRecord
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.transaction import Transaction

MOST_LIMITS = 50
"""That name one key, and that bind one whole workspace: each is looked at on every call, while all others wait."""


def add_limit(transaction: Transaction, making: Making, wish: CreateLimit) -> LimitRecord:
    """Write a new limit; raises `SettingInvalid`, `ChangeDenied`, or what is not found of that which it names."""
    limit = _placed(transaction, new_limit(LimitId(making.ids.short_id("lim")), wish))
    refuse_member(transaction, making.actor, limit)
    _refuse_crowd(transaction, limit)
    return _write_new(transaction, making, limit)


def refuse_member(transaction: Transaction, actor: str, limit: Limit) -> None:
    """Raise `ChangeDenied` where a member would change what others bound them by.

    The operator bounds a whole account, and whoever sees the whole account bounds a workspace.
    """
    if actor == OPERATOR_ACTOR or limit.key_id is not None:
        return
    if limit.workspace_id is None:
        raise ChangeDenied("limits of a whole account are the operator's to set; name a workspace or a key")
    member = member_rows.find(transaction, MemberId(actor))
    if member is None or member.workspace_id is not None:
        raise ChangeDenied(
            f"limits of the whole workspace `{limit.workspace_id}` are set by members of the whole account, or by the "
            "operator; name a key"
        )


def _refuse_crowd(transaction: Transaction, limit: Limit) -> None:
    if limit.workspace_id is None:
        return
    rows = limit_rows.matching(transaction, LimitFilter(workspace_id=limit.workspace_id, key_id=limit.key_id))
    if sum(row.key_id == limit.key_id for row in rows) >= MOST_LIMITS:
        what = f"key `{limit.key_id}`" if limit.key_id is not None else f"workspace `{limit.workspace_id}`"
        raise SettingInvalid(f"the {what} has {MOST_LIMITS} limits, the most that are looked at; delete some first")


def _write_new(transaction: Transaction, making: Making, limit: Limit) -> LimitRecord:
    record = LimitRecord(limit=limit, created_at=making.at)
    next_revision(transaction, Counter.LIMITS)
    limit_rows.add(transaction, record)
    note_change(transaction, making.deed("limit.create", limit.id, limit.account_id or ""), None, limit)
    return record


def _placed(transaction: Transaction, limit: Limit) -> Limit:
    """Return a limit with the account and the workspace that follow from what it names."""
    require_level(transaction, limit.level)
    placed = limit
    if limit.key_id is not None:
        key = living_key(transaction, limit.key_id)
        placed = structs.replace(limit, account_id=key.account_id, workspace_id=key.workspace_id)
    elif limit.workspace_id is not None:
        workspace = living_workspace(transaction, limit.workspace_id)
        placed = structs.replace(limit, account_id=workspace.account_id)
    for what, named, found in (
        ("account", limit.account_id, placed.account_id),
        ("workspace", limit.workspace_id, placed.workspace_id),
    ):
        if named not in {None, found}:
            raise SettingInvalid(f"the limit names the {what} `{named}`, but the key or workspace belongs to `{found}`")
    if placed.account_id is not None:
        _check_account(transaction, placed)
    return placed


def _check_account(transaction: Transaction, limit: Limit) -> None:
    account = existing_account(transaction, limit.account_id) if limit.account_id is not None else None
    if account is not None and limit.currency not in {"", account.currency}:
        raise SettingInvalid(
            f"the account `{account.id}` pays in {account.currency}; a limit of {limit.currency} would never bind it"
        )


def copy_limits(transaction: Transaction, making: Making, old: KeyRecord, new: KeyId) -> None:
    """Give a key that replaces another one the same limits, each with a counter of its own."""
    for row in limit_rows.matching(transaction, LimitFilter(key_id=old.id)):
        limit = structs.replace(read_limit(row).limit, id=LimitId(making.ids.short_id("lim")), key_id=new, version=1)
        _write_new(transaction, making, limit)


def remove_limits(transaction: Transaction, making: Making, wanted: LimitFilter) -> None:
    """Delete the limits of something that is deleted."""
    for row in limit_rows.matching(transaction, wanted):
        next_revision(transaction, Counter.LIMITS)
        limit_rows.remove(transaction, row.id)
        note_change(transaction, making.deed("limit.delete", row.id, row.account_id or ""), row, None)

"""Making a key together with the limits that are to bind it."""

from __future__ import annotations

from collections.abc import Iterator

from qwenport.accounts.audit import note_change
from qwenport.accounts.errors import WorkspaceNotFound
from qwenport.accounts.existing import first_account, living_workspace, open_account
from qwenport.accounts.keys import CreateKey, KeyLimits, NewKey, hash_key, prefix_of
from qwenport.accounts.limit_making import add_limit
from qwenport.accounts.limit_settings import CreateLimit
from qwenport.accounts.making import Making
from qwenport.core.ids import WorkspaceId, workspace_of
from qwenport.core.limits import Unit, Window
from qwenport.core.secret import Secret
from qwenport.storage import key_rows
from qwenport.storage.records import AccountRecord, KeyRecord
from qwenport.storage.transaction import Transaction


def add_key(transaction: Transaction, making: Making, wish: CreateKey, secret: Secret) -> NewKey:
    """Write a new key, whose settings were checked, and its limits.

    Raises `AccountNotFound`, `WorkspaceNotFound`, `Conflict` for a closed account, or `SettingInvalid` for a limit.
    """
    account, workspace_id = _home(transaction, wish)
    key = KeyRecord(
        id=making.ids.key_id(),
        account_id=account.id,
        workspace_id=workspace_id,
        name=wish.name,
        description=wish.description,
        digest=hash_key(secret.reveal()),
        prefix=prefix_of(secret),
        created_at=making.at,
        expires_at=wish.expires_at,
        disabled=False,
        deleted=False,
        last_used_at=None,
        models=wish.models,
        ip_ranges=wish.ip_ranges,
        hours=wish.hours,
        rotate_after_days=wish.rotate_after_days,
        bodies=wish.bodies,
        regions=wish.regions,
        priority=wish.priority,
        cache_s=wish.cache_s,
        rotates_to=None,
        revision=0,
    )
    made = key_rows.add(transaction, key)
    note_change(transaction, making.deed("key.create", made.id, account.id), None, made)
    for limit in limits_for_new_key(made, wish.limits, account.currency):
        add_limit(transaction, making, limit)
    return NewKey(id=made.id, key=secret)


def limits_for_new_key(key: KeyRecord, wish: KeyLimits, currency: str) -> Iterator[CreateLimit]:
    """Return the limits of one key that were asked for together with it."""
    if wish.requests_per_minute is not None:
        yield _limit(key, Unit.REQUESTS, Window.MINUTE, wish.requests_per_minute)
    if wish.tokens_per_minute is not None:
        yield _limit(key, Unit.TOTAL_TOKENS, Window.MINUTE, wish.tokens_per_minute)
    if wish.concurrency is not None:
        yield _limit(key, Unit.REQUESTS, Window.AT_ONCE, wish.concurrency)
    if wish.daily_requests is not None:
        yield _limit(key, Unit.REQUESTS, Window.DAY, wish.daily_requests)
    if wish.monthly_spend is not None:
        yield _limit(key, Unit.MONEY, Window.MONTH, wish.monthly_spend, currency)


def _limit(key: KeyRecord, unit: Unit, window: Window, cap: int | str, currency: str = "") -> CreateLimit:
    return CreateLimit(unit=unit, window=window, cap=cap, currency=currency, key_id=key.id)


def _home(transaction: Transaction, wish: CreateKey) -> tuple[AccountRecord, WorkspaceId]:
    """Return the account and the workspace of a new key."""
    if wish.workspace_id is None:
        named = wish.account_id
        account = first_account(transaction) if named is None else open_account(transaction, named)
        return account, workspace_of(account.id)
    workspace = living_workspace(transaction, wish.workspace_id)
    if wish.account_id not in {None, workspace.account_id}:
        raise WorkspaceNotFound(wish.workspace_id)
    return open_account(transaction, workspace.account_id), workspace.id

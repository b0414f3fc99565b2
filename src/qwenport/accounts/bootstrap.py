"""The first start: the account of whoever runs the house, and its first key."""

from __future__ import annotations

import logging
from collections.abc import Callable

from qwenport.accounts.account_settings import CreateAccount, new_account
from qwenport.accounts.audit import note_change
from qwenport.accounts.key_making import add_key
from qwenport.accounts.keys import CreateKey, NewKey, chosen_key, hash_key, random_key
from qwenport.accounts.making import Making
from qwenport.core.caller import AccountKind
from qwenport.core.ids import workspace_of
from qwenport.core.secret import Secret
from qwenport.storage import account_rows, key_rows, workspace_rows
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord, WorkspaceRecord
from qwenport.storage.transaction import Transaction

_log = logging.getLogger(__name__)

ADMIN_EMAIL = "admin@localhost"
ADMIN_CURRENCY = "CNY"
BOOTSTRAP_NAME = "bootstrap"
FIRST_WORKSPACE_NAME = "default"


def bootstrap(
    database: Database, making: Making, key: str | None, email: str, keep: Callable[[Secret], None]
) -> NewKey | None:
    """Make the first account and key where there are none; see `Accounts.bootstrap`."""
    chosen = None if key is None else chosen_key(key)
    with database.write() as transaction:
        account = account_rows.first(transaction)
        if chosen is not None:
            _ensure(transaction, making, account or _add_admin(transaction, making, email), chosen)
            return None
        if account is not None:
            return None
        invented = random_key()
        keep(invented)
        return _add_first_key(transaction, making, _add_admin(transaction, making, email), invented)


def add_account(transaction: Transaction, making: Making, account: AccountRecord) -> AccountRecord:
    """Write a new account and the workspace that every account has."""
    made = account_rows.add(transaction, account)
    workspace = WorkspaceRecord(
        id=workspace_of(made.id), account_id=made.id, name=FIRST_WORKSPACE_NAME, created_at=made.created_at
    )
    workspace_rows.add(transaction, workspace)
    note_change(transaction, making.deed("account.create", made.id, made.id), None, made)
    return made


def _add_admin(transaction: Transaction, making: Making, email: str) -> AccountRecord:
    wish = CreateAccount(email=email, name="admin", kind=AccountKind.METERED, currency=ADMIN_CURRENCY)
    return add_account(transaction, making, new_account(wish, making.at, making.ids))


def _ensure(transaction: Transaction, making: Making, account: AccountRecord, chosen: Secret) -> None:
    known = key_rows.find_by_digest(transaction, hash_key(chosen.reveal()))
    if known is None:
        _add_first_key(transaction, making, account, chosen)
    elif known.deleted or known.disabled:
        # Reviving it would undo what an operator did, maybe because the key had leaked.
        state = "deleted" if known.deleted else "disabled"
        _log.warning("the bootstrap API key was %s as `%s` and stays so; choose another one", state, known.id)


def _add_first_key(transaction: Transaction, making: Making, account: AccountRecord, secret: Secret) -> NewKey:
    return add_key(transaction, making, CreateKey(account_id=account.id, name=BOOTSTRAP_NAME), secret)

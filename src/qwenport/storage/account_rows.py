"""Statements on the table of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select

from qwenport.core.ids import AccountId
from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.records import AccountRecord
from qwenport.storage.tables import ACCOUNTS
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, account: AccountRecord) -> None:
    """Write a new account; its email must not be taken."""
    row = {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "kind": account.kind,
        "currency": account.currency,
        "created_at": milliseconds(account.created_at),
        "state": account.state,
    }
    transaction.connection.execute(insert(ACCOUNTS), row)


def every(transaction: Transaction) -> Sequence[AccountRecord]:
    """Return all accounts, oldest first; the first is the one that the first start made."""
    rows = transaction.connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.created_at, ACCOUNTS.c.id))
    return [_record(row) for row in rows]


def find(transaction: Transaction, account_id: AccountId) -> AccountRecord | None:
    """Return the account with this id."""
    row = transaction.connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).one_or_none()
    return None if row is None else _record(row)


def _record(row: Row[Any]) -> AccountRecord:
    return AccountRecord(
        id=row.id,
        email=row.email,
        name=row.name,
        kind=row.kind,
        currency=row.currency,
        created_at=moment(row.created_at),
        state=row.state,
    )

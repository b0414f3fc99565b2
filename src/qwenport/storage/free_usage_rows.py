"""Statements on what was used of free quotas."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from qwenport.core.ids import AccountId, GrantId
from qwenport.storage.bulk import add_up
from qwenport.storage.records import FreeTokens
from qwenport.storage.tables import FREE_USAGE
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, tokens: Sequence[FreeTokens]) -> None:
    """Add to what was used of the same grants and models already."""
    add_up(transaction, FREE_USAGE, tokens, ("tokens",))


def of_account(transaction: Transaction, account_id: AccountId) -> Sequence[FreeTokens]:
    """Return what an account has used of all its grants."""
    return _records(transaction, account_id)


def every(transaction: Transaction) -> Sequence[FreeTokens]:
    """Return what all accounts have used."""
    return _records(transaction, None)


def _records(transaction: Transaction, account_id: AccountId | None) -> Sequence[FreeTokens]:
    query = select(FREE_USAGE).order_by(*FREE_USAGE.primary_key)
    if account_id is not None:
        query = query.where(FREE_USAGE.c.account_id == account_id)
    return [
        FreeTokens(
            account_id=AccountId(row.account_id), grant_id=GrantId(row.grant_id), model=row.model, tokens=row.tokens
        )
        for row in transaction.connection.execute(query)
    ]

"""Statements on the table of accounts. Every change takes the next revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, and_, insert, or_, select, update

from qwenport.core.caller import AccountKind, AccountState, AccountTerms, FreeQuota
from qwenport.core.ids import AccountId, GrantId
from qwenport.storage.moments import milliseconds, moment, optional_milliseconds
from qwenport.storage.records import AccountRecord
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.tables import ACCOUNTS
from qwenport.storage.transaction import Transaction


class AccountFilter(Struct, frozen=True, kw_only=True):
    """Which accounts to list, oldest first; what is None does not restrict, values are compared whole."""

    account_id: AccountId | None = None
    email: str | None = None
    state: AccountState | None = None
    kind: AccountKind | None = None
    level: str | None = None
    after: AccountId | None = None
    """The last account of the page before."""
    limit: int | None = None


def add(transaction: Transaction, account: AccountRecord) -> AccountRecord:
    """Write a new account and return it as stored; its email must not be taken."""
    revision = next_revision(transaction, Counter.ACCOUNTS)
    transaction.connection.execute(insert(ACCOUNTS), {"id": account.id, **_row(account, revision)})
    return _only(transaction, account.id)


def write(transaction: Transaction, account: AccountRecord) -> AccountRecord:
    """Write an account that exists anew, and return it as stored."""
    statement = update(ACCOUNTS).where(ACCOUNTS.c.id == account.id)
    revision = next_revision(transaction, Counter.ACCOUNTS)
    transaction.connection.execute(statement.values(**_row(account, revision)))
    return _only(transaction, account.id)


def every(transaction: Transaction) -> Sequence[AccountRecord]:
    """Return all accounts, oldest first; the first is the one that the first start made."""
    return matching(transaction, AccountFilter())


def first(transaction: Transaction) -> AccountRecord | None:
    """Return the account that the first start made."""
    return next(iter(matching(transaction, AccountFilter(limit=1))), None)


def find(transaction: Transaction, account_id: AccountId) -> AccountRecord | None:
    """Return the account with this id."""
    row = transaction.connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).one_or_none()
    return None if row is None else _record(row)


def matching(transaction: Transaction, wanted: AccountFilter) -> Sequence[AccountRecord]:
    """Return the accounts that a filter lets through, oldest first; none after one that does not exist."""
    columns = ACCOUNTS.c
    query = select(ACCOUNTS).order_by(columns.created_at, columns.id).limit(wanted.limit)
    for column, value in (
        (columns.id, wanted.account_id),
        (columns.email, wanted.email),
        (columns.state, wanted.state),
        (columns.kind, wanted.kind),
        (columns.level, wanted.level),
    ):
        if value is not None:
            query = query.where(column == str(value))
    if wanted.after is not None:
        last = select(columns.created_at).where(columns.id == wanted.after).scalar_subquery()
        query = query.where(or_(columns.created_at > last, and_(columns.created_at == last, columns.id > wanted.after)))
    return [_record(row) for row in transaction.connection.execute(query)]


def changed_since(transaction: Transaction, revision: int) -> Sequence[AccountRecord]:
    """Return the accounts with a greater revision, in the order of their changes."""
    query = select(ACCOUNTS).where(ACCOUNTS.c.revision > revision).order_by(ACCOUNTS.c.revision)
    return [_record(row) for row in transaction.connection.execute(query)]


def _only(transaction: Transaction, account_id: AccountId) -> AccountRecord:
    return _record(transaction.connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).one())


def _row(account: AccountRecord, revision: int) -> dict[str, Any]:
    terms = account.terms
    free = terms.free_quota
    return {
        "email": account.email,
        "name": account.name,
        "currency": account.currency,
        "created_at": milliseconds(account.created_at),
        "kind": terms.kind.value,
        "state": terms.state.value,
        "level": terms.level,
        "deactivated_models": list(terms.deactivated_models),
        "deactivated_regions": list(terms.deactivated_regions),
        "discounts": dict(terms.discounts),
        "free_grant": "" if free is None else free.grant,
        "free_tokens": 0 if free is None else free.tokens,
        "free_until": optional_milliseconds(None if free is None else free.until),
        "free_tier_only": terms.free_tier_only,
        "revision": revision,
    }


def _record(row: Row[Any]) -> AccountRecord:
    return AccountRecord(
        id=row.id,
        email=row.email,
        name=row.name,
        currency=row.currency,
        created_at=moment(row.created_at),
        terms=_terms(row),
        revision=row.revision,
    )


def _terms(row: Row[Any]) -> AccountTerms:
    return AccountTerms(
        kind=AccountKind(row.kind),
        state=AccountState(row.state),
        level=row.level,
        deactivated_models=tuple(row.deactivated_models),
        deactivated_regions=tuple(row.deactivated_regions),
        free_quota=_free_quota(row),
        free_tier_only=row.free_tier_only,
        discounts=tuple(row.discounts.items()),
    )


def _free_quota(row: Row[Any]) -> FreeQuota | None:
    if row.free_grant == "" or row.free_until is None:
        return None
    return FreeQuota(grant=GrantId(row.free_grant), tokens=row.free_tokens, until=moment(row.free_until))

"""Statements on the table of stored answers. Every one names the account: nobody reaches another's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select

from qwenport.core.ids import AccountId
from qwenport.core.responses import StoredResponse
from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.tables import RESPONSES
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, account_id: AccountId, response: StoredResponse, expires_at: datetime) -> None:
    """Write an answer; its id must be new."""
    row = {
        "id": response.id,
        "account_id": account_id,
        "model": response.model,
        "created_at": milliseconds(response.created_at),
        "expires_at": milliseconds(expires_at),
        "previous_id": response.previous_id,
        "items": response.items,
        "body": response.body,
        "size_bytes": response.size_bytes,
    }
    transaction.connection.execute(insert(RESPONSES), row)


def find(transaction: Transaction, account_id: AccountId, response_id: str, now: datetime) -> StoredResponse | None:
    """Return the account's answer with this id, unless it expired."""
    query = select(RESPONSES).where(_is_living(account_id, response_id, now))
    row: Any = transaction.connection.execute(query).one_or_none()
    if row is None:
        return None
    return StoredResponse(
        id=row.id,
        model=row.model,
        created_at=moment(row.created_at),
        previous_id=row.previous_id,
        items=row.items,
        body=row.body,
    )


def exists(transaction: Transaction, account_id: AccountId, response_id: str, now: datetime) -> bool:
    """Tell whether the account has an answer with this id, without reading it."""
    query = select(RESPONSES.c.id).where(_is_living(account_id, response_id, now))
    return transaction.connection.execute(query).one_or_none() is not None


def remove(transaction: Transaction, account_id: AccountId, response_id: str, now: datetime) -> bool:
    """Remove an answer; returns whether there was one."""
    statement = delete(RESPONSES).where(_is_living(account_id, response_id, now)).returning(RESPONSES.c.id)
    return transaction.connection.execute(statement).one_or_none() is not None


def holdings(transaction: Transaction, account_id: AccountId) -> tuple[int, int]:
    """Return how many answers an account has and how many bytes they are, expired ones too."""
    query = select(func.count(), func.coalesce(func.sum(RESPONSES.c.size_bytes), 0)).where(
        RESPONSES.c.account_id == account_id
    )
    count, size_bytes = transaction.connection.execute(query).one()
    return int(count), int(size_bytes)


def keep_newest(transaction: Transaction, account_id: AccountId, most: int, most_bytes: int) -> None:
    """Remove an account's oldest answers until no more than so many, and so many bytes, are left."""
    newest_first = (RESPONSES.c.created_at.desc(), RESPONSES.c.id.desc())
    ranked = (
        select(
            RESPONSES.c.id,
            func.row_number().over(order_by=newest_first).label("place"),
            func.sum(RESPONSES.c.size_bytes).over(order_by=newest_first, rows=(None, 0)).label("size_so_far"),
        )
        .where(RESPONSES.c.account_id == account_id)
        .subquery()
    )
    surplus = select(ranked.c.id).where(or_(ranked.c.place > most, ranked.c.size_so_far > most_bytes))
    transaction.connection.execute(delete(RESPONSES).where(RESPONSES.c.id.in_(surplus)))


def purge(transaction: Transaction, now: datetime) -> int:
    """Remove what has expired, of all accounts; returns how many."""
    statement = delete(RESPONSES).where(RESPONSES.c.expires_at <= milliseconds(now))
    return int(transaction.connection.execute(statement).rowcount)


def _is_living(account_id: AccountId, response_id: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        RESPONSES.c.id == response_id,
        RESPONSES.c.account_id == account_id,
        RESPONSES.c.expires_at > milliseconds(now),
    )

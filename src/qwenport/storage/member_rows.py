"""Statements on the table of members. Every change takes the next revision; removed members stay in the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from qwenport.core.ids import AccountId, MemberId, WorkspaceId
from qwenport.storage.moments import milliseconds, moment, optional_milliseconds, optional_moment
from qwenport.storage.records import MemberRecord
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.tables import MEMBERS
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, member: MemberRecord) -> MemberRecord:
    """Write a new member and return it as stored."""
    revision = next_revision(transaction, Counter.MEMBERS)
    transaction.connection.execute(insert(MEMBERS), {"id": member.id, **_row(member, revision)})
    return _only(transaction, member.id)


def write(transaction: Transaction, member: MemberRecord) -> MemberRecord:
    """Write a member who exists anew, and return it as stored."""
    statement = update(MEMBERS).where(MEMBERS.c.id == member.id)
    revision = next_revision(transaction, Counter.MEMBERS)
    transaction.connection.execute(statement.values(**_row(member, revision)))
    return _only(transaction, member.id)


def mark_deleted(transaction: Transaction, member_id: MemberId, at: datetime) -> None:
    """Remove a member."""
    statement = update(MEMBERS).where(MEMBERS.c.id == member_id)
    revision = next_revision(transaction, Counter.MEMBERS)
    transaction.connection.execute(statement.values(deleted_at=milliseconds(at), revision=revision))


def find(transaction: Transaction, member_id: MemberId) -> MemberRecord | None:
    """Return the member with this id, removed or not."""
    row = transaction.connection.execute(select(MEMBERS).where(MEMBERS.c.id == member_id)).one_or_none()
    return None if row is None else _record(row)


def living(transaction: Transaction, account_id: AccountId | None = None) -> Sequence[MemberRecord]:
    """Return the members of an account, or of all, who were not removed, oldest first."""
    query = select(MEMBERS).where(MEMBERS.c.deleted_at.is_(None)).order_by(MEMBERS.c.created_at, MEMBERS.c.id)
    if account_id is not None:
        query = query.where(MEMBERS.c.account_id == account_id)
    return [_record(row) for row in transaction.connection.execute(query)]


def changed_since(transaction: Transaction, revision: int) -> Sequence[MemberRecord]:
    """Return the members, removed ones too, with a greater revision, in the order of their changes."""
    query = select(MEMBERS).where(MEMBERS.c.revision > revision).order_by(MEMBERS.c.revision)
    return [_record(row) for row in transaction.connection.execute(query)]


def _only(transaction: Transaction, member_id: MemberId) -> MemberRecord:
    return _record(transaction.connection.execute(select(MEMBERS).where(MEMBERS.c.id == member_id)).one())


def _row(member: MemberRecord, revision: int) -> dict[str, Any]:
    return {
        "account_id": member.account_id,
        "workspace_id": member.workspace_id or "",
        "email": member.email,
        "name": member.name,
        "role": str(member.role),
        "digest": member.digest,
        "prefix": member.prefix,
        "created_at": milliseconds(member.created_at),
        "expires_at": optional_milliseconds(member.expires_at),
        "disabled": member.disabled,
        "revision": revision,
    }


def _record(row: Row[Any]) -> MemberRecord:
    return MemberRecord(
        id=row.id,
        account_id=row.account_id,
        workspace_id=WorkspaceId(row.workspace_id) if row.workspace_id else None,
        email=row.email,
        name=row.name,
        role=row.role,
        digest=row.digest,
        prefix=row.prefix,
        created_at=moment(row.created_at),
        expires_at=optional_moment(row.expires_at),
        disabled=row.disabled,
        deleted=row.deleted_at is not None,
        revision=row.revision,
    )

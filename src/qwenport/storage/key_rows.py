"""Statements on the table of API keys. Every change but the time of last use takes the next revision.

Keys are never removed from the table: a running gateway must learn of a deletion, and the books refer to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, json
from sqlalchemy import ColumnElement, Row, and_, bindparam, insert, or_, select, update

from qwenport.core.caller import BodyKeeping
from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.storage.moments import milliseconds, moment, optional_milliseconds, optional_moment
from qwenport.storage.records import KeyHours, KeyRecord
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.tables import API_KEYS
from qwenport.storage.transaction import Transaction

_HOURS = json.Decoder(KeyHours)


class KeyFilter(Struct, frozen=True, kw_only=True):
    """Which living keys to list, oldest first; what is None does not restrict, values are compared whole."""

    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    disabled: bool | None = None
    after: KeyId | None = None
    """The last key of the page before."""
    limit: int | None = None


def add(transaction: Transaction, key: KeyRecord) -> KeyRecord:
    """Write a new key and return it as stored, with its revision."""
    row = {
        "id": key.id,
        "digest": key.digest,
        "prefix": key.prefix,
        "created_at": milliseconds(key.created_at),
        "rotates_to": key.rotates_to,
        **_values(key),
        "revision": next_revision(transaction, Counter.API_KEYS),
    }
    transaction.connection.execute(insert(API_KEYS), row)
    return _only(transaction, key.id)


def write(transaction: Transaction, key: KeyRecord) -> KeyRecord:
    """Write the settings of a key that exists anew, and return it as stored."""
    return _change(transaction, key.id, _values(key))


def find(transaction: Transaction, key_id: KeyId) -> KeyRecord | None:
    """Return the key with this id, deleted or not."""
    return _first(transaction, API_KEYS.c.id == key_id)


def find_by_digest(transaction: Transaction, digest: str) -> KeyRecord | None:
    """Return the key with this SHA-256, deleted or not."""
    return _first(transaction, API_KEYS.c.digest == digest)


def find_by_digests(transaction: Transaction, digests: Sequence[str]) -> Sequence[KeyRecord]:
    """Return the keys with these SHA-256, deleted or not; at most some hundred are asked for at once."""
    query = select(API_KEYS).where(API_KEYS.c.digest.in_(digests)).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
    return [_record(row) for row in transaction.connection.execute(query)]


def matching(transaction: Transaction, wanted: KeyFilter) -> Sequence[KeyRecord]:
    """Return the keys that were not deleted and that a filter lets through, oldest first."""
    columns = API_KEYS.c
    query = select(API_KEYS).where(columns.deleted_at.is_(None)).order_by(columns.created_at, columns.id)
    for column, value in (
        (columns.account_id, wanted.account_id),
        (columns.workspace_id, wanted.workspace_id),
        (columns.disabled, wanted.disabled),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.after is not None:
        last = select(columns.created_at).where(columns.id == wanted.after).scalar_subquery()
        query = query.where(or_(columns.created_at > last, and_(columns.created_at == last, columns.id > wanted.after)))
    return [_record(row) for row in transaction.connection.execute(query.limit(wanted.limit))]


def changed_since(transaction: Transaction, revision: int) -> Sequence[KeyRecord]:
    """Return the keys, deleted ones too, with a greater revision, in the order of their changes."""
    query = select(API_KEYS).where(API_KEYS.c.revision > revision).order_by(API_KEYS.c.revision)
    return [_record(row) for row in transaction.connection.execute(query)]


def mark_deleted(transaction: Transaction, key_id: KeyId, at: datetime) -> KeyRecord:
    """Delete a key."""
    return _change(transaction, key_id, {"deleted_at": milliseconds(at)})


def mark_rotated(transaction: Transaction, key_id: KeyId, *, to: KeyId, expires_at: datetime) -> KeyRecord:
    """Name a key's successor and let it expire."""
    return _change(transaction, key_id, {"rotates_to": to, "expires_at": milliseconds(expires_at)})


def touch(transaction: Transaction, last_used: Mapping[KeyId, datetime]) -> None:
    """Move times of last use forward, never back; ids without a key are passed over. Not for an empty mapping."""
    column = API_KEYS.c.last_used_at
    statement = (
        update(API_KEYS)
        .where(API_KEYS.c.id == bindparam("key"), or_(column.is_(None), column < bindparam("used")))
        .values(last_used_at=bindparam("used"))
    )
    # Always in one order: two workers that touch the same keys must not wait for each other crosswise.
    rows = [{"key": key_id, "used": milliseconds(at)} for key_id, at in sorted(last_used.items())]
    transaction.connection.execute(statement, rows)


def _change(transaction: Transaction, key_id: KeyId, values: Mapping[str, object]) -> KeyRecord:
    statement = update(API_KEYS).where(API_KEYS.c.id == key_id)
    revision = next_revision(transaction, Counter.API_KEYS)
    transaction.connection.execute(statement.values(**values, revision=revision))
    return _only(transaction, key_id)


def _first(transaction: Transaction, condition: ColumnElement[bool]) -> KeyRecord | None:
    row = transaction.connection.execute(select(API_KEYS).where(condition)).one_or_none()
    return None if row is None else _record(row)


def _only(transaction: Transaction, key_id: KeyId) -> KeyRecord:
    return _record(transaction.connection.execute(select(API_KEYS).where(API_KEYS.c.id == key_id)).one())


def _values(key: KeyRecord) -> dict[str, object]:
    bodies = key.bodies
    return {
        "account_id": key.account_id,
        "workspace_id": key.workspace_id,
        "name": key.name,
        "description": key.description,
        "expires_at": optional_milliseconds(key.expires_at),
        "disabled": key.disabled,
        "models": list(key.models),
        "ip_ranges": list(key.ip_ranges),
        "hours": "" if key.hours is None else json.encode(key.hours).decode(),
        "rotate_after_days": key.rotate_after_days,
        "body_bytes": 0 if bodies is None else bodies.most_bytes,
        "body_days": 0 if bodies is None else bodies.days,
        "regions": list(key.regions),
        "priority": key.priority,
        "cache_s": key.cache_s,
    }


def _record(row: Row[Any]) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        account_id=row.account_id,
        workspace_id=row.workspace_id,
        name=row.name,
        description=row.description,
        digest=row.digest,
        prefix=row.prefix,
        created_at=moment(row.created_at),
        expires_at=optional_moment(row.expires_at),
        disabled=row.disabled,
        deleted=row.deleted_at is not None,
        last_used_at=optional_moment(row.last_used_at),
        models=tuple(row.models),
        ip_ranges=tuple(row.ip_ranges),
        hours=_HOURS.decode(row.hours) if row.hours else None,
        rotate_after_days=row.rotate_after_days,
        bodies=BodyKeeping(most_bytes=row.body_bytes, days=row.body_days) if row.body_bytes else None,
        regions=tuple(row.regions),
        priority=row.priority,
        cache_s=row.cache_s,
        rotates_to=row.rotates_to,
        revision=row.revision,
    )

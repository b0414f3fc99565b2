"""Statements on the table of API keys. Every change but the time of last use takes the next revision.

Keys are never removed from the table: a running gateway must learn of a deletion, and the books refer to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, insert, or_, select, update

from qwenport.core.ids import KeyId
from qwenport.storage.moments import milliseconds, moment, optional_milliseconds, optional_moment
from qwenport.storage.records import KeyRecord
from qwenport.storage.tables import ACCOUNTS, API_KEYS, REVISIONS
from qwenport.storage.transaction import Transaction

_COUNTER = "api_keys"


def add(transaction: Transaction, key: KeyRecord) -> KeyRecord:
    """Write a new key and return it as stored, with its revision."""
    row = {
        "id": key.id,
        "account_id": key.account_id,
        "name": key.name,
        "description": key.description,
        "digest": key.digest,
        "prefix": key.prefix,
        "created_at": milliseconds(key.created_at),
        "expires_at": optional_milliseconds(key.expires_at),
        "disabled": key.disabled,
        "models": list(key.models),
        "ip_ranges": list(key.ip_ranges),
        "rotates_to": key.rotates_to,
        "revision": _next_revision(transaction),
    }
    transaction.connection.execute(insert(API_KEYS), row)
    return _only(transaction, key.id)


def find(transaction: Transaction, key_id: KeyId) -> KeyRecord | None:
    """Return the key with this id, deleted or not."""
    return _first(transaction, API_KEYS.c.id == key_id)


def find_by_digest(transaction: Transaction, digest: str) -> KeyRecord | None:
    """Return the key with this SHA-256, deleted or not."""
    return _first(transaction, API_KEYS.c.digest == digest)


def living(transaction: Transaction) -> Sequence[KeyRecord]:
    """Return the keys that were not deleted, oldest first."""
    query = _KEYS.where(API_KEYS.c.deleted_at.is_(None)).order_by(API_KEYS.c.created_at, API_KEYS.c.revision)
    return [_record(row) for row in transaction.connection.execute(query)]


def changed_since(transaction: Transaction, revision: int) -> Sequence[KeyRecord]:
    """Return the keys, deleted ones too, with a greater revision, in the order of their changes."""
    query = _KEYS.where(API_KEYS.c.revision > revision).order_by(API_KEYS.c.revision)
    return [_record(row) for row in transaction.connection.execute(query)]


def set_disabled(transaction: Transaction, key_id: KeyId, *, disabled: bool) -> KeyRecord:
    """Switch a key off or on."""
    return _change(transaction, key_id, {"disabled": disabled})


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
    rows = [{"key": key_id, "used": milliseconds(at)} for key_id, at in last_used.items()]
    transaction.connection.execute(statement, rows)


def _change(transaction: Transaction, key_id: KeyId, values: Mapping[str, object]) -> KeyRecord:
    statement = update(API_KEYS).where(API_KEYS.c.id == key_id)
    transaction.connection.execute(statement.values(**values, revision=_next_revision(transaction)))
    return _only(transaction, key_id)


def _next_revision(transaction: Transaction) -> int:
    # A counter row, not a sequence: its lock is held until commit, so revisions become visible in their order and a
    # reader that asks for what came after N misses nothing.
    statement = (
        update(REVISIONS)
        .where(REVISIONS.c.name == _COUNTER)
        .values(value=REVISIONS.c.value + 1)
        .returning(REVISIONS.c.value)
    )
    return int(transaction.connection.execute(statement).scalar_one())


_KEYS = select(API_KEYS, ACCOUNTS.c.currency).join(ACCOUNTS, ACCOUNTS.c.id == API_KEYS.c.account_id)


def _first(transaction: Transaction, condition: ColumnElement[bool]) -> KeyRecord | None:
    row = transaction.connection.execute(_KEYS.where(condition)).one_or_none()
    return None if row is None else _record(row)


def _only(transaction: Transaction, key_id: KeyId) -> KeyRecord:
    return _record(transaction.connection.execute(_KEYS.where(API_KEYS.c.id == key_id)).one())


def _record(row: Row[Any]) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        account_id=row.account_id,
        currency=row.currency,
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
        rotates_to=row.rotates_to,
        revision=row.revision,
    )

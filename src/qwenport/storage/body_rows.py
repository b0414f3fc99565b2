"""Statements on what calls said, kept for keys that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.storage.tables import CALL_BODIES
from qwenport.storage.transaction import Transaction


class StoredBody(Struct, frozen=True, kw_only=True):
    """Request and answer of one call, each cut to what the key asks for; times are milliseconds since 1970 in UTC."""

    request_id: RequestId
    account_id: AccountId
    key_id: KeyId
    at: int
    expires_at: int
    request: bytes
    answer: bytes
    request_bytes: int
    """Size before it was cut."""
    answer_bytes: int

    def __repr__(self) -> str:
        """Leave out what was said."""
        return f"StoredBody(request_id={self.request_id!r}, request_bytes={self.request_bytes})"


def add(transaction: Transaction, bodies: Sequence[StoredBody]) -> None:
    """Write bodies; those of calls that have some already are passed over."""
    known = select(CALL_BODIES.c.request_id).where(CALL_BODIES.c.request_id.in_([body.request_id for body in bodies]))
    there = set(transaction.connection.execute(known).scalars())
    new = {body.request_id: body for body in bodies if body.request_id not in there}
    if new:
        transaction.connection.execute(insert(CALL_BODIES), [msgspec.structs.asdict(body) for body in new.values()])


def find(transaction: Transaction, request_id: RequestId, now_ms: int) -> StoredBody | None:
    """Return what a call said; None where nothing was kept or its time is over."""
    query = select(CALL_BODIES).where(CALL_BODIES.c.request_id == request_id, CALL_BODIES.c.expires_at > now_ms)
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        return None
    return StoredBody(**{name: getattr(row, name) for name in StoredBody.__struct_fields__})


def prune(transaction: Transaction, now_ms: int, limit: int) -> int:
    """Delete at most `limit` bodies whose time is over; return how many."""
    expired = select(CALL_BODIES.c.request_id).where(CALL_BODIES.c.expires_at <= now_ms).limit(limit)
    statement = delete(CALL_BODIES).where(CALL_BODIES.c.request_id.in_(expired))
    return transaction.connection.execute(statement).rowcount

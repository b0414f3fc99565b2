"""Statements on the table of requests that are answered once. Every one that answers a caller names the API key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import and_, delete, func, insert, select, tuple_, update

from qwenport.core.ids import KeyId, RequestId
from qwenport.storage.tables import IDEMPOTENT_REQUESTS
from qwenport.storage.transaction import Transaction

IN_PROGRESS = 0
NOT_KEPT = -1

_T = IDEMPOTENT_REQUESTS.c


class Claim(Struct, frozen=True, kw_only=True):
    """A request that somebody began to answer; times are milliseconds since 1970 in UTC."""

    key_id: KeyId
    name: str
    """SHA-256 of the client's `Idempotency-Key`, hexadecimal."""
    digest: str
    """SHA-256 of what was asked, hexadecimal."""
    request_id: RequestId
    begun_at: int


class Kept(Struct, frozen=True, kw_only=True):
    """What is known of an earlier request."""

    digest: str
    request_id: RequestId
    leased_until: int
    """Until then its answer is awaited; afterwards whoever answers it has died, or is cut off from the database."""
    status: int
    headers: bytes
    body: bytes


def find(transaction: Transaction, claim: Claim, now: int) -> Kept | None:
    """Return what is known of a request with the same keys."""
    query = select(_T.digest, _T.request_id, _T.leased_until, _T.status, _T.headers, _T.body)
    row: Any = transaction.connection.execute(query.where(_is(claim), _T.expires_at > now)).one_or_none()
    return None if row is None else Kept(**row._mapping)  # noqa: SLF001 - how SQLAlchemy gives out rows as mappings


def claim(transaction: Transaction, new: Claim, leased_until: int, expires_at: int) -> None:
    """Write that a request is being answered, in the place of what was known of it."""
    transaction.connection.execute(delete(IDEMPOTENT_REQUESTS).where(_is(new)))
    row = {
        "key_id": new.key_id,
        "name": new.name,
        "digest": new.digest,
        "request_id": new.request_id,
        "begun_at": new.begun_at,
        "leased_until": leased_until,
        "expires_at": expires_at,
        "status": IN_PROGRESS,
        "headers": b"",
        "body": b"",
        "size_bytes": 0,
    }
    transaction.connection.execute(insert(IDEMPOTENT_REQUESTS), row)


def keep(transaction: Transaction, claimed: Claim, status: int, headers: bytes, body: bytes) -> None:
    """Write the answer down, unless somebody else has taken the request over."""
    values = {"status": status, "headers": headers, "body": body, "size_bytes": len(headers) + len(body)}
    statement = update(IDEMPOTENT_REQUESTS).where(_is(claimed), _T.request_id == claimed.request_id).values(values)
    transaction.connection.execute(statement)


def release(transaction: Transaction, claims: Sequence[Claim]) -> None:
    """Forget requests that are not answered after all."""
    for claimed in claims:
        gone = and_(_is(claimed), _T.request_id == claimed.request_id, _T.status == IN_PROGRESS)
        transaction.connection.execute(delete(IDEMPOTENT_REQUESTS).where(gone))


def renew(transaction: Transaction, claims: Sequence[Claim], leased_until: int) -> None:
    """Say that these requests are still being answered."""
    ids = [each.request_id for each in claims]
    statement = update(IDEMPOTENT_REQUESTS).where(_T.request_id.in_(ids), _T.status == IN_PROGRESS)
    transaction.connection.execute(statement.values(leased_until=leased_until))


def keep_newest(transaction: Transaction, key_id: KeyId | None, most: int, most_bytes: int) -> None:
    """Leave so much room to the newest answers of a key, or of all of them, and forget all but so many requests.

    A request whose answer gives way stays known: it was answered, and is not to be answered again.
    """
    whose = [] if key_id is None else [_T.key_id == key_id]
    totals = select(func.count(), func.coalesce(func.sum(_T.size_bytes), 0)).where(*whose)
    count, size_bytes = transaction.connection.execute(totals).one()
    if count <= most and size_bytes <= most_bytes:
        return
    newest_first: Any = (_T.begun_at.desc(), _T.key_id, _T.name)
    # A tenth at once: else one at its bound would have every row looked at for every answer.
    ranked = (
        select(
            _T.key_id,
            _T.name,
            func.row_number().over(order_by=newest_first).label("place"),
            func.sum(_T.size_bytes).over(order_by=newest_first).label("size_so_far"),
        )
        .where(*whose)
        .subquery()
    )
    named = select(ranked.c.key_id, ranked.c.name)
    without_room = named.where(ranked.c.size_so_far > most_bytes * 9 // 10)
    forgotten = named.where(ranked.c.place > most * 9 // 10)
    row = tuple_(_T.key_id, _T.name)
    answers = update(IDEMPOTENT_REQUESTS).where(row.in_(without_room), _T.size_bytes > 0)
    transaction.connection.execute(answers.values(status=NOT_KEPT, headers=b"", body=b"", size_bytes=0))
    if count > most:
        requests = delete(IDEMPOTENT_REQUESTS).where(row.in_(forgotten), _T.status != IN_PROGRESS)
        transaction.connection.execute(requests)


def purge(transaction: Transaction, now: int) -> int:
    """Remove what has expired; returns how many requests that were."""
    statement = delete(IDEMPOTENT_REQUESTS).where(_T.expires_at <= now)
    return int(transaction.connection.execute(statement).rowcount)


def _is(claimed: Claim) -> Any:
    return and_(_T.key_id == claimed.key_id, _T.name == claimed.name)

"""Statements on the table of stored files. Every look-up names the account: nobody finds another's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, tuple_

from qwenport.core.ids import AccountId
from qwenport.core.stored_files import FilePurpose, ListFiles, StoredFile
from qwenport.storage.moments import milliseconds, moment, optional_milliseconds, optional_moment
from qwenport.storage.tables import STORED_FILES
from qwenport.storage.transaction import Transaction

_TABLE = STORED_FILES.c
_BATCH = 500
"""Ids in one statement; databases bound how many values a statement may have."""


class UploadOrigin(Struct, frozen=True, kw_only=True):
    """Where a file came from that was posted to the upload host."""

    key: str = ""
    """What stands after `oss://`; empty for files of every other purpose."""
    model: str = ""
    """The model that leave to post was asked for."""


def add(transaction: Transaction, account_id: AccountId, file: StoredFile, origin: UploadOrigin) -> None:
    """Write a new file; its id and its upload key must be new."""
    row = {
        "id": file.id,
        "account_id": account_id,
        "name": file.name,
        "description": file.description,
        "purpose": file.purpose.value,
        "size_bytes": file.size_bytes,
        "md5": file.md5,
        "created_at": milliseconds(file.created_at),
        "expires_at": optional_milliseconds(file.expires_at),
        "upload_key": origin.key or None,
        "upload_model": origin.model,
    }
    transaction.connection.execute(insert(STORED_FILES), row)


def find(transaction: Transaction, account_id: AccountId, file_id: str, now: datetime) -> StoredFile | None:
    """Return the account's file with this id, unless it expired or is known by its upload key alone."""
    return _first(
        transaction, _is_kept(account_id, now), _TABLE.id == file_id, _TABLE.purpose != FilePurpose.UPLOAD.value
    )


def find_upload(transaction: Transaction, account_id: AccountId, key: str, now: datetime) -> StoredFile | None:
    """Return what the account posted under this key, unless it expired."""
    return _first(transaction, _is_kept(account_id, now), _TABLE.upload_key == key)


def is_taken(transaction: Transaction, upload_key: str) -> bool:
    """Tell whether anything was posted under this key, expired or not."""
    query = select(_TABLE.id).where(_TABLE.upload_key == upload_key)
    return transaction.connection.execute(query).one_or_none() is not None


def page(
    transaction: Transaction, account_id: AccountId, wish: ListFiles, after: StoredFile | None, now: datetime
) -> Sequence[StoredFile]:
    """Return the files of a page and, where there are more, the first of the next page."""
    place = tuple_(_TABLE.created_at, _TABLE.id)
    order = (_TABLE.created_at, _TABLE.id) if wish.oldest_first else (_TABLE.created_at.desc(), _TABLE.id.desc())
    query = select(STORED_FILES).where(_is_listed(account_id, wish, now)).order_by(*order)
    if after is not None:
        start = tuple_(milliseconds(after.created_at), after.id)
        query = query.where(place > start if wish.oldest_first else place < start)
    rows = transaction.connection.execute(query.offset(wish.offset).limit(wish.limit + 1))
    return [_file(row) for row in rows]


def count(transaction: Transaction, account_id: AccountId, wish: ListFiles, now: datetime) -> int:
    """Return how many files there are on all pages."""
    query = select(func.count()).select_from(STORED_FILES).where(_is_listed(account_id, wish, now))
    return int(transaction.connection.execute(query).scalar_one())


def usage(transaction: Transaction, account_id: AccountId, purposes: Sequence[FilePurpose]) -> tuple[int, int]:
    """Return how many files of these purposes an account has, and their bytes; expired ones count until removed."""
    query = select(func.count(), func.coalesce(func.sum(_TABLE.size_bytes), 0)).where(
        _TABLE.account_id == account_id, _TABLE.purpose.in_([purpose.value for purpose in purposes])
    )
    files, size_bytes = transaction.connection.execute(query).one()
    return int(files), int(size_bytes)


def remove(transaction: Transaction, account_id: AccountId, file_ids: Sequence[str]) -> None:
    """Remove files; ids without a row are passed over."""
    for start in range(0, len(file_ids), _BATCH):
        batch = file_ids[start : start + _BATCH]
        transaction.connection.execute(
            delete(STORED_FILES).where(_TABLE.account_id == account_id, _TABLE.id.in_(batch))
        )


def expired(transaction: Transaction, now: datetime, limit: int) -> Sequence[tuple[AccountId, str]]:
    """Return account and id of at most `limit` files whose time is over."""
    query = select(_TABLE.account_id, _TABLE.id).where(_TABLE.expires_at <= milliseconds(now)).limit(limit)
    return [(row.account_id, row.id) for row in transaction.connection.execute(query)]


def account_ids(transaction: Transaction) -> set[AccountId]:
    """Return the accounts that have files."""
    return set(transaction.connection.execute(select(_TABLE.account_id).distinct()).scalars())


def ids(transaction: Transaction, account_id: AccountId) -> set[str]:
    """Return the ids of all files of an account."""
    return set(transaction.connection.execute(select(_TABLE.id).where(_TABLE.account_id == account_id)).scalars())


def _is_kept(account_id: AccountId, now: datetime) -> ColumnElement[bool]:
    lives = or_(_TABLE.expires_at.is_(None), _TABLE.expires_at > milliseconds(now))
    return and_(_TABLE.account_id == account_id, lives)


def _is_listed(account_id: AccountId, wish: ListFiles, now: datetime) -> ColumnElement[bool]:
    return and_(_is_kept(account_id, now), _TABLE.purpose.in_([purpose.value for purpose in wish.purposes]))


def _first(transaction: Transaction, *conditions: ColumnElement[bool]) -> StoredFile | None:
    row = transaction.connection.execute(select(STORED_FILES).where(*conditions)).one_or_none()
    return None if row is None else _file(row)


def _file(row: Row[Any]) -> StoredFile:
    return StoredFile(
        id=row.id,
        name=row.name,
        description=row.description,
        purpose=FilePurpose(row.purpose),
        size_bytes=row.size_bytes,
        md5=row.md5,
        created_at=moment(row.created_at),
        expires_at=optional_moment(row.expires_at),
    )

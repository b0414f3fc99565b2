"""The file of the response cache: a database of SQLite of its own, bounded, which may be lost at any time.

Several workers share it. It is written without waiting for the disk: what a power cut takes is asked for again.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, delete, event, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.pool import ConnectionPoolEntry

from qwenport.core.errors import StorageUnavailable
from qwenport.storage.database import Database
from qwenport.storage.sqlite_server import SqliteServer

log = logging.getLogger(__name__)

ROW_BYTES = 200
"""What an answer takes beside its content."""
TOUCH_MS = 60_000
"""How much older than the present the last use must look before it is written down again."""
LOCK_WAIT_MS = 1_000
COUNTED_PARTS = 64
"""The bound is looked after whenever a worker has put a part of it; each may exceed it by as much meanwhile."""

_METADATA = MetaData()
_ANSWERS = Table(
    "answers",
    _METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("stored_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    # An index that holds the size, so that adding up reads no content.
    Index("ix_answers_used_at_size_bytes", "used_at", "size_bytes"),
)


class AnswerFile:
    """Answers by key. Blocking; every method raises `StorageUnavailable`, after which the next one may work again."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Open nothing yet; the folder must exist."""
        self._path = path
        self._max_bytes = max_bytes
        self._database: Database | None = None
        self._uncounted = max_bytes
        """Bytes put since all were added up, which takes time that grows with their number."""

    @property
    def size_bytes(self) -> int:
        """What the file takes on the disk; 0 where nothing was stored yet. Does not block, and never raises."""
        return sum(map(_size_of, self._paths()))

    def find(self, key: bytes, now_ms: int, oldest_ms: int) -> bytes | None:
        """Return the content that was stored at `oldest_ms` or later; one that is damaged is removed."""
        columns = (_ANSWERS.c.content, _ANSWERS.c.digest, _ANSWERS.c.used_at)
        query = select(*columns).where(
            _ANSWERS.c.key == key, _ANSWERS.c.stored_at >= oldest_ms, _ANSWERS.c.expires_at > now_ms
        )
        with self._opened().read() as transaction:
            row: Any = transaction.connection.execute(query).one_or_none()
        if row is None:
            return None
        if not isinstance(row.content, bytes) or hashlib.sha256(row.content).digest() != row.digest:
            log.warning("an answer in the response cache is damaged and is removed")
            self.remove(key)
            return None
        if row.used_at < now_ms - TOUCH_MS:
            with self._opened().write() as transaction:
                touched = update(_ANSWERS).where(_ANSWERS.c.key == key).values(used_at=now_ms)
                transaction.connection.execute(touched)
        return row.content

    def put(self, key: bytes, content: bytes, now_ms: int, expires_ms: int) -> None:
        """Store an answer; what has expired and what was not used for longest makes room for it."""
        size = len(content) + len(key) + ROW_BYTES
        if size > self._max_bytes:
            return
        row = {
            "key": key,
            "stored_at": now_ms,
            "expires_at": expires_ms,
            "used_at": now_ms,
            "size_bytes": size,
            "digest": hashlib.sha256(content).digest(),
            "content": content,
        }
        statement = insert(_ANSWERS).values(row)
        with self._opened().write() as transaction:
            connection = transaction.connection
            connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))
            self._uncounted += size
            if self._uncounted < self._max_bytes // COUNTED_PARTS:
                return
            self._uncounted = 0
            held = connection.execute(select(func.coalesce(func.sum(_ANSWERS.c.size_bytes), 0))).scalar_one()
            if held > self._max_bytes:
                connection.execute(delete(_ANSWERS).where(_ANSWERS.c.expires_at <= now_ms, _ANSWERS.c.key != key))
                # A tenth more than needed, so that a full cache does not make room for every answer anew.
                room = max(size, self._max_bytes * 9 // 10)
                ranked = select(
                    _ANSWERS.c.key,
                    func.sum(_ANSWERS.c.size_bytes)
                    .over(order_by=(_ANSWERS.c.used_at.desc(), _ANSWERS.c.key))
                    .label("so_far"),
                ).subquery()
                surplus = select(ranked.c.key).where(ranked.c.so_far > room)
                connection.execute(delete(_ANSWERS).where(_ANSWERS.c.key.in_(surplus), _ANSWERS.c.key != key))

    def remove(self, key: bytes) -> None:
        """Remove an answer."""
        with self._opened().write() as transaction:
            transaction.connection.execute(delete(_ANSWERS).where(_ANSWERS.c.key == key))

    def held_bytes(self) -> int:
        """Return how much is stored."""
        with self._opened().read() as transaction:
            query = select(func.coalesce(func.sum(_ANSWERS.c.size_bytes), 0))
            return int(transaction.connection.execute(query).scalar_one())

    def close(self) -> None:
        """Close the file."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def _opened(self) -> Database:
        if self._database is None:
            try:
                self._database = self._open()
            except StorageUnavailable as error:
                if not _is_damaged(error):
                    raise
                self._throw_away()
                self._database = self._open()
        return self._database

    def _open(self) -> Database:
        server = SqliteServer(self._path, lock_wait_ms=LOCK_WAIT_MS)

        @event.listens_for(server.engine, "connect")
        def spare_the_disk(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
            # NORMAL keeps the file whole in a power cut; it may lose the last answers, which are asked for again.
            connection.execute("PRAGMA synchronous = NORMAL").close()
            connection.execute("PRAGMA wal_autocheckpoint = 1000").close()
            connection.execute("PRAGMA journal_size_limit = 4194304").close()

        database = Database(server)
        try:
            with database.write() as transaction:
                _METADATA.create_all(transaction.connection)
        except BaseException:
            database.close()
            raise
        return database

    def _throw_away(self) -> None:
        log.warning("the response cache `%s` is damaged; it begins anew", self._path.name)
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _paths(self) -> Sequence[Path]:
        return [self._path.with_name(self._path.name + ending) for ending in ("", "-wal", "-shm")]

    def renew_if_damaged(self, error: StorageUnavailable) -> None:
        """Begin anew where an error says that the file is damaged, or that it is gone."""
        if _is_damaged(error):
            self.close()
            self._throw_away()
        elif "removed or replaced" in error.message:  # by another worker, which met the damage first
            self.close()


_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def _is_damaged(error: StorageUnavailable) -> bool:
    code = getattr(getattr(error.__cause__, "orig", error.__cause__), "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _DAMAGED


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

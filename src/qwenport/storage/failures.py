"""The seam at which every error of the database becomes `StorageUnavailable` with a reason that is safe to show."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from qwenport.core.errors import StorageUnavailable

# Primary result codes, https://www.sqlite.org/rescode.html; the extended codes carry them in their low byte.
_REASONS = {
    sqlite3.SQLITE_BUSY: "the database is locked by another process",
    sqlite3.SQLITE_LOCKED: "the database is locked by another process",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_PERM: "the database file may not be opened",
    sqlite3.SQLITE_AUTH: "the database file may not be opened",
    sqlite3.SQLITE_IOERR: "the disk under the database fails",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the database file is damaged",
    sqlite3.SQLITE_FULL: "the disk under the database is full",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
}


def reason_of(error: BaseException | None) -> str:
    """Return why the database failed, without statements, values or paths."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _REASONS.get(code & 0xFF, "the database refused a statement")
    return "the database failed"


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StorageUnavailable` for whatever the database raises inside; its cause is the database's own error.

    A statement that was put together wrongly is a defect of ours and passes: it must not look like an outage.
    """
    try:
        yield
    except DBAPIError as error:
        raise StorageUnavailable(reason_of(error.orig)) from error

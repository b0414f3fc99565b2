"""The seam at which every error of the database becomes `StorageUnavailable` with a reason that is safe to show."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from qwenport.core.errors import StorageUnavailable

_REFUSED = "the database refused a statement"
_LOCKED = "the database is locked by another process"
_READ_ONLY = "the database is read-only"
_FULL = "the disk under the database is full"
_DISK = "the disk under the database fails"
_DAMAGED = "the database is damaged"

# Primary result codes, https://www.sqlite.org/rescode.html; the extended codes carry them in their low byte.
_SQLITE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: "the database file may not be opened",
    sqlite3.SQLITE_AUTH: "the database file may not be opened",
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the database file is damaged",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
}

_LOST = "the connection to the database server was lost"
_UNREACHABLE = "the database server cannot be reached"
_CREDENTIALS = "the database server refuses the user or the password"
_UNKNOWN = "the database server has no database of this name"
_STARTING = "the database server is starting or stopping"
_CROWDED = "the database server takes no more connections"

# Codes and, with two characters, whole classes of them, https://www.postgresql.org/docs/current/errcodes-appendix.html.
_POSTGRESQL = {
    "08": _LOST,
    "25006": _READ_ONLY,
    "25P03": "the transaction was left idle for too long",
    "28": _CREDENTIALS,
    "3D000": _UNKNOWN,
    "40": _LOCKED,
    "42501": "the user of the database may not do this",
    "42P01": "a month of calls was dropped meanwhile, or the tables are of another version; try again",
    "53100": _FULL,
    "53200": "the database server has no memory left",
    "53300": _CROWDED,
    "53": "the database server is overloaded",
    "55P03": _LOCKED,
    "57014": "the database took too long for a statement",
    "57P01": _LOST,
    "57P02": _LOST,
    "57": _STARTING,
    "58": _DISK,
    "XX": _DAMAGED,
}

# A connection that fails has no code, only the words of the server; those of the usual causes are told apart.
_CONNECTING = (
    ("too many", _CROWDED),
    ("remaining connection slots", _CROWDED),
    ("password", _CREDENTIALS),
    ("role ", _CREDENTIALS),
    ("pg_hba.conf", _CREDENTIALS),
    ("database ", _UNKNOWN),
    ("starting up", _STARTING),
    ("shutting down", _STARTING),
    ("recovery", _STARTING),
)
_FATAL = "FATAL:"


def reason_of(error: BaseException | None) -> str:
    """Return why the database failed, without statements, values or paths."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF, _REFUSED)
    # The two drivers have these attributes; neither need be imported to tell their errors apart.
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]) or _REFUSED
    if hasattr(error, "pgconn"):
        return _connection_failure(str(error))
    return "the database failed"


def _connection_failure(words: str) -> str:
    _, fatal, reason = words.partition(_FATAL)
    if fatal:
        return next((meaning for word, meaning in _CONNECTING if word in reason), _UNREACHABLE)
    return _LOST if "closed" in words or "lost" in words or "terminat" in words else _UNREACHABLE


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StorageUnavailable` for whatever the database raises inside; its cause is the database's own error.

    A statement that was put together wrongly is a defect of ours and passes: it must not look like an outage.
    """
    try:
        yield
    except DBAPIError as error:
        raise StorageUnavailable(reason_of(error.orig)) from error
    except PoolExhausted as error:
        raise StorageUnavailable("all connections to the database are in use") from error

"""The database of the settings as it is: looked at without making or migrating its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from qwenport.cli.context import CommandFailed
from qwenport.settings.settings import Settings
from qwenport.storage.database import BUSY_TIMEOUT_MS, Database, Server
from qwenport.storage.postgres_server import PostgresServer
from qwenport.storage.schema import REVISIONS, revision_of
from qwenport.storage.sqlite_server import SqliteServer


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An open database and the revision of its tables, None for one without any."""

    database: Database
    revision: str | None

    @property
    def is_up_to_date(self) -> bool:
        """Tell whether the tables are those of this version."""
        return self.revision == REVISIONS[-1]


@contextmanager
def stored(chosen: Settings) -> Iterator[Stored]:
    """Give the database; raises `StorageUnavailable`.

    Raises:
        CommandFailed: it is a file that is not there yet.
    """
    with Database(server_of(chosen)) as database:
        with database.read() as transaction:
            revision = revision_of(transaction)
        yield Stored(database=database, revision=revision)


@contextmanager
def stored_up_to_date(chosen: Settings) -> Iterator[Database]:
    """Give the database if its tables are those of this version; raises `StorageUnavailable`.

    Raises:
        CommandFailed: they are not.
    """
    with stored(chosen) as found:
        if not found.is_up_to_date:
            raise CommandFailed(
                f"the tables of the database are at revision `{found.revision}`, not `{REVISIONS[-1]}`: "
                "start `qwenport serve` of this version once, which migrates them, or use the version that made them"
            )
        yield found.database


def server_of(chosen: Settings) -> Server:
    """Return the way to the database.

    Raises:
        CommandFailed: it is a file that is not there yet.
    """
    if chosen.database_url is not None:
        return PostgresServer(chosen.database_url, pool_size=1, lock_wait_ms=BUSY_TIMEOUT_MS)
    if not chosen.database.exists():
        raise CommandFailed(
            f"there is no database in {chosen.data_dir} yet: start `qwenport serve` once, or set QWENPORT_DATA_DIR"
        )
    return SqliteServer(chosen.database, lock_wait_ms=BUSY_TIMEOUT_MS)

"""Which version of the tables a database has, and how it gets to the present one."""

from __future__ import annotations

import threading

from sqlalchemy import inspect, text

from qwenport.core.errors import StorageUnavailable
from qwenport.storage.transaction import Transaction

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every revision in `migrations/versions`, oldest first; a database that names another was made by a newer version."""

SCRIPTS = "qwenport.storage:migrations"
"""Where Alembic finds them, as a package and a folder in it."""

# Alembic keeps the migration that is under way in a global of the process.
_MIGRATING = threading.Lock()


def is_up_to_date(transaction: Transaction) -> bool:
    """Tell whether the tables are those of this version; raises `StorageUnavailable` for those of a newer one."""
    return revision_of(transaction) == REVISIONS[-1]


def migrate(transaction: Transaction) -> None:
    """Migrate to the newest revision, in a transaction that writes alone.

    Where another process has migrated meanwhile there is nothing left to do. Raises `StorageUnavailable`.
    """
    if not is_up_to_date(transaction):
        upgrade(transaction, REVISIONS[-1])


def upgrade(transaction: Transaction, revision: str) -> None:
    """Run the migrations up to a revision inside a transaction, so that a failing one leaves nothing behind."""
    # Alembic takes some 100 ms to import, which only a start that migrates should pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.attributes["connection"] = transaction.connection
    with _MIGRATING:
        command.upgrade(config, revision)


def revision_of(transaction: Transaction) -> str | None:
    """Return the revision of the database, None for an empty one; raises `StorageUnavailable` for a newer one."""
    if not inspect(transaction.connection).has_table("alembic_version"):
        return None
    revision = transaction.connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if revision is not None and revision not in REVISIONS:
        raise StorageUnavailable(
            f"the database was made by a newer version of qwenport: its tables are at revision `{revision}`, "
            f"this version knows `{REVISIONS[-1]}`; start the newer version or restore a backup"
        )
    return None if revision is None else str(revision)

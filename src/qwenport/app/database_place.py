"""Which database the settings mean: PostgreSQL by its address, else the SQLite file of the data directory."""

from __future__ import annotations

from qwenport.settings.settings import Settings
from qwenport.storage.database import Database


def open_database(settings: Settings) -> Database:
    """Open it, making or migrating it where needed; raises `StorageUnavailable`."""
    return Database.open(settings.database if settings.database_url is None else settings.database_url)


def place_of(settings: Settings) -> str:
    """Return where it is, in words without a password."""
    return f"in {settings.data_dir}" if settings.database_url is None else "that QWENPORT_DATABASE_URL names"

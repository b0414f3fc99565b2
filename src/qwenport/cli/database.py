"""`qwenport db`: the database of the settings itself, without a server between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from cyclopts import App

from qwenport.app.data_dir import DataDirectory
from qwenport.app.database_place import open_database, place_of
from qwenport.cli.arguments import AsJson, Yes, confirm
from qwenport.cli.context import settings
from qwenport.cli.display import say, show_json, show_whole
from qwenport.cli.progress import TableBar
from qwenport.cli.stored import stored, stored_up_to_date
from qwenport.settings.settings import Settings
from qwenport.storage.backup import BackupReport, back_up
from qwenport.storage.backup import restore as restore_into
from qwenport.storage.reclaim import reclaim as reclaim_from
from qwenport.storage.schema import REVISIONS
from qwenport.storage.status import read_status

db = App(name="db", help="Show, back up, restore and shrink the database.")


@db.command
def status(*, json: AsJson = False) -> None:
    """Show where the database is, how large, and whether its tables are those of this version; nothing is migrated.

    Args:
        json: print JSON.
    """
    chosen = settings()
    place = chosen.database if chosen.database_url is None else "QWENPORT_DATABASE_URL"
    with stored(chosen) as found:
        known = asdict(read_status(found.database))
    months = [f"{month[:4]}-{month[4:]}" for month in known["months"]]
    show_whole({"place": str(place), **known, "months": months, "newest_revision": REVISIONS[-1]}, json=json)


@db.command
def backup(file: Path, /, *, json: AsJson = False) -> None:
    """Write one state of the database into a new file, while the server goes on; SQLite and PostgreSQL restore it.

    Args:
        file: the backup; it holds addresses, notes and the hashes of keys, so it is readable by its owner alone.
        json: print JSON.
    """
    with stored_up_to_date(settings()) as database, closing(TableBar()) as bar:
        report = back_up(database, file, bar)
    show_report(report, f"are in {file}.", json=json)


@db.command
def restore(file: Path, /, *, yes: Yes = False, json: AsJson = False) -> None:
    """Fill an empty database from a backup; no server may use the data directory meanwhile.

    Args:
        file: the backup.
        yes: do not ask.
        json: print JSON.
    """
    chosen = settings()
    confirm(f"the database {place_of(chosen)} is filled from {file}", yes=yes)
    with held(chosen), open_database(chosen) as database, closing(TableBar()) as bar:
        report = restore_into(file, database, bar)
    show_report(report, "are restored.", json=json)


@db.command
def reclaim(*, json: AsJson = False) -> None:
    """Give the room of deleted rows back to the disk, while the server goes on; SQLite only reuses it by itself.

    Args:
        json: print JSON.
    """
    with stored_up_to_date(settings()) as database:
        report = reclaim_from(database)
    show_whole(asdict(report), json=json)


def show_report(report: BackupReport, where: str, *, json: bool) -> None:
    """Print what was backed up or restored."""
    if json:
        show_json(asdict(report))
    else:
        say(f"{report.rows:,} rows of {report.tables} tables, {report.size_bytes:,} bytes as a backup, {where}")


@contextmanager
def held(chosen: Settings) -> Iterator[None]:
    """Keep servers from the data directory; raises `StartRefused` while one has it."""
    folder = DataDirectory(chosen.data_dir)
    folder.prepare()
    folder.lock()
    try:
        yield
    finally:
        folder.unlock()

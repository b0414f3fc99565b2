"""Backup of a database while it is used, and restore into an empty one, of either kind: so one moves to the other."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
from sqlalchemy import JSON, Boolean, Connection, LargeBinary, Table

from qwenport.core.errors import StorageUnavailable
from qwenport.storage import months
from qwenport.storage.backup_file import (
    FAST,
    FORMAT,
    BackupRefused,
    Manifest,
    Progress,
    Row,
    TableSum,
    opened,
    read_table,
    table_of,
    write_manifest,
    write_table,
)
from qwenport.storage.database import NO_TIMEOUT, Database
from qwenport.storage.failures import reason_of
from qwenport.storage.schema import REVISIONS
from qwenport.storage.tables import METADATA
from qwenport.storage.tables import REVISIONS as COUNTERS
from qwenport.storage.transaction import Transaction

_BATCH = 5_000
_BATCH_WITH_CONTENT = 20
"""Rows at a time of tables whose rows may be megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What was backed up or restored."""

    tables: int
    rows: int
    size_bytes: int
    """Of the file."""


def _quiet(_table: str, _rows: int) -> None:
    """Tell nobody."""


def back_up(database: Database, target: Path, progress: Progress = _quiet) -> BackupReport:
    """Write one state of the database into a new file (mode 0600), while others go on writing.

    The file has its name only when all of it is on the disk. Raises `BackupRefused` where it exists already or cannot
    be written, and `StorageUnavailable`; nothing is left behind then.
    """
    with (
        _new_file(target) as file,
        database.read(timeout_s=NO_TIMEOUT) as transaction,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as archive,
    ):
        tables = tuple(
            write_table(archive, table, _rows_of(transaction.connection, table), progress)
            for table in _tables(transaction)
        )
        write_manifest(archive, Manifest(format=FORMAT, revision=REVISIONS[-1], tables=tables))
    return _report(tables, target)


def restore(source: Path, database: Database, progress: Progress = _quiet) -> BackupReport:
    """Fill an empty database from a backup, wholly or not at all.

    Raises `BackupRefused` for a database that has anything in it, and for a backup that is damaged or of another
    version, and `StorageUnavailable`.
    """
    with opened(source) as (archive, manifest), database.write(timeout_s=NO_TIMEOUT) as transaction:
        _refuse_foreign(manifest)
        _refuse_filled(transaction)
        transaction.connection.execute(COUNTERS.delete())
        for stored in manifest.tables:
            table = table_of(stored)
            if table.metadata is not METADATA:
                months.ensure(transaction, table.name.rpartition("_")[2])
            _fill(transaction.connection, table, read_table(archive, stored, table), progress)
        _settle(transaction.connection)
    return _report(manifest.tables, source)


def _tables(transaction: Transaction) -> Iterator[Table]:
    """Give every table, those that others refer to first."""
    yield from METADATA.sorted_tables
    for month in months.months(transaction):
        yield months.calls_of(month)
        yield months.postings_of(month)


def _rows_of(connection: Connection, table: Table) -> Iterator[Sequence[Row]]:
    """Give the rows of a table in the order of its primary key, as the file has them."""
    columns = ", ".join(_as_stored(connection, column) for column in table.columns)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    streaming = connection.execution_options(stream_results=True)
    # Names are those of our own tables.
    result = streaming.exec_driver_sql(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')  # noqa: S608
    has_content = any(isinstance(column.type, LargeBinary) for column in table.columns)
    with result:
        yield from result.partitions(_BATCH_WITH_CONTENT if has_content else _BATCH)


def _as_stored(connection: Connection, column: Any) -> str:
    if connection.dialect.name == "postgresql":
        if isinstance(column.type, JSON):
            return f'"{column.name}"::text'
        if isinstance(column.type, Boolean):
            return f'"{column.name}"::integer'
    return f'"{column.name}"'


def _refuse_foreign(manifest: Manifest) -> None:
    if manifest.revision != REVISIONS[-1]:
        raise BackupRefused(
            f"the backup has the tables of revision `{manifest.revision}`, this version has `{REVISIONS[-1]}`; "
            "restore it with the version that made it"
        )
    missing = METADATA.tables.keys() - {stored.name for stored in manifest.tables}
    if missing:
        raise BackupRefused(f"the backup lacks the table `{min(missing)}`")


def _refuse_filled(transaction: Transaction) -> None:
    connection = transaction.connection
    filled = [table.name for table in METADATA.sorted_tables if table is not COUNTERS and _has_rows(connection, table)]
    filled += [f"calls_{month}" for month in months.months(transaction)]
    if filled:
        raise BackupRefused(
            f"the database is not empty (`{filled[0]}` has rows); restore into a new one, before a server runs on it"
        )


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(table.select().limit(1)).first() is not None


def _fill(connection: Connection, table: Table, batches: Iterator[list[Row]], progress: Progress) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    rows = 0
    for batch in batches:
        if not batch:
            continue
        if connection.dialect.name == "postgresql":
            _copy(connection, f'COPY "{table.name}" ({names}) FROM STDIN', batch)
        else:
            values = ", ".join("?" * len(table.columns))
            statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({values})'  # noqa: S608 - names of our own tables
            connection.exec_driver_sql(statement, [tuple(row) for row in batch])
        rows += len(batch)
        progress(table.name, rows)


def _copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        # Past SQLAlchemy, which wraps the errors of its own statements only.
        raise StorageUnavailable(reason_of(error)) from error


def _settle(connection: Connection) -> None:
    """Go on numbering after the greatest number, and let PostgreSQL know how its tables are filled."""
    if connection.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608 - our own names
                f"(SELECT MAX({column.name}) FROM {table.name}))"
            )
    connection.exec_driver_sql("ANALYZE")


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file that gets its name when it is complete and on the disk, and is removed otherwise."""
    if target.exists():
        raise BackupRefused(f"`{target.name}` exists already; a backup replaces no file")
    growing = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(growing, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            growing.rename(target)
        finally:
            with suppress(FileNotFoundError):
                growing.unlink()
        _sync_folder(target.parent)
    except OSError as error:
        raise BackupRefused(f"`{target.name}` cannot be written: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _report(tables: Sequence[TableSum], file: Path) -> BackupReport:
    return BackupReport(tables=len(tables), rows=sum(table.rows for table in tables), size_bytes=file.stat().st_size)

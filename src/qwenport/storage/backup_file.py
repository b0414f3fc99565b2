"""What a backup is: a zip with one file of JSON lines for each table, and a manifest written last.

A line is a row as a list of numbers, texts, null, and bytes in Base64; truth values are 0 and 1, and JSON is kept as
its text. So the file is the same whichever of the two databases it was made from, and either takes it. It has the
digests of keys and tokens, and no key and no token: who has the file cannot call with it, but could guess a key that a
person chose.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Boolean, Column, Integer, LargeBinary, Table

from qwenport.storage import months
from qwenport.storage.tables import METADATA

FORMAT = 1
"""Number of this form of backups; a reader refuses a greater one."""

MANIFEST = "manifest.json"

_BLOCK_BYTES = 1_000_000
FAST = 1
"""Deflate level: the highest halves the speed and saves a tenth."""

_Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

Row = Sequence[Any]
Progress = Callable[[str, int], None]
"""Told the table and how many of its rows are done."""


class BackupRefused(Exception):
    """A backup was not made or not restored; the words are for the operator."""


class TableSum(Struct, frozen=True, kw_only=True):
    """What the manifest says of one table."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in a backup."""

    format: int
    revision: str
    """Of the tables, as in `storage.schema`."""
    tables: tuple[TableSum, ...]


class _Format(Struct, frozen=True):
    format: int


def write_table(
    archive: zipfile.ZipFile, table: Table, batches: Iterable[Sequence[Row]], progress: Progress
) -> TableSum:
    """Write the rows of a table; what is in memory is one batch."""
    digest = hashlib.sha256()
    encoder = msgspec.json.Encoder()
    rows = 0
    with archive.open(_member(table.name), "w", force_zip64=True) as member:
        for batch in batches:
            lines = encoder.encode_lines([tuple(row) for row in batch])
            digest.update(lines)
            member.write(lines)
            rows += len(batch)
            progress(table.name, rows)
    return TableSum(name=str(table.name), columns=_names(table), rows=rows, sha256=digest.hexdigest())


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Write what is in the backup; without it a backup is none."""
    archive.writestr(zipfile.ZipInfo(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest)))


@contextmanager
def opened(source: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Give a backup to read; raises `BackupRefused` for a damaged one, now or while it is read."""
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive, _manifest(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, msgspec.DecodeError) as error:
        raise BackupRefused(f"`{source.name}` is damaged, cut off, or no backup of qwenport") from error
    except OSError as error:
        raise BackupRefused(f"`{source.name}` cannot be read: {error.strerror}") from error


def table_of(stored: TableSum) -> Table:
    """Return the table that rows of a backup belong to; raises `BackupRefused` where there is none such."""
    prefix, _, month = stored.name.partition("_")
    try:
        monthly = {"calls": months.calls_of, "postings": months.postings_of}.get(prefix)
        table = METADATA.tables[stored.name] if monthly is None else monthly(month)
    except (KeyError, ValueError) as error:
        raise BackupRefused(f"the backup has a table `{stored.name}` that this version does not know") from error
    if stored.columns != _names(table):
        raise BackupRefused(f"the table `{stored.name}` of the backup has other columns than this version's")
    return table


def read_table(archive: zipfile.ZipFile, stored: TableSum, table: Table) -> Iterator[list[Row]]:
    """Give the rows of a table in batches; raises `BackupRefused`, at the latest after them, where they are damaged."""
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(tuple[tuple(map(_kind, table.columns))])  # type: ignore[misc] # the columns are known only now
    digest = hashlib.sha256()
    rows, rest = 0, b""
    with archive.open(_member(stored.name)) as member:
        while block := member.read(_BLOCK_BYTES):
            digest.update(block)
            whole, newline, rest = (rest + block).rpartition(b"\n")
            batch = decoder.decode_lines(whole + newline)
            rows += len(batch)
            yield batch
    if rest or (rows, digest.hexdigest()) != (stored.rows, stored.sha256):
        raise BackupRefused(
            f"the table `{stored.name}` of the backup is damaged: its rows are not those that were written"
        )


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    content = archive.read(MANIFEST)
    found = msgspec.json.decode(content, type=_Format).format
    if found > FORMAT:
        raise BackupRefused(
            f"the backup was made by a newer version of qwenport: its format is {found}, this version reads {FORMAT}"
        )
    return msgspec.json.decode(content, type=Manifest)


def _names(table: Table) -> tuple[str, ...]:
    # SQLAlchemy's names may be strings of its own kind.
    return tuple(str(column.name) for column in table.columns)


def _member(name: str) -> str:
    return f"tables/{name}.jsonl"


def _kind(column: Column[Any]) -> Any:
    kind: Any = str
    if isinstance(column.type, LargeBinary):
        kind = bytes
    elif isinstance(column.type, (Integer, Boolean)):
        kind = _Number
    return kind | None if column.nullable else kind

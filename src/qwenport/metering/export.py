"""Call history in batches, for files: CSV lines and lines of JSON, with memory for one batch only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import structs

from qwenport.metering.call_report import CallQuery, CallRow, call_filter, call_report_rows
from qwenport.storage import call_rows
from qwenport.storage.database import Database

BATCH = 1_000

COLUMNS = CallRow.__struct_fields__
"""Columns of the CSV."""


def call_batches(database: Database, query: CallQuery, *, rows: int = BATCH) -> Iterator[Sequence[CallRow]]:
    """Yield all calls that a query lets through, newest first; its `limit` and `before` mean nothing here.

    Each batch is a transaction of its own that goes on behind the one before, so that a slow reader holds nothing up.
    Calls that are posted meanwhile are left out where they are newer than the last batch. Raises `ReportInvalid` and
    `StorageUnavailable`.
    """
    wanted = call_filter(query, None)
    while True:
        with database.read() as transaction:
            calls = call_rows.newest(transaction, wanted, rows)
            batch = call_report_rows(transaction, calls) if calls else []
        if batch:
            yield batch
        if len(calls) < rows:
            return
        wanted = structs.replace(wanted, before=(calls[-1].at, calls[-1].request_id))


def csv_lines(rows: Sequence[CallRow], *, header: bool) -> bytes:
    """Return calls as lines of CSV in UTF-8, with the names of the columns before them where asked for."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if header:
        writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_cells(row))
    return text.getvalue().encode()


def ndjson_lines(rows: Sequence[CallRow]) -> bytes:
    """Return calls as one JSON object a line."""
    return msgspec.json.Encoder().encode_lines(rows)


def _cells(row: CallRow) -> list[object]:
    cells: list[object] = []
    for name, value in zip(COLUMNS, structs.astuple(row), strict=True):
        if name == "at":
            cells.append(row.at.isoformat())
        elif isinstance(value, bool):
            cells.append("true" if value else "false")
        elif isinstance(value, str) and value[:1] in {"=", "+", "@", "\t", "\r"}:
            # A name that callers choose must not become a formula in a spreadsheet.
            cells.append(f"'{value}")
        else:
            cells.append(value)
    return cells

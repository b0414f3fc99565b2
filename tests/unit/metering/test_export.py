"""Call history as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from qwenport.core.ids import KeyId
from qwenport.metering.call_report import CallQuery, CallRow
from qwenport.metering.export import COLUMNS, call_batches, csv_lines, ndjson_lines
from qwenport.metering.flush import Books
from qwenport.metering.parquet import write_parquet
from qwenport.metering.reports import Reports
from qwenport.storage.database import Database
from qwenport.testing.settlements import NINE, books_prices, settlement

DAY = 86_400.0


@pytest.fixture
def database(any_database: Database) -> Database:
    """Return books of 25 calls in two months, two at each moment."""
    Books(any_database, books_prices()).post(
        [settlement(number, at=NINE + number // 2 * 3 * DAY, served_by="=SUM(A1),\n") for number in range(25)]
    )
    return any_database


def exported(database: Database, query: CallQuery, rows: int) -> list[CallRow]:
    return [row for batch in call_batches(database, query, rows=rows) for row in batch]


@pytest.mark.parametrize("rows", [1, 7, 25, 1000])
def test_batches_hold_every_call_once_newest_first(database: Database, rows: int) -> None:
    assert exported(database, CallQuery(limit=1), rows) == Reports(database).calls(CallQuery(limit=1000))


def test_an_export_is_restricted_as_a_list_is(database: Database) -> None:
    february = CallQuery(since=datetime(2026, 2, 1, tzinfo=UTC), key_id=KeyId("key-1"))

    assert [row.request_id for row in exported(database, february, 2)] == [
        "request-00024",
        "request-00023",
        "request-00022",
    ]
    assert list(call_batches(database, CallQuery(key_id=KeyId("key-%")))) == []


def test_calls_that_come_meanwhile_disturb_no_export(database: Database) -> None:
    batches = call_batches(database, CallQuery(), rows=10)
    first = next(batches)
    Books(database, books_prices()).post([settlement(99, at=NINE + 300 * DAY)])

    assert len(first) + sum(len(batch) for batch in batches) == 25


def test_csv_has_a_heading_once_and_no_formulas(database: Database) -> None:
    [batch] = call_batches(database, CallQuery(), rows=100)

    heading, first, *_ = csv.reader(io.StringIO((csv_lines(batch[:2], header=True)).decode()))
    assert heading == list(COLUMNS)
    cells = dict(zip(heading, first, strict=True))
    assert (cells["request_id"], cells["at"], cells["cost"]) == (
        "request-00024",
        "2026-02-06T09:00:00+00:00",
        "0.000072",
    )
    assert (cells["streams"], cells["queue_ms"], cells["served_by"]) == ("true", "", "'=SUM(A1),?")
    assert csv_lines(batch[:1], header=False).count(b"\r\n") == 1


def test_lines_of_json_are_the_rows(database: Database) -> None:
    [batch] = call_batches(database, CallQuery(), rows=100)

    lines = ndjson_lines(batch).splitlines()
    assert [json.loads(line)["request_id"] for line in lines] == [row.request_id for row in batch]


def test_parquet_holds_exact_amounts_and_moments(database: Database, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "calls.parquet"

    assert write_parquet(call_batches(database, CallQuery(), rows=10), path) == 25

    table = parquet.read_table(path)
    first = table.to_pylist()[0]
    assert (table.num_rows, table.column_names) == (25, list(COLUMNS))
    assert (first["cost"], first["at"]) == (Decimal("0.000072000"), datetime(2026, 2, 6, 9, tzinfo=UTC))
    assert [file.name for file in tmp_path.glob("*calls*")] == ["calls.parquet"]

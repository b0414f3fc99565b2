"""A month of one account, to the nano-unit."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from qwenport.accounts.errors import AccountNotFound
from qwenport.core.ids import AccountId, RequestId
from qwenport.metering.flush import Books
from qwenport.metering.movements import Movements
from qwenport.metering.queries import ReportInvalid
from qwenport.metering.statement import COLUMNS, StatementLine, statement, statement_csv
from qwenport.storage import account_rows
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord
from qwenport.testing.clock import CountingIds, FakeClock
from qwenport.testing.settlements import books_prices, settlement

ACCOUNT = AccountId("acc-1")
DAY = 86_400.0


@pytest.fixture
def database(any_database: Database) -> Database:
    """Return books of January and February: two credits, a refund, calls of two models on three days."""
    with any_database.write() as transaction:
        account = AccountRecord(
            id=ACCOUNT, email="a@example.com", name="", currency="CNY", created_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        account_rows.add(transaction, account)
    clock = FakeClock()
    movements = Movements(any_database, clock, CountingIds())
    movements.credit("operator", ACCOUNT, "100", "CNY", "=first")
    start = clock.timestamp()
    costs = ((1, 20 * DAY, 1_000_000_000), (2, 35 * DAY, 2_000_000_001), (3, 35 * DAY + 60, 500), (4, 40 * DAY, None))
    Books(any_database, books_prices(), timezone="Asia/Shanghai").post(
        [
            settlement(number, at=start + after, held={"model": f"model-{number % 2}"}, priced=True, cost_nanos=nanos)
            for number, after, nanos in costs
        ]
    )
    clock.advance(36 * DAY)
    movements.refund("operator", RequestId("request-00002"), "0.5", "slow")
    movements.credit("operator", ACCOUNT, "7", "CNY", "second")
    return any_database


def line(day: str, kind: str, description: str, amount: str, balance: str, **counts: int) -> StatementLine:
    names = ("requests", "unpriced_requests", "input_tokens", "output_tokens")
    numbers = {name: counts.get(name, 0) for name in names}
    return StatementLine(day=day, kind=kind, description=description, amount=amount, balance=balance, **numbers)


def test_a_statement_lists_every_movement_and_the_use_of_each_day_and_model(database: Database) -> None:
    found = statement(database, ACCOUNT, "2026-02", timezone="Asia/Shanghai")

    used = {"requests": 1, "input_tokens": 10, "output_tokens": 5}
    assert found.opening_balance == "99.00"
    assert found.lines == (
        line("2026-02-05", "usage", "model-0", "-2.000000001", "96.999999999", **used),
        line("2026-02-05", "usage", "model-1", "-0.0000005", "96.999999499", **used),
        line("2026-02-06", "refund", "request-00002 slow", "0.50", "97.499999499"),
        line("2026-02-06", "credit", "second", "7.00", "104.499999499"),
        line("2026-02-10", "usage", "model-0", "0.00", "104.499999499", unpriced_requests=1, **used),
    )
    assert found.closing_balance == Movements(database, FakeClock(), CountingIds()).balance(ACCOUNT).balance


def test_a_month_ends_with_what_the_next_begins_with(database: Database) -> None:
    months = [statement(database, ACCOUNT, f"2026-{month:02d}", timezone="Asia/Shanghai") for month in (1, 2, 3)]

    assert [(each.opening_balance, each.closing_balance) for each in months] == [
        ("0.00", "99.00"),
        ("99.00", "104.499999499"),
        ("104.499999499", "104.499999499"),
    ]


def test_a_statement_as_csv_opens_and_closes_with_the_balances(database: Database) -> None:
    rows = list(csv.reader(io.StringIO(statement_csv(statement(database, ACCOUNT, "2026-01")))))

    assert rows[0] == list(COLUMNS)
    assert rows[1] == ["2026-01-01", "opening balance", "", "0", "0", "0", "0", "", "0.00", "CNY"]
    assert rows[2] == ["2026-01-01", "credit", "'=first", "0", "0", "0", "0", "100.00", "100.00", "CNY"]
    assert rows[-1] == ["2026-01-31", "closing balance", "", "0", "0", "0", "0", "", "99.00", "CNY"]


@pytest.mark.parametrize("month", ["2026-13", "2026", "202601", "", "2026-1", "9999-12", "0000-01", "२०२६-01", "%"])
def test_what_is_no_month_is_refused(database: Database, month: str) -> None:
    with pytest.raises(ReportInvalid, match="is no month"):
        statement(database, ACCOUNT, month)


def test_an_account_that_does_not_exist_has_no_statement(database: Database) -> None:
    with pytest.raises(AccountNotFound):
        statement(database, AccountId("acc-%"), "2026-01")

"""The quick look at the books sees money that came from nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwenport.metering.quick_check import balances_add_up
from qwenport.storage import balance_rows
from qwenport.storage.balance_rows import Moved, Used
from qwenport.storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as opened:
        yield opened


def write(database: Database, *, used: tuple[Used, ...] = (), moved: tuple[Moved, ...] = ()) -> None:
    with database.write() as transaction:
        if used:
            balance_rows.use(transaction, used)
        if moved:
            balance_rows.move(transaction, moved, revision=1)


def test_books_that_are_new_add_up(database: Database) -> None:
    assert balances_add_up(database)


def test_what_one_account_lost_another_has_got(database: Database) -> None:
    write(
        database,
        used=(
            Used(ledger_account="customer:acc-1", currency="CNY", used_nanos=5),
            Used(ledger_account="house:revenue", currency="CNY", used_nanos=-5),
        ),
        moved=(
            Moved(ledger_account="customer:acc-1", currency="CNY", moved_nanos=9),
            Moved(ledger_account="house:payments", currency="CNY", moved_nanos=-9),
        ),
    )

    assert balances_add_up(database)


def test_money_from_nowhere_is_seen(database: Database) -> None:
    write(database, moved=(Moved(ledger_account="customer:acc-1", currency="CNY", moved_nanos=1),))

    assert not balances_add_up(database)


def test_one_currency_does_not_make_up_for_another(database: Database) -> None:
    write(
        database,
        used=(
            Used(ledger_account="customer:acc-1", currency="CNY", used_nanos=5),
            Used(ledger_account="house:revenue", currency="USD", used_nanos=-5),
        ),
    )

    assert not balances_add_up(database)

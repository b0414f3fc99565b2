"""The check of the books finds what does not agree."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.model_card import ModelCard, Price
from qwenport.metering.flush import Books
from qwenport.metering.ledger import AccountTotal, LedgerCheck, check
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.storage.database import Database

CARD = ModelCard(
    name="qwen-max",
    description="",
    family="qwen-max",
    released=date(2024, 1, 1),
    context_tokens=32_768,
    max_input_tokens=30_720,
    max_output_tokens=8_192,
    prices=tuple(
        Price(
            region=region,
            currency=currency,
            input=Decimal("0.001"),
            output=Decimal("0.002"),
            per_tokens=1000,
            since=date(2025, 1, 3),
            source="a price list",
        )
        for region, currency in (("beijing", "CNY"), ("singapore", "USD"))
    ),
)


def settlement(number: int, *, account: str = "acc-1", currency: str = "CNY", model: str = "qwen-max") -> Settlement:
    hold = Hold(
        id=RequestId(f"request-{number}"),
        at=1_767_258_000.0,
        expires_at=1_767_258_600.0,
        key_id=KeyId("key-1"),
        account_id=AccountId(account),
        currency=currency,
        model=model,
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=100,
        output_tokens=100,
    )
    return Settlement(
        hold=hold,
        at=1_767_258_001.0,
        outcome=Outcome.FINISHED,
        status=200,
        served_by="scripted/model",
        input_tokens=10,
        output_tokens=5,
        usage_source="engine",
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as opened:
        yield opened


@pytest.fixture
def posted(database: Database) -> Database:
    """Return books of four calls: two priced, one unpriced, one of another account in dollars."""
    Books(database, {"qwen-max": CARD}).post(
        [
            settlement(1),
            settlement(2),
            settlement(3, model="unknown"),
            settlement(4, account="acc-2", currency="USD"),
        ]
    )
    return database


def tamper(folder: Path, statement: str) -> None:
    """Change the file behind the books' back."""
    connection = sqlite3.connect(folder / "qwenport.db")
    try:
        connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def test_empty_books_balance(database: Database) -> None:
    assert check(database) == LedgerCheck(balanced=True, open_holds=0, unposted=0, calls=0, totals=(), differences=())


def test_posted_books_balance_and_show_their_totals(posted: Database) -> None:
    assert check(posted) == LedgerCheck(
        balanced=True,
        open_holds=0,
        unposted=0,
        calls=4,
        totals=(
            AccountTotal(
                account_id=AccountId("acc-1"), currency="CNY", requests=3, unpriced_requests=1, cost="0.00004"
            ),
            AccountTotal(
                account_id=AccountId("acc-2"), currency="USD", requests=1, unpriced_requests=0, cost="0.00002"
            ),
        ),
        differences=(),
    )


def test_what_the_journal_still_holds_is_shown_and_does_not_unbalance_the_books(posted: Database) -> None:
    found = msgspec.to_builtins(check(posted, open_holds=2, unposted=3))

    assert (found["balanced"], found["open_holds"], found["unposted"]) == (True, 2, 3)


@pytest.mark.parametrize(
    ("statement", "differences"),
    [
        (
            "DELETE FROM ledger_entries WHERE request_id = 'request-1'",
            (
                "account `acc-1` in CNY: requests are 3 in the call history and 2 in the ledger",
                "account `acc-1` in CNY: costs are 0.00004 in the call history and 0.00002 in the ledger",
                "call `request-1` cost 0.00002, but the ledger has 0 entries of 0.00 for it",
            ),
        ),
        (
            """INSERT INTO ledger_entries SELECT 99, request_id, account_id, currency, 0, 'void', at
               FROM ledger_entries WHERE request_id = 'request-4'""",
            (
                "account `acc-2` in USD: requests are 1 in the call history and 2 in the ledger",
                "call `request-4` cost 0.00002, but the ledger has 2 entries of 0.00002 for it",
            ),
        ),
        (
            "UPDATE ledger_entries SET amount_nanos = amount_nanos + 1 WHERE request_id = 'request-3'",
            (
                "account `acc-1` in CNY: costs are 0.00004 in the call history and 0.000040001 in the ledger",
                "call `request-3` cost 0.00, but the ledger has 1 entries of 0.000000001 for it",
            ),
        ),
        (
            """UPDATE ledger_entries SET amount_nanos = amount_nanos
               + CASE request_id WHEN 'request-1' THEN 5 WHEN 'request-2' THEN -5 ELSE 0 END""",
            (
                "call `request-1` cost 0.00002, but the ledger has 1 entries of 0.000020005 for it",
                "call `request-2` cost 0.00002, but the ledger has 1 entries of 0.000019995 for it",
            ),
        ),
        (
            "UPDATE calls SET cost_nanos = NULL WHERE request_id = 'request-4'",
            (
                "account `acc-2` in USD: costs are 0.00 in the call history and 0.00002 in the ledger",
                "account `acc-2` in USD: unpriced requests are 1 in the call history and 0 in the hourly usage",
                "account `acc-2` in USD: costs are 0.00 in the call history and 0.00002 in the hourly usage",
                "call `request-4` cost 0.00, but the ledger has 1 entries of 0.00002 for it",
            ),
        ),
        (
            "DELETE FROM calls WHERE request_id = 'request-4'",
            (
                "account `acc-2` in USD: requests are 0 in the call history and 1 in the ledger",
                "account `acc-2` in USD: costs are 0.00 in the call history and 0.00002 in the ledger",
                "account `acc-2` in USD: requests are 0 in the call history and 1 in the hourly usage",
                "account `acc-2` in USD: input tokens are 0 in the call history and 10 in the hourly usage",
                "account `acc-2` in USD: output tokens are 0 in the call history and 5 in the hourly usage",
                "account `acc-2` in USD: costs are 0.00 in the call history and 0.00002 in the hourly usage",
                "the ledger has an entry for `request-4`, which the call history does not know",
            ),
        ),
        (
            "UPDATE usage_hours SET requests = requests + 1, cached_tokens = 7 WHERE account_id = 'acc-2'",
            (
                "account `acc-2` in USD: requests are 1 in the call history and 2 in the hourly usage",
                "account `acc-2` in USD: cached tokens are 0 in the call history and 7 in the hourly usage",
            ),
        ),
        (
            "UPDATE usage_hours SET currency = 'EUR' WHERE account_id = 'acc-2'",
            (
                "account `acc-2` in EUR: requests are 0 in the call history and 1 in the hourly usage",
                "account `acc-2` in EUR: input tokens are 0 in the call history and 10 in the hourly usage",
                "account `acc-2` in EUR: output tokens are 0 in the call history and 5 in the hourly usage",
                "account `acc-2` in EUR: costs are 0.00 in the call history and 0.00002 in the hourly usage",
                "account `acc-2` in USD: requests are 1 in the call history and 0 in the hourly usage",
                "account `acc-2` in USD: input tokens are 10 in the call history and 0 in the hourly usage",
                "account `acc-2` in USD: output tokens are 5 in the call history and 0 in the hourly usage",
                "account `acc-2` in USD: costs are 0.00002 in the call history and 0.00 in the hourly usage",
            ),
        ),
    ],
)
def test_every_difference_is_named(
    posted: Database, tmp_path: Path, statement: str, differences: tuple[str, ...]
) -> None:
    tamper(tmp_path, statement)

    found = check(posted)

    assert found.differences == differences
    assert found.balanced is False


def test_entries_of_other_kinds_do_not_concern_calls(posted: Database, tmp_path: Path) -> None:
    """Credits and debits will have no call."""
    tamper(tmp_path, "INSERT INTO ledger_entries VALUES (99, 'credit-1', 'acc-1', 'CNY', 5, 'credit', 0)")

    assert check(posted).differences == ()


def test_of_many_contradicting_calls_some_are_named(database: Database, tmp_path: Path) -> None:
    Books(database, {"qwen-max": CARD}).post([settlement(number) for number in range(30)])
    tamper(tmp_path, "UPDATE ledger_entries SET amount_nanos = 0")

    assert len(check(database).differences) == 1 + 20

"""The check of the books finds what does not agree."""

from __future__ import annotations

import pytest

from qwenport.core.ids import AccountId, GrantId
from qwenport.metering.flush import Books
from qwenport.metering.ledger import AccountTotal, LedgerCheck, check
from qwenport.storage import months
from qwenport.storage.database import Database
from qwenport.testing.settlements import books_prices, settlement

DOLLARS = {"account_id": AccountId("acc-2"), "currency": "USD"}
FREE = {"grant": GrantId("fq-1"), "model": "qwen-plus"}
EMPTY = LedgerCheck(balanced=True, open_holds=0, stale_holds=0, unposted=0, calls=0, totals=(), differences=())


@pytest.fixture
def posted(any_database: Database) -> Database:
    """Return books of five calls: two priced, one unpriced, one free, one of another account in dollars."""
    Books(any_database, books_prices()).post(
        [
            settlement(1),
            settlement(2),
            settlement(3, held={"model": "unknown"}),
            settlement(4, held=DOLLARS),
            settlement(5, held=FREE, priced=True, cost_nanos=0, price_source="free quota"),
        ]
    )
    return any_database


def tamper(database: Database, statement: str) -> None:
    """Change the tables behind the books' back."""
    with database.write() as transaction:
        transaction.connection.exec_driver_sql(statement)


def test_empty_books_balance(any_database: Database) -> None:
    assert check(any_database) == EMPTY


def test_posted_books_balance_and_show_their_totals(posted: Database) -> None:
    assert check(posted) == LedgerCheck(
        balanced=True,
        open_holds=0,
        stale_holds=0,
        unposted=0,
        calls=5,
        totals=(
            AccountTotal(
                account_id=AccountId("acc-1"), currency="CNY", requests=4, unpriced_requests=1, cost="0.000144"
            ),
            AccountTotal(
                account_id=AccountId("acc-2"), currency="USD", requests=1, unpriced_requests=0, cost="0.000036"
            ),
        ),
        differences=(),
    )


@pytest.mark.parametrize(
    ("journal", "running", "balanced"),
    [
        ((2, 0, 3), True, True),
        ((2, 0, 0), False, True),
        ((0, 0, 3), False, False),
        ((1, 1, 0), True, False),
    ],
)
def test_stale_holds_and_what_a_stopped_server_did_not_post_unbalance_the_books(
    posted: Database, journal: tuple[int, int, int], running: bool, balanced: bool
) -> None:
    open_holds, stale_holds, unposted = journal
    found = check(posted, open_holds=open_holds, stale_holds=stale_holds, unposted=unposted, running=running)

    assert (found.balanced, (found.open_holds, found.stale_holds, found.unposted)) == (balanced, journal)


@pytest.mark.parametrize(
    ("statement", "differences"),
    [
        (
            "DELETE FROM postings_202601 WHERE request_id = 'request-00001'",
            (
                "call `request-00001` cost 0.000072, but has no posting",
                "`customer:acc-1` in CNY: 0.000144 are kept as used by calls, and the ledger adds up to 0.000072",
                "`house:revenue` in CNY: -0.000144 are kept as used by calls, and the ledger adds up to -0.000072",
            ),
        ),
        (
            "UPDATE postings_202601 SET kind = 'void' WHERE request_id = 'request-00003'",
            ("call `request-00003` cost 0.00, but its posting (`void`, 0.00) is of another call",),
        ),
        (
            """UPDATE postings_202601 SET amount_nanos = amount_nanos
               + CASE request_id WHEN 'request-00001' THEN 5 WHEN 'request-00002' THEN -5 ELSE 0 END""",
            (
                "call `request-00001` cost 0.000072, but its posting (`post`, 0.000072005) is of another call",
                "call `request-00002` cost 0.000072, but its posting (`post`, 0.000071995) is of another call",
            ),
        ),
        (
            "UPDATE calls_202601 SET cost_nanos = NULL WHERE request_id = 'request-00004'",
            (
                "call `request-00004` cost 0.00, but its posting (`post`, 0.000036) is of another call",
                (
                    "account `acc-2` in USD: unpriced requests are 1 in the call history of 202601 "
                    "and 0 in the hourly usage"
                ),
                "account `acc-2` in USD: costs are 0.00 in the call history of 202601 and 0.000036 in the hourly usage",
            ),
        ),
        (
            "DELETE FROM calls_202601 WHERE request_id = 'request-00005'",
            (
                "the ledger has a posting for `request-00005`, which the call history of 202601 does not know",
                "account `acc-1` in CNY: requests are 3 in the call history of 202601 and 4 in the hourly usage",
                "account `acc-1` in CNY: input tokens are 30 in the call history of 202601 and 40 in the hourly usage",
                "account `acc-1` in CNY: output tokens are 15 in the call history of 202601 and 20 in the hourly usage",
                "account `acc-1` in CNY: cached tokens are 12 in the call history of 202601 and 16 in the hourly usage",
                (
                    "grant `fq-1` of account `acc-1` covered 0 tokens of `qwen-plus` in the call history, "
                    "and 15 are counted"
                ),
            ),
        ),
        (
            "UPDATE usage_hours SET pages = 7 WHERE account_id = 'acc-2'",
            (
                "account `acc-2` in USD: pages are 0 in the call history of 202601 and 7 in the hourly usage",
                "account `acc-2` in USD: pages are 7 in the hourly usage and 0 in the daily usage",
            ),
        ),
        (
            "UPDATE usage_days SET cost_nanos = cost_nanos + 1 WHERE account_id = 'acc-2'",
            ("account `acc-2` in USD: costs are 0.000036 in the hourly usage and 0.000036001 in the daily usage",),
        ),
        (
            "UPDATE balances SET moved_nanos = 3 WHERE ledger_account = 'customer:acc-2'",
            (
                "`customer:acc-2` in USD: 0.000000003 are kept as moved by entries, and the ledger adds up to 0.00",
                "all balances in USD together are 0.000000003 instead of 0",
            ),
        ),
        (
            "DELETE FROM balances WHERE ledger_account = 'customer:acc-2'",
            (
                "`customer:acc-2` has postings or entries in USD, but no balance",
                "all balances in USD together are 0.000036 instead of 0",
            ),
        ),
        (
            """INSERT INTO ledger_entries (number, id, at, kind, account_id, debit, credit, currency, amount_nanos,
               request_id, note, actor) VALUES (1, 'ent-1', 5, 'credit', 'acc-1', 'house:payments', 'customer:acc-1',
               'CNY', 9, '', '', 'operator')""",
            (
                "`customer:acc-1` in CNY: 0.00 are kept as moved by entries, and the ledger adds up to 0.000000009",
                "`house:payments` has postings or entries in CNY, but no balance",
            ),
        ),
        (
            "UPDATE free_usage SET tokens = 16",
            (
                (
                    "grant `fq-1` of account `acc-1` covered 15 tokens of `qwen-plus` in the call history, "
                    "and 16 are counted"
                ),
            ),
        ),
        (
            "DELETE FROM free_usage",
            ("grant `fq-1` of account `acc-1` covered calls of `qwen-plus` that are not counted",),
        ),
    ],
)
def test_every_difference_is_named(posted: Database, statement: str, differences: tuple[str, ...]) -> None:
    tamper(posted, statement)

    found = check(posted)

    assert found.differences == differences
    assert found.balanced is False


def test_calls_in_a_wrong_month_are_named(posted: Database) -> None:
    with posted.write() as transaction:
        months.ensure(transaction, "202602")
        connection = transaction.connection
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE calls DETACH PARTITION calls_202602")
            connection.exec_driver_sql("ALTER TABLE postings DETACH PARTITION postings_202602")
        for table in ("calls", "postings"):
            connection.exec_driver_sql(f"INSERT INTO {table}_202602 SELECT * FROM {table}_202601")  # noqa: S608
            connection.exec_driver_sql(f"DELETE FROM {table}_202601")  # noqa: S608

    assert "month 202602 holds calls of other months" in check(posted).differences


def test_hours_without_a_month_of_calls_are_named(posted: Database) -> None:
    with posted.write() as transaction:
        months.drop(transaction, "202601")

    assert "4 rows of hourly usage lie in months whose calls are not kept" in check(posted).differences


def test_of_many_contradicting_calls_some_are_named(any_database: Database) -> None:
    Books(any_database, books_prices()).post([settlement(number) for number in range(30)])
    tamper(any_database, "UPDATE postings_202601 SET call_at = call_at + 1")

    assert len(check(any_database).differences) == 20

"""Old months go, and the books still balance."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qwenport.core.ids import AccountId, GrantId, KeyId, RequestId
from qwenport.metering.flush import Books
from qwenport.metering.ledger import check
from qwenport.metering.reports import By, CallQuery, ReportInvalid, Reports, UsageQuery
from qwenport.metering.retention import Retained, retain
from qwenport.storage import audit_log_rows, body_rows, months
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.database import Database
from qwenport.testing.settlements import books_prices, settlement, table_rows

NOW = datetime(2026, 5, 20, tzinfo=UTC)
FREE = {"grant": GrantId("fq-1")}


def at(month: int, day: int = 3) -> float:
    return datetime(2026, month, day, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def books(any_database: Database) -> Books:
    return Books(any_database, books_prices(), timezone="Asia/Kolkata")


@pytest.fixture
def filled(any_database: Database, books: Books) -> Database:
    """Return books of five months, with free, unpriced and void calls and two currencies."""
    for month in range(1, 6):
        books.post(
            [
                settlement(10 * month, at=at(month)),
                settlement(10 * month + 1, at=at(month), held={"model": "unknown"}),
                settlement(10 * month + 2, at=at(month), held=FREE, priced=True, cost_nanos=0),
                settlement(10 * month + 3, at=at(month), input_tokens=0, output_tokens=0, cached_tokens=0),
                settlement(10 * month + 4, at=at(month), held={"account_id": AccountId("acc-2"), "currency": "USD"}),
            ]
        )
    return any_database


def test_old_months_go_and_balances_days_and_free_quotas_stay(filled: Database) -> None:
    kept = [table_rows(filled, table) for table in ("balances", "usage_days", "free_usage")]

    assert retain(filled, 2, NOW) == Retained(months=("2026-01", "2026-02"), hours=6)

    with filled.read() as transaction:
        assert months.months(transaction) == ("202603", "202604", "202605")
    found = check(filled)
    assert (found.balanced, found.differences, found.calls) == (True, (), 15)
    assert [table_rows(filled, table) for table in ("balances", "usage_days", "free_usage")] == kept


def test_what_was_carried_is_one_entry_for_each_month_account_and_currency(filled: Database) -> None:
    retain(filled, 2, NOW)

    entries = sorted(
        (row["note"], row["kind"], row["debit"], row["credit"], row["currency"], row["amount_nanos"])
        for row in table_rows(filled, "ledger_entries")
    )
    assert entries == [
        ("calls of 2026-01", "carried", "customer:acc-1", "house:revenue", "CNY", 72_000),
        ("calls of 2026-01", "carried", "customer:acc-2", "house:revenue", "USD", 36_000),
        ("calls of 2026-02", "carried", "customer:acc-1", "house:revenue", "CNY", 72_000),
        ("calls of 2026-02", "carried", "customer:acc-2", "house:revenue", "USD", 36_000),
    ]


def test_a_second_time_changes_nothing(filled: Database) -> None:
    retain(filled, 2, NOW)
    entries = table_rows(filled, "ledger_entries")

    assert retain(filled, 2, NOW) == Retained()
    assert table_rows(filled, "ledger_entries") == entries


def test_the_present_month_is_never_dropped(filled: Database) -> None:
    retain(filled, 0, NOW)

    with filled.read() as transaction:
        assert months.months(transaction) == ("202605",)
    with pytest.raises(ValueError, match="may not be below 0"):
        retain(filled, -1, NOW)


def test_a_journal_that_is_read_again_bills_no_call_of_a_dropped_month_twice(
    filled: Database, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    retain(filled, 2, NOW)
    before = table_rows(filled, "balances")
    new = books.post([settlement(99, at=at(1)), settlement(98, at=at(1)), settlement(97, at=at(5))])

    assert new == 1
    assert "2 calls of the dropped month 202601 were passed over" in caplog.text
    assert check(filled).differences == ()
    assert table_rows(filled, "balances") != before
    assert retain(filled, 2, NOW.replace(day=21)).months == ()


def test_calls_of_dropped_months_are_gone_and_their_hours_are_refused_in_words(filled: Database) -> None:
    retain(filled, 2, NOW)
    reports = Reports(filled, timezone="Asia/Kolkata")

    assert len(reports.calls(CallQuery(limit=100))) == 15
    assert reports.call(RequestId("request-00010")) is None
    with pytest.raises(ReportInvalid, match="hours before 2026-03-03T12:00:00"):
        reports.usage(UsageQuery(by=By.HOUR))
    assert [row.requests for row in reports.usage(UsageQuery(by=By.HOUR, since=NOW.replace(month=4)))] == [3, 1]
    assert sum(row.requests for row in reports.usage(UsageQuery(by=By.MONTH))) == 20


def test_bodies_go_when_their_time_is_over(any_database: Database) -> None:
    now_ms = int(NOW.timestamp() * 1000)
    bodies = [
        StoredBody(
            request_id=RequestId(f"request-{number}"),
            account_id=AccountId("acc-1"),
            key_id=KeyId("key-1"),
            at=now_ms - 5,
            expires_at=now_ms + after,
            request=b"\x00\xff",
            answer=b"",
            request_bytes=2,
            answer_bytes=0,
        )
        for number, after in enumerate((-1, 0, 1))
    ]
    with any_database.write() as transaction:
        body_rows.add(transaction, bodies)
        body_rows.add(transaction, bodies[2:])

    assert retain(any_database, 1, NOW).bodies == 2
    with any_database.read() as transaction:
        found = [body_rows.find(transaction, body.request_id, now_ms) for body in bodies]
        late = body_rows.find(transaction, bodies[2].request_id, now_ms + 1)
    assert (found, late) == ([None, None, bodies[2]], None)


def test_the_audit_log_goes_only_where_a_bound_is_named(any_database: Database) -> None:
    with any_database.write() as transaction:
        for month in (1, 4, 5):
            audit_log_rows.note(
                transaction,
                at=datetime(2026, month, 3, tzinfo=UTC),
                actor="operator",
                action="key.disable",
                object_kind="key",
                object_id="key-1",
                account_id="acc-1",
                before=None,
                after=None,
            )

    assert retain(any_database, 0, NOW) == Retained()
    assert retain(any_database, 0, NOW, keep_audit_months=1) == Retained(audit_rows=1)
    assert len(table_rows(any_database, "audit_log")) == 2

"""Credits, debits, refunds and corrections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from qwenport.accounts.errors import AccountNotFound
from qwenport.core.caller import AccountState, AccountTerms
from qwenport.core.ids import AccountId, EntryId, RandomIds, RequestId
from qwenport.metering.flush import Books
from qwenport.metering.ledger import check
from qwenport.metering.movements import BalanceRow, EntryRow, MovementRefused, Movements
from qwenport.metering.reports import Reports
from qwenport.storage import account_rows
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord
from qwenport.testing.clock import CountingIds, FakeClock
from qwenport.testing.databases import OpenAgain
from qwenport.testing.settlements import books_prices, settlement, table_rows

ACCOUNT = AccountId("acc-1")
CALL = RequestId("request-00001")


def add_account(database: Database, number: int, currency: str, state: AccountState = AccountState.ACTIVE) -> None:
    account = AccountRecord(
        id=AccountId(f"acc-{number}"),
        email=f"{number}@example.com",
        name="",
        currency=currency,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        terms=AccountTerms(state=state),
    )
    with database.write() as transaction:
        account_rows.add(transaction, account)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def movements(any_database: Database, clock: FakeClock) -> Movements:
    add_account(any_database, 1, "CNY")
    add_account(any_database, 2, "USD", AccountState.CLOSED)
    return Movements(any_database, clock, CountingIds())


def post_call(database: Database, cost_nanos: int | None = 5_000_000_000) -> None:
    """Post one call, of 5 CNY where nothing else is said."""
    Books(database, books_prices()).post([settlement(1, priced=True, cost_nanos=cost_nanos)])


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(MovementRefused) as refused:
        action()
    return str(refused.value)


def test_a_credit_and_a_debit_move_the_balance_and_are_in_the_audit_log(
    movements: Movements, any_database: Database
) -> None:
    credit = movements.credit("operator", ACCOUNT, "10.50", "CNY", "paid by bank")
    debit = movements.debit("mem-1", ACCOUNT, Decimal("0.000000001"), "CNY")

    assert credit == EntryRow(
        id=EntryId("ent-1"),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        kind="credit",
        account_id=ACCOUNT,
        amount="10.50",
        currency="CNY",
        request_id="",
        note="paid by bank",
        actor="operator",
    )
    assert movements.balance(ACCOUNT) == BalanceRow(account_id=ACCOUNT, currency="CNY", balance="10.499999999")
    assert movements.entries(ACCOUNT) == [debit, credit]
    audit = [(row["actor"], row["action"], row["object_id"]) for row in table_rows(any_database, "audit_log")]
    assert audit == [("operator", "account.credit", "ent-1"), ("mem-1", "account.debit", "ent-2")]
    assert check(any_database).differences == ()


def test_every_movement_takes_the_next_revision_of_the_balances(movements: Movements, any_database: Database) -> None:
    movements.credit("operator", ACCOUNT, "1", "CNY")
    movements.debit("operator", ACCOUNT, "1", "CNY")

    revisions = {row["ledger_account"]: row["revision"] for row in table_rows(any_database, "balances")}
    assert revisions == {"customer:acc-1": 2, "house:payments": 1, "house:adjustments": 2}


def test_a_credit_with_the_same_key_is_made_once(movements: Movements, any_database: Database) -> None:
    first = movements.credit("operator", ACCOUNT, "3", "CNY", idempotency_key="order-1")
    again = movements.credit("operator", ACCOUNT, "3.00", "CNY", idempotency_key="order-1")

    assert again == first
    assert movements.balance(ACCOUNT).balance == "3.00"
    assert "was used for entry" in refusal(
        lambda: movements.credit("operator", ACCOUNT, "4", "CNY", idempotency_key="order-1")
    )
    assert len(table_rows(any_database, "audit_log")) == 1


@pytest.mark.parametrize(
    "amount",
    [
        "0",
        "-1",
        "1.0000000001",
        "1e3",
        "NaN",
        "inf",
        "",
        " 1",
        "1,000",
        "1000000001",
        "9" * 400,
        "\u0661",
        "0x1",
        "1.",
        ".5",
    ],
)
def test_what_is_no_amount_is_refused(movements: Movements, any_database: Database, amount: str) -> None:
    refusal(lambda: movements.credit("operator", ACCOUNT, amount, "CNY"))

    assert table_rows(any_database, "ledger_entries") == []


def test_what_cannot_be_moved_is_refused_in_words(movements: Movements) -> None:
    with pytest.raises(AccountNotFound):
        movements.credit("operator", AccountId("acc-9"), "1", "CNY")
    assert "is kept in CNY" in refusal(lambda: movements.credit("operator", ACCOUNT, "1", "USD"))
    assert "is closed" in refusal(lambda: movements.credit("operator", AccountId("acc-2"), "1", "USD"))
    assert "a note may have 500" in refusal(lambda: movements.debit("operator", ACCOUNT, "1", "CNY", "x" * 501))
    assert "no call `request-00001` is in the books" in refusal(lambda: movements.refund("operator", CALL))


def test_a_balance_stays_far_from_the_bounds_of_64_bits(movements: Movements, any_database: Database) -> None:
    for _ in range(4):
        movements.credit("operator", ACCOUNT, "1000000000", "CNY")

    assert "would move beyond" in refusal(lambda: movements.credit("operator", ACCOUNT, "0.01", "CNY"))
    assert check(any_database).balanced


def test_refunds_never_exceed_what_is_left_of_a_calls_cost(movements: Movements, any_database: Database) -> None:
    post_call(any_database)

    assert movements.refund("operator", CALL, "2", "sorry").amount == "2.00"
    assert "3.00 CNY are left" in refusal(lambda: movements.refund("operator", CALL, "3.000000001"))
    assert movements.refund("operator", CALL).amount == "3.00"
    assert "nothing is left" in refusal(lambda: movements.refund("operator", CALL))
    assert movements.balance(ACCOUNT).balance == "0.00"
    found = Reports(any_database).call(CALL)
    assert found is not None
    assert (found.cost, found.refunded) == ("5.00", "5.00")
    assert check(any_database).differences == ()


@pytest.mark.parametrize(("cost", "moved"), [("7", "-2.00"), ("1.5", "3.50"), ("0", "5.00")])
def test_a_correction_moves_the_difference(movements: Movements, any_database: Database, cost: str, moved: str) -> None:
    post_call(any_database)

    assert movements.correct("operator", CALL, cost, "wrong list").amount == moved
    assert "already" in refusal(lambda: movements.correct("operator", CALL, cost))
    assert Decimal(movements.balance(ACCOUNT).balance) == -Decimal(cost)
    assert check(any_database).differences == ()


def test_a_call_without_a_price_can_be_given_one(movements: Movements, any_database: Database) -> None:
    post_call(any_database, None)

    assert "nothing is left" in refusal(lambda: movements.refund("operator", CALL))
    assert movements.correct("operator", CALL, "0.25").amount == "-0.25"
    assert movements.refund("operator", CALL).amount == "0.25"


def test_of_refunds_at_once_no_more_than_the_cost_is_given_back(
    movements: Movements, any_database: Database, open_again: OpenAgain, clock: FakeClock
) -> None:
    post_call(any_database)
    others = [Movements(open_again(), clock, RandomIds()) for _ in range(4)]

    def refund(other: Movements) -> bool:
        try:
            other.refund("operator", CALL, "2")
        except MovementRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(refund, others)) == [False, False, True, True]
    assert movements.balance(ACCOUNT).balance == "-1.00"


def test_entries_are_restricted_to_a_time_and_come_in_pages(movements: Movements, clock: FakeClock) -> None:
    made = []
    for amount in ("1", "2", "3"):
        made.append(movements.credit("operator", ACCOUNT, amount, "CNY"))
        clock.advance(60)
    second = made[1].at

    assert [row.amount for row in movements.entries(ACCOUNT, since=second)] == ["3.00", "2.00"]
    assert [row.amount for row in movements.entries(ACCOUNT, until=second + timedelta(seconds=1))] == ["2.00", "1.00"]
    assert [row.amount for row in movements.entries(ACCOUNT, limit=1, before=made[2].id)] == ["2.00"]
    assert "is no entry" in refusal(lambda: movements.entries(ACCOUNT, before=EntryId("%")))
    assert "1 to 1000" in refusal(lambda: movements.entries(ACCOUNT, limit=0))


def test_an_entry_as_json_has_its_amount_as_text(movements: Movements) -> None:
    entry = msgspec.to_builtins(movements.credit("operator", ACCOUNT, "0.1", "CNY"))

    assert (entry["amount"], entry["at"]) == ("0.10", "2026-01-01T00:00:00Z")

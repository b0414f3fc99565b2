"""The books on a file that others use too, and that fails."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import ArgumentError

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, RequestId
from qwenport.metering.flush import Books
from qwenport.metering.ledger import LedgerCheck, check
from qwenport.metering.movements import Movements
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Settlement
from qwenport.metering.reports import By, CallQuery, Reports, UsageQuery
from qwenport.metering.retention import retain
from qwenport.metering.statement import statement
from qwenport.storage.database import Database
from qwenport.storage.failures import reason_of
from qwenport.storage.months import calls_of, ensure
from qwenport.testing.clock import CountingIds, FakeClock
from qwenport.testing.settlements import settlement

PRICES = PriceBook({})
EMPTY = LedgerCheck(balanced=True, open_holds=0, stale_holds=0, unposted=0, calls=0, totals=(), differences=())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "qwenport.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with Database.open(path, busy_timeout_ms=50) as opened:
        yield opened


def pragma(database: Database, name: str, value: int | None = None) -> int:
    """Ask or set a pragma of the handle's one connection."""
    with database.read() as transaction:
        statement = f"PRAGMA {name}" if value is None else f"PRAGMA {name} = {value}"
        answer = transaction.connection.exec_driver_sql(statement)
        return int(answer.scalar_one()) if answer.returns_rows else 0


def failure(action: object) -> str:
    """Return the reason with which a call of `action` finds the storage unavailable."""
    assert callable(action)
    with pytest.raises(StorageUnavailable) as refusal:
        action()
    return str(refusal.value).removeprefix("The service cannot record calls now, please try again later. (")[:-1]


def test_the_files_are_for_their_owner_only(path: Path, database: Database) -> None:
    Books(database, PRICES).post([settlement(1)])

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"qwenport.db": 0o600, "qwenport.db-wal": 0o600, "qwenport.db-shm": 0o600}


def test_commits_survive_a_power_cut_and_references_are_checked(database: Database) -> None:
    with database.read() as transaction:
        mode = transaction.connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

    full = 2
    assert (mode, pragma(database, "synchronous"), pragma(database, "foreign_keys")) == ("wal", full, 1)


def test_the_log_is_worked_into_the_file_every_16_megabytes(database: Database) -> None:
    assert pragma(database, "wal_autocheckpoint") * pragma(database, "page_size") == 16_384_000


def test_a_handle_waits_five_seconds_for_another_writer(tmp_path: Path) -> None:
    with Database.open(tmp_path / "other.db") as opened:
        assert pragma(opened, "busy_timeout") == 5_000


def test_a_full_disk_is_named_and_leaves_nothing_half_written(database: Database) -> None:
    books = Books(database, PRICES)
    pages = pragma(database, "page_count")
    # Room for some of the rows only; the write-ahead log is not bounded by this, the pages of the transaction are.
    pragma(database, "max_page_count", pages + 4)
    many = [settlement(number) for number in range(400)]

    assert failure(lambda: books.post(many)) == "the disk under the database is full"
    assert check(database) == EMPTY

    pragma(database, "max_page_count", 1_000_000)
    assert books.post(many) == 400
    assert check(database).balanced


def test_a_batch_before_the_full_disk_stays_and_a_replay_completes_it(database: Database) -> None:
    books = Books(database, PRICES)
    many = [settlement(number) for number in range(600)]
    books.post(many[:500])
    pragma(database, "max_page_count", pragma(database, "page_count") + 2)

    assert failure(lambda: books.post(many)) == "the disk under the database is full"
    assert (check(database).calls, check(database).balanced) == (500, True)

    pragma(database, "max_page_count", 1_000_000)
    assert books.post(many) == 100


def test_another_writer_locks_the_books_but_not_the_reports(path: Path, database: Database) -> None:
    books, reports = Books(database, PRICES), Reports(database)
    books.post([settlement(1)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert failure(lambda: books.post([settlement(2)])) == "the database is locked by another process"
    assert [call.request_id for call in reports.calls(CallQuery())] == ["request-00001"]

    other.close()
    assert books.post([settlement(2)]) == 1


def test_a_read_only_database_is_named(database: Database) -> None:
    pragma(database, "query_only", 1)

    assert failure(lambda: Books(database, PRICES).post([settlement(1)])) == "the database is read-only"
    assert check(database) == EMPTY


def test_a_damaged_file_is_named(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)

    assert failure(lambda: Database.open(path)) == "the database file is damaged"


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "qwenport.db"

    assert failure(lambda: Database.open(missing)) == "the database file cannot be opened: No such file or directory"
    assert str(tmp_path) not in failure(lambda: Database.open(missing))


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    assert failure(lambda: Database.open(tmp_path)) == "the database file cannot be opened: Is a directory"


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_taken_away_is_not_written_on_in_secret(path: Path, database: Database, replaced: bool) -> None:
    books = Books(database, PRICES)
    books.post([settlement(1)])
    path.rename(path.with_name("elsewhere.db"))
    if replaced:
        path.touch()

    words = "the database file was removed or replaced; restart to open the new one"
    assert failure(lambda: books.post([settlement(2)])) == words
    assert failure(lambda: Reports(database).calls(CallQuery())) == words
    assert path.exists() == replaced


def test_every_service_of_the_books_says_that_the_storage_is_unavailable(path: Path, database: Database) -> None:
    movements, reports = Movements(database, FakeClock(), CountingIds()), Reports(database)
    os.unlink(path)  # noqa: PTH108 - the file goes, as `rm` would have it
    account_id = AccountId("acc-1")

    actions = [
        lambda: movements.credit("operator", account_id, "1", "CNY"),
        lambda: movements.balance(account_id),
        lambda: Books(database, PRICES).post([settlement(1)]),
        lambda: retain(database, 1, datetime(2026, 1, 1, tzinfo=UTC)),
        lambda: statement(database, account_id, "2026-01"),
        lambda: reports.usage(UsageQuery(by=By.DAY)),
        lambda: reports.call(RequestId("request-1")),
        lambda: check(database),
    ]

    words = "the database file was removed or replaced; restart to open the new one"
    assert [failure(action) for action in actions] == [words] * len(actions)


def test_an_error_says_nothing_of_what_was_written(path: Path, database: Database) -> None:
    with database.write() as transaction:
        ensure(transaction, "202601")
    raw = sqlite3.connect(path)
    raw.execute("CREATE TRIGGER t BEFORE INSERT ON calls_202601 BEGIN SELECT RAISE(ABORT, 'no'); END")
    raw.commit()
    raw.close()

    with pytest.raises(StorageUnavailable) as refusal:
        Books(database, PRICES).post([settlement(1, served_by="a-name-to-find")])

    assert "a-name-to-find" not in str(refusal.value) + str(refusal.value.__cause__)
    assert refusal.value.retry_after_s == 5


def test_an_extended_result_code_has_the_reason_of_its_kind() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC

    assert reason_of(error) == "the disk under the database fails"


def test_an_error_of_the_driver_itself_is_a_failure_too(database: Database) -> None:
    def use_a_closed_connection() -> None:
        with database.read() as transaction:
            raw = transaction.connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.close()
            transaction.connection.exec_driver_sql("SELECT 1")

    assert failure(use_a_closed_connection) == "the database failed"
    assert check(database) == EMPTY


def test_a_wrongly_built_statement_is_a_defect_and_no_outage(database: Database) -> None:
    def compare_with_nothing() -> None:
        with database.read() as transaction:
            transaction.connection.execute(select(calls_of("202601")).where(calls_of("202601").c.at < None))

    with pytest.raises(ArgumentError):
        compare_with_nothing()


def test_a_ping_tells_whether_the_database_answers(path: Path, database: Database) -> None:
    database.ping()
    path.rename(path.with_name("elsewhere.db"))

    assert failure(database.ping) == "the database file was removed or replaced; restart to open the new one"


def test_an_error_of_the_caller_rolls_back_and_stays_what_it_is(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.write() as transaction:
            transaction.connection.exec_driver_sql("INSERT INTO revisions VALUES ('other', 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()

    with database.read() as transaction:
        assert transaction.connection.exec_driver_sql("SELECT name FROM revisions").scalars().all().count("other") == 0


def test_a_reader_sees_one_state_while_others_write(path: Path, database: Database) -> None:
    count = "SELECT count(*) FROM usage_hours"
    with Database.open(path) as other, database.read() as transaction:
        before = transaction.connection.exec_driver_sql(count).scalar_one()
        Books(other, PRICES).post([settlement(1)])
        after = transaction.connection.exec_driver_sql(count).scalar_one()

    assert (before, after) == (0, 0)
    assert check(database).calls == 1


def in_threads(*actions: object) -> None:
    """Run the actions at the same time; fail if one of them fails."""
    barrier = threading.Barrier(len(actions))
    failures: list[BaseException] = []

    def run(action: object) -> None:
        assert callable(action)
        barrier.wait()
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_two_handles_that_post_the_same_settlements_at_once_post_each_once(path: Path) -> None:
    many = [settlement(number) for number in range(300)]
    new: list[int] = []
    # A slow disk may keep the one waiting for all that the other writes: nobody waits in line for this lock.
    with Database.open(path, busy_timeout_ms=30_000) as one, Database.open(path, busy_timeout_ms=30_000) as other:

        def post(database: Database, order: list[Settlement]) -> None:
            books = Books(database, PRICES)
            new.extend(books.post(order[start : start + 20]) for start in range(0, len(order), 20))

        in_threads(lambda: post(one, many), lambda: post(other, many[::-1]))
        found = check(one)

    assert sum(new) == 300
    assert (found.balanced, found.calls, found.differences) == (True, 300, ())

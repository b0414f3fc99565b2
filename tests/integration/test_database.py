"""Transactions on both kinds of database, and what is said when a server fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text

from qwenport.core.errors import StorageUnavailable
from qwenport.core.secret import Secret
from qwenport.storage import months
from qwenport.storage.database import Database
from qwenport.storage.postgres_server import refuse_unfit
from qwenport.storage.reclaim import reclaim
from qwenport.storage.status import DatabaseStatus, read_status
from qwenport.storage.tables import HOUSE_STATE, METADATA
from qwenport.storage.transaction import Transaction
from qwenport.testing.databases import OpenAgain
from qwenport.testing.postgres import PostgresServer

SECONDS = 30


def reason(action: Callable[[], object]) -> str:
    """Return what `StorageUnavailable` says is wrong."""
    with pytest.raises(StorageUnavailable) as refusal:
        action()
    return str(refusal.value).partition("(")[2].removesuffix(")")


def run(transaction: AbstractContextManager[Transaction], statement: str) -> list[Any]:
    """Run one statement in a transaction of its own; return its rows."""
    with transaction as opened:
        result = opened.connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


def put(connection: Connection, name: str, value: str = "") -> None:
    connection.execute(insert(HOUSE_STATE), {"name": name, "value": value})


def names(database: Database) -> list[str]:
    with database.read() as transaction:
        return sorted(transaction.connection.execute(select(HOUSE_STATE.c.name)).scalars())


def at_once(*actions: Callable[[], object]) -> list[BaseException]:
    """Run actions in threads; return what they raised."""
    raised: list[BaseException] = []

    def run_one(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            raised.append(error)

    threads = [threading.Thread(target=run_one, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return raised


def test_what_a_transaction_wrote_is_kept_at_its_end_and_only_then(
    any_database: Database, open_again: OpenAgain
) -> None:
    other = open_again()
    with any_database.write() as transaction:
        put(transaction.connection, "kept")
        assert names(other) == []
    with suppress(ZeroDivisionError), any_database.append() as transaction:
        put(transaction.connection, "lost")
        raise ZeroDivisionError

    assert names(other) == ["kept"]


def test_a_reader_sees_one_state_throughout(any_database: Database, open_again: OpenAgain) -> None:
    with any_database.read() as transaction:
        count = select(func.count()).select_from(HOUSE_STATE)
        before = transaction.connection.execute(count).scalar_one()
        with open_again().write() as other:
            put(other.connection, "meanwhile")

        assert (before, transaction.connection.execute(count).scalar_one()) == (0, 0)


def test_what_was_looked_at_in_a_write_stays_as_it_was(any_place: Path | Secret) -> None:
    """Eight handles read a number and write it back one higher, without any other care."""

    def count_up(database: Database) -> None:
        for _ in range(5):
            with database.write() as transaction:
                (value,) = transaction.connection.execute(select(HOUSE_STATE.c.value)).one()
                transaction.connection.execute(HOUSE_STATE.update().values(value=str(int(value) + 1)))

    databases = [Database.open(any_place, busy_timeout_ms=SECONDS * 1000) for _ in range(8)]
    with databases[0].write() as transaction:
        put(transaction.connection, "count", "0")

    assert at_once(*(lambda database=database: count_up(database) for database in databases)) == []

    with databases[0].read() as transaction:
        assert transaction.connection.execute(select(HOUSE_STATE.c.value)).scalar_one() == "40"
    for database in databases:
        database.close()


def test_appends_run_beside_one_another_and_the_unique_key_decides(postgres_place: Secret) -> None:
    statement = "INSERT INTO house_state VALUES ('call', '{}') ON CONFLICT (name) DO NOTHING RETURNING value"
    won: list[list[Any]] = []
    with (
        Database.open(postgres_place) as one,
        Database.open(postgres_place, busy_timeout_ms=SECONDS * 1000) as other,
    ):
        with one.append() as first:
            won.append(list(first.connection.execute(text(statement.format("one"))).scalars()))
            # It waits for the row of the first, not for the first's lock.
            waiting = threading.Thread(target=lambda: won.append(run(other.append(), statement.format("other"))))
            waiting.start()
            while not run(one.read(), "SELECT 1 FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"):
                waiting.join(0.01)
        waiting.join(SECONDS)

        assert won == [["one"], []]
        assert run(one.read(), "SELECT value FROM house_state") == [("one",)]


@pytest.mark.parametrize("kind", ["write", "append"])
def test_a_write_runs_alone(any_place: Path | Secret, kind: str) -> None:
    with Database.open(any_place, busy_timeout_ms=50) as one, Database.open(any_place, busy_timeout_ms=50) as other:

        def transaction() -> AbstractContextManager[Transaction]:
            found: AbstractContextManager[Transaction] = getattr(other, kind)()
            return found

        with one.write():
            assert reason(lambda: run(transaction(), "SELECT 1")) == "the database is locked by another process"
        with transaction() as writing:
            put(writing.connection, "kept")
            assert reason(lambda: run(one.write(), "SELECT 1")) == "the database is locked by another process"

        assert names(one) == ["kept"]


def test_a_reader_cannot_write(postgres_database: Database) -> None:
    statement = "INSERT INTO house_state VALUES ('a', '')"

    assert reason(lambda: run(postgres_database.read(), statement)) == "the database is read-only"


def test_text_is_compared_by_its_bytes(any_database: Database) -> None:
    """In the order of a language, `a` comes before `B`."""
    with any_database.write() as transaction:
        for name in ("B", "a", "é", "Z", "_"):
            put(transaction.connection, name)

    assert run(any_database.read(), "SELECT name FROM house_state ORDER BY name") == [
        (name,) for name in ("B", "Z", "_", "a", "é")
    ]


def test_every_text_of_postgresql_has_the_collation_of_bytes(postgres_database: Database) -> None:
    with postgres_database.write() as transaction:
        months.ensure(transaction, "202601")
    others = (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
    )

    assert run(postgres_database.read(), others) == []


def test_the_pool_is_bounded_and_says_so(postgres_place: Secret) -> None:
    with (
        Database.open(postgres_place, pool_size=2, busy_timeout_ms=50) as database,
        database.read(),
        database.read(),
    ):
        assert reason(lambda: run(database.read(), "SELECT 1")) == "all connections to the database are in use"


def test_a_statement_that_takes_too_long_is_ended(postgres_database: Database) -> None:
    slow = "SELECT pg_sleep(60)"

    assert reason(lambda: run(postgres_database.read(timeout_s=0.05), slow)) == (
        "the database took too long for a statement"
    )
    assert reason(lambda: run(postgres_database.write(timeout_s=0.05), slow)) == (
        "the database took too long for a statement"
    )
    # The connection that was interrupted is as good as new, and its limit was the transaction's own.
    assert run(postgres_database.read(timeout_s=0), "SELECT current_setting('statement_timeout')") == [("0",)]


def test_a_deadlock_ends_one_of_the_two(postgres_place: Secret) -> None:
    barrier = threading.Barrier(2, timeout=SECONDS)

    def lock(first: str, second: str) -> None:
        with Database.open(postgres_place, busy_timeout_ms=SECONDS * 1000) as database, database.append() as opened:
            for number, name in enumerate((first, second)):
                opened.connection.execute(text(f"UPDATE house_state SET value = 'x' WHERE name = '{name}'"))  # noqa: S608
                if number == 0:
                    barrier.wait()

    with Database.open(postgres_place) as database, database.write() as transaction:
        put(transaction.connection, "a")
        put(transaction.connection, "b")
    (error,) = at_once(lambda: lock("a", "b"), lambda: lock("b", "a"))

    assert isinstance(error, StorageUnavailable)
    assert "the database is locked by another process" in str(error)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("53100", "the disk under the database is full"),
        ("53200", "the database server has no memory left"),
        ("53400", "the database server is overloaded"),
        ("58030", "the disk under the database fails"),
        ("XX001", "the database is damaged"),
        ("42501", "the user of the database may not do this"),
        ("57P03", "the database server is starting or stopping"),
        ("P0001", "the database refused a statement"),
    ],
)
def test_failures_of_a_server_are_said_in_words_without_their_values(
    postgres_database: Database, state: str, words: str
) -> None:
    failing = f"DO $$ BEGIN RAISE EXCEPTION 'sk-secret' USING ERRCODE = '{state}'; END $$"

    assert reason(lambda: run(postgres_database.write(), failing)) == words


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Return a server that the test may stop."""
    with PostgresServer(tcp=True) as server:
        yield server


def test_a_lost_connection_is_replaced_at_the_next_use(own_server: PostgresServer) -> None:
    with Database.open(own_server.database()) as database:

        def be_cut_off() -> None:
            with database.write() as transaction:
                put(transaction.connection, "lost")
                own_server.kill()
                put(transaction.connection, "lost too")

        cut_off = reason(be_cut_off)
        gone = reason(lambda: names(database))
        own_server.start()
        with database.write() as transaction:
            put(transaction.connection, "kept")

        assert (cut_off, gone) == (
            "the connection to the database server was lost",
            "the database server cannot be reached",
        )
        assert names(database) == ["kept"]

        own_server.stop()
        own_server.start()
        assert names(database) == ["kept"]


def test_who_may_not_in_is_told_so_without_secrets(own_server: PostgresServer) -> None:
    own_server.run_sql("CREATE DATABASE here")
    wrong = {
        own_server.tcp_url("here", password="no"): "the database server refuses the user or the password",
        own_server.tcp_url("here", user="nobody"): "the database server refuses the user or the password",
        own_server.tcp_url("elsewhere"): "the database server has no database of this name",
        Secret("postgresql://u:pw@127.0.0.1:1/here"): "the database server cannot be reached",
        Secret("postgresql://u:pw@no.such.host.invalid/here"): "the database server cannot be reached",
        Secret("postgresql:///here?host=/nowhere"): "the database server cannot be reached",
        Secret("postgresql://u:p%ZZw@127.0.0.1/here?who=me"): (
            "the database URL cannot be read; it is written postgresql://user:password@host:port/database, "
            "with special characters of the password as %40 and the like"
        ),
    }

    assert {url: reason(partial(Database.open, url)) for url in wrong} == wrong
    with Database.open(own_server.tcp_url("here")) as database:
        database.ping()


def test_a_server_that_takes_no_more_connections_says_so(
    own_server: PostgresServer, eventually: Callable[..., None]
) -> None:
    own_server.run_sql("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    own_server.run_sql("CREATE DATABASE here OWNER guest")
    url = own_server.tcp_url("here", user="guest", password="guest")

    Database.open(url).close()
    # A connection counts until its process has ended, which comes after the close.
    here = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'guest'"
    eventually(lambda: own_server.run_sql(here) == "0", "the connections of the start have ended")
    own_server.run_sql("ALTER ROLE guest CONNECTION LIMIT 1")

    with Database.open(url, pool_size=2) as database, database.read():
        assert reason(lambda: names(database)) == "the database server takes no more connections"


def test_a_database_that_cannot_hold_every_text_is_refused(postgres: PostgresServer) -> None:
    url = postgres.database(encoding="LATIN1")

    assert reason(lambda: Database.open(url)) == (
        "the database has the encoding `LATIN1`; make another with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )


def test_a_server_that_is_too_old_is_refused() -> None:
    refuse_unfit(13, "UTF8")

    assert reason(lambda: refuse_unfit(12, "UTF8")) == (
        "the database server is PostgreSQL 12; qwenport needs 13 or a newer one"
    )


def test_a_month_that_several_need_at_once_is_made_once(any_place: Path | Secret) -> None:
    databases = [Database.open(any_place, busy_timeout_ms=SECONDS * 1000) for _ in range(4)]
    barrier = threading.Barrier(4, timeout=SECONDS)

    def append(number: int, database: Database) -> None:
        barrier.wait()
        with database.append() as transaction:
            months.ensure(transaction, "202601")
            transaction.connection.execute(insert(months.postings_of("202601")), posting(f"call-{number}"))

    raised = at_once(
        *(
            lambda number=number, database=database: append(number, database)
            for number, database in enumerate(databases)
        )
    )

    assert raised == []
    assert run(databases[0].read(), "SELECT request_id FROM postings_202601 ORDER BY 1") == [
        (f"call-{number}",) for number in range(4)
    ]
    for database in databases:
        database.close()


def posting(request_id: str) -> dict[str, object]:
    """Return a posting of the first millisecond of 2026."""
    return {
        "request_id": request_id,
        "call_at": 1_767_225_600_000,
        "at": 1_767_225_600_001,
        "kind": "post",
        "account_id": "acc-1",
        "debit": "customer:acc-1",
        "credit": "house:revenue",
        "currency": "CNY",
        "hold_nanos": None,
        "amount_nanos": 1,
        "exchange": "",
    }


def test_months_are_listed_in_their_order_and_dropped_one_by_one(any_database: Database) -> None:
    with any_database.write() as transaction:
        for month in ("202601", "202512", "202601", "202602"):
            months.ensure(transaction, month)
        assert months.months(transaction) == ("202512", "202601", "202602")
        months.drop(transaction, "202601")
        months.drop(transaction, "202601")
        assert months.months(transaction) == ("202512", "202602")
        months.ensure(transaction, "202601")
        assert months.months(transaction) == ("202512", "202601", "202602")


def test_a_call_is_in_its_month_once(any_database: Database) -> None:
    with any_database.write() as transaction:
        months.ensure(transaction, "202601")
        transaction.connection.execute(insert(months.postings_of("202601")), posting("a"))

    with pytest.raises(StorageUnavailable), any_database.write() as transaction:
        transaction.connection.execute(insert(months.postings_of("202601")), posting("a"))


def test_the_partitions_of_postgresql_are_found_through_their_parent(postgres_database: Database) -> None:
    with postgres_database.write() as transaction:
        months.ensure(transaction, "202601")
        transaction.connection.execute(insert(months.postings_of("202601")), posting("a"))

    assert run(postgres_database.read(), "SELECT request_id, tableoid::regclass::text FROM postings") == [
        ("a", "postings_202601")
    ]
    astray = "INSERT INTO calls_202601 (request_id, at) VALUES ('a', 0)"
    assert reason(lambda: run(postgres_database.write(), astray)) == "the database refused a statement"


def test_what_an_operator_asks_of_a_database_is_answered(any_database: Database) -> None:
    with any_database.write() as transaction:
        months.ensure(transaction, "202601")
    found = read_status(any_database)

    assert found == DatabaseStatus(
        dialect=any_database.dialect,
        version=found.version,
        revision="0007",
        size_bytes=found.size_bytes,
        free_bytes=0,
        months=("202601",),
    )
    assert found.version
    assert found.size_bytes > 100_000


def test_the_space_of_a_dropped_month_is_used_again_and_can_be_given_back(tmp_path: Path) -> None:
    path = tmp_path / "qwenport.db"
    rows = [posting(f"{number:05d}-{'x' * 200}") for number in range(5_000)]

    def fill(database: Database, month: str) -> None:
        with database.write() as transaction:
            months.ensure(transaction, month)
            transaction.connection.execute(insert(months.postings_of(month)), rows)

    def drop(database: Database, month: str) -> None:
        with database.write() as transaction:
            months.drop(transaction, month)

    with Database.open(path) as database:
        fill(database, "202601")
        full = read_status(database).size_bytes
        drop(database, "202601")
        fill(database, "202602")
        again = read_status(database).size_bytes
        drop(database, "202602")
        given_back = reclaim(database)

        assert again == full
        assert given_back.before_bytes == full
        assert given_back.after_bytes == path.stat().st_size == read_status(database).size_bytes < full / 4


def test_a_file_that_an_early_version_made_can_be_made_smaller_too(tmp_path: Path) -> None:
    path = tmp_path / "qwenport.db"
    with Database.open(path) as database, database.one_by_one() as connection:
        connection.connection.exec_driver_sql("PRAGMA auto_vacuum = NONE").close()
        connection.connection.exec_driver_sql("VACUUM").close()
        connection.connection.exec_driver_sql("CREATE TABLE x AS SELECT randomblob(1000000) AS a").close()
        connection.connection.exec_driver_sql("DROP TABLE x").close()
        given_back = reclaim(database)

        assert given_back.before_bytes - given_back.after_bytes > 900_000
        assert path.stat().st_size == given_back.after_bytes


def test_nothing_is_reclaimed_on_postgresql(postgres_database: Database) -> None:
    given_back = reclaim(postgres_database)

    assert given_back.before_bytes == given_back.after_bytes > 0


def test_the_tables_of_months_are_none_of_those_that_always_exist() -> None:
    months.calls_of("202601")

    assert [name for name in METADATA.tables if name.startswith(("calls_", "postings_"))] == []

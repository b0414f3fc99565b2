"""What a settlement becomes in the books."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenport.core.ids import GrantId, KeyId, WorkspaceId
from qwenport.metering.bounded_usage import MAX_TOKENS
from qwenport.metering.entry_of_call import MAX_COST_NANOS
from qwenport.metering.flush import BATCH, Books
from qwenport.metering.ledger import check
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Outcome, Settlement
from qwenport.storage.database import Database
from qwenport.testing.databases import OpenAgain
from qwenport.testing.settlements import NINE, books_prices, settlement, table_rows

COST = 10 * 2_400 + 5 * 9_600
NOTHING = {
    "input_tokens": 0,
    "output_tokens": 0,
    "cached_tokens": 0,
    "reasoning_tokens": 0,
    "image_tokens": 0,
    "images": 0,
    "pages": 0,
}


@pytest.fixture
def books(any_database: Database) -> Books:
    return Books(any_database, books_prices())


def only(database: Database, *tables: str) -> list[dict[str, Any]]:
    """Return the only row of each table."""
    rows = [table_rows(database, table) for table in tables]
    assert [len(each) for each in rows] == [1] * len(tables)
    return [each[0] for each in rows]


def test_a_finished_call_is_in_all_books(books: Books, any_database: Database) -> None:
    held: dict[str, Any] = {"workspace_id": WorkspaceId("ws-1"), "cost_nanos": 90_000, "batch": True}
    said: dict[str, Any] = {
        "reasoning_tokens": 3,
        "image_tokens": 2,
        "cache_creation_tokens": 1,
        "explicitly_cached_tokens": 1,
        "images": 1,
        "pages": 2,
        "priced": True,
        "cost_nanos": 70_001,
        "price_source": "beijing 2025-01-03",
        "exchange": "USD/CNY 7.12 2026-01-01",
        "queue_ms": 7,
    }

    assert books.post([settlement(held=held, **said)]) == 1

    call, posting, hour, day = only(any_database, "calls_202601", "postings_202601", "usage_hours", "usage_days")
    assert call == {
        "request_id": "request-00001",
        "at": 1_767_258_000_000,
        "key_id": "key-1",
        "account_id": "acc-1",
        "workspace_id": "ws-1",
        "model": "qwen-max",
        "face": "openai",
        "operation": "chat.completions",
        "streams": 1,
        "batch": 1,
        "served_by": "scripted/model",
        "outcome": "finished",
        "status": 200,
        "error": "",
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_tokens": 4,
        "reasoning_tokens": 3,
        "image_tokens": 2,
        "cache_creation_tokens": 1,
        "explicitly_cached_tokens": 1,
        "images": 1,
        "pages": 2,
        "usage_source": "engine",
        "cost_nanos": 70_001,
        "currency": "CNY",
        "price_source": "beijing 2025-01-03",
        "grant_id": "",
        "queue_ms": 7,
        "first_event_ms": 120,
        "total_ms": 2500,
        "items": "",
    }
    assert posting == {
        "request_id": "request-00001",
        "call_at": 1_767_258_000_000,
        "at": 1_767_258_002_500,
        "kind": "post",
        "account_id": "acc-1",
        "debit": "customer:acc-1",
        "credit": "house:revenue",
        "currency": "CNY",
        "hold_nanos": 90_000,
        "amount_nanos": 70_001,
        "exchange": "USD/CNY 7.12 2026-01-01",
    }
    usage = {
        "account_id": "acc-1",
        "key_id": "key-1",
        "model": "qwen-max",
        "served_by": "scripted/model",
        "currency": "CNY",
        "requests": 1,
        "unpriced_requests": 0,
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_tokens": 4,
        "reasoning_tokens": 3,
        "image_tokens": 2,
        "images": 1,
        "pages": 2,
        "cost_nanos": 70_001,
    }
    assert (hour, day) == ({"hour": 1_767_258_000_000, **usage}, {"day": "2026-01-01", **usage})
    assert table_rows(any_database, "balances") == [
        {"ledger_account": "customer:acc-1", "currency": "CNY", "moved_nanos": 0, "used_nanos": 70_001, "revision": 0},
        {"ledger_account": "house:revenue", "currency": "CNY", "moved_nanos": 0, "used_nanos": -70_001, "revision": 0},
    ]
    assert table_rows(any_database, "free_usage") == []


def test_what_says_no_price_is_priced_by_the_price_book(books: Books, any_database: Database) -> None:
    books.post([settlement()])

    [call] = only(any_database, "calls_202601")
    assert (call["cost_nanos"], call["price_source"]) == (COST, "beijing 2025-01-03")


def test_a_call_without_a_price_is_unpriced_and_moves_nothing(books: Books, any_database: Database) -> None:
    books.post([settlement(held={"model": "a-model-without-card"})])

    call, posting, hour = only(any_database, "calls_202601", "postings_202601", "usage_hours")
    assert (call["cost_nanos"], call["price_source"]) == (None, "")
    assert (posting["kind"], posting["amount_nanos"]) == ("post", 0)
    assert (hour["requests"], hour["unpriced_requests"], hour["cost_nanos"]) == (1, 1, 0)
    assert table_rows(any_database, "balances") == []


def test_an_answer_from_the_cache_takes_its_part_of_a_free_quota_alone(books: Books, any_database: Database) -> None:
    covered = {"grant": GrantId("fq-1")}
    said: dict[str, Any] = {"priced": True, "cost_nanos": 0, "usage_source": "cache"}
    books.post([settlement(each, held=covered, billed_percent=part, **said) for each, part in ((1, 0), (2, 30))])

    assert [row["tokens"] for row in table_rows(any_database, "free_usage")] == [5]  # 0 and 4.5 of 15 each


def test_what_a_free_quota_covers_is_counted_and_costs_nothing(books: Books, any_database: Database) -> None:
    covered = {"grant": GrantId("fq-1")}
    said: dict[str, Any] = {"priced": True, "cost_nanos": 0, "price_source": "free quota"}
    books.post([settlement(1, held=covered, **said), settlement(2, held=covered, **said)])
    books.post([settlement(2, held=covered, **said), settlement(3, held=covered, outcome=Outcome.LOST)])

    assert table_rows(any_database, "free_usage") == [
        {"account_id": "acc-1", "grant_id": "fq-1", "model": "qwen-max", "tokens": 30}
    ]
    assert [call["price_source"] for call in table_rows(any_database, "calls_202601")] == ["free quota"] * 2 + [""]
    assert check(any_database).balanced


@pytest.mark.parametrize("outcome", [Outcome.FINISHED, Outcome.FAILED, Outcome.ABANDONED])
@pytest.mark.parametrize("model", ["qwen-max", "a-model-without-card"])
def test_what_consumed_nothing_is_history_but_neither_billed_nor_usage(
    books: Books, any_database: Database, outcome: Outcome, model: str
) -> None:
    said: dict[str, Any] = {
        "outcome": outcome,
        "input_tokens": 0,
        "output_tokens": 0,
        "cached_tokens": 0,
        "usage_source": "",
    }
    books.post([settlement(held={"model": model}, **said)])

    call, posting = only(any_database, "calls_202601", "postings_202601")
    assert (call["outcome"], call["cost_nanos"], call["usage_source"]) == (outcome, 0, "")
    assert (posting["kind"], posting["amount_nanos"]) == ("void", 0)
    assert [table_rows(any_database, table) for table in ("usage_hours", "usage_days", "balances")] == [[], [], []]


@pytest.mark.parametrize("outcome", [Outcome.EXPIRED, Outcome.LOST])
def test_a_call_that_nobody_settled_is_void_whatever_it_says(
    books: Books, any_database: Database, outcome: Outcome
) -> None:
    books.post([settlement(outcome=outcome, status=500, error="lost", images=3, priced=True, cost_nanos=9)])

    call, posting = only(any_database, "calls_202601", "postings_202601")
    assert {name: call[name] for name in NOTHING} == NOTHING
    assert (call["cost_nanos"], call["usage_source"], call["status"], call["error"]) == (0, "", 500, "lost")
    assert (posting["kind"], posting["amount_nanos"]) == ("void", 0)
    assert table_rows(any_database, "usage_hours") == []


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ABANDONED])
def test_what_a_broken_off_call_consumed_is_posted(books: Books, any_database: Database, outcome: Outcome) -> None:
    books.post([settlement(outcome=outcome, status=499, usage_source="counted")])

    call, posting = only(any_database, "calls_202601", "postings_202601")
    assert (call["cost_nanos"], call["usage_source"]) == (COST, "counted")
    assert (posting["kind"], posting["amount_nanos"]) == ("post", COST)


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ({"input_tokens": -1, "cached_tokens": 0}, {"input_tokens": 0}),
        ({"output_tokens": -(10**30)}, {"output_tokens": 0}),
        ({"cached_tokens": 11}, {"cached_tokens": 10}),
        ({"cached_tokens": -4}, {"cached_tokens": 0}),
        ({"input_tokens": 10**30}, {"input_tokens": MAX_TOKENS}),
        ({"output_tokens": MAX_TOKENS + 1}, {"output_tokens": MAX_TOKENS}),
        ({"reasoning_tokens": 6}, {"reasoning_tokens": 5}),
        ({"image_tokens": 11}, {"image_tokens": 10}),
        ({"cache_creation_tokens": 7}, {"cache_creation_tokens": 6}),
        ({"explicitly_cached_tokens": 5}, {"explicitly_cached_tokens": 4}),
        ({"images": -1}, {"images": 0}),
        ({"pages": -(10**20)}, {"pages": 0}),
    ],
)
def test_counts_that_cannot_be_are_brought_into_range_and_flagged(
    books: Books, any_database: Database, said: dict[str, Any], stored: dict[str, int]
) -> None:
    """A price that was decided on such counts is decided anew."""
    books.post([settlement(**said, priced=True, cost_nanos=-5)])

    [call] = only(any_database, "calls_202601")
    assert {name: call[name] for name in stored} == stored
    assert call["usage_source"] == "clamped"
    assert 0 <= call["cost_nanos"] <= MAX_COST_NANOS
    assert check(any_database).balanced


@pytest.mark.parametrize(("cost", "stored"), [(-1, 0), (10**40, MAX_COST_NANOS)])
def test_a_cost_that_cannot_be_is_brought_into_range_and_credits_nobody(
    books: Books, any_database: Database, cost: int, stored: int
) -> None:
    books.post([settlement(priced=True, cost_nanos=cost)])

    call, posting = only(any_database, "calls_202601", "postings_202601")
    assert (call["cost_nanos"], call["usage_source"], posting["amount_nanos"]) == (stored, "clamped", stored)


def test_the_day_of_the_price_is_that_of_the_call(books: Books, any_database: Database) -> None:
    """The first call is of 2025-01-02 and before the price list."""
    books.post([settlement(1, at=NINE - 364 * 86_400), settlement(2, at=NINE - 363 * 86_400)])

    assert [call["cost_nanos"] for call in table_rows(any_database, "calls_202501")] == [None, COST]


def test_calls_lie_in_the_month_of_their_admission_in_utc(books: Books, any_database: Database) -> None:
    end = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
    books.post([settlement(1, at=end), settlement(2, at=end - 0.001), settlement(3, at=end + 86_400)])

    months = {table: [row["request_id"] for row in table_rows(any_database, table)] for table in ("calls_202601",)}
    assert months == {"calls_202601": ["request-00002"]}
    assert [row["request_id"] for row in table_rows(any_database, "postings_202602")] == [
        "request-00001",
        "request-00003",
    ]


def test_a_clock_that_is_far_off_keeps_no_call_out_of_the_books(books: Books, any_database: Database) -> None:
    assert books.post([settlement(1, at=-5.0), settlement(2, at=1e15), settlement(3)]) == 3
    assert check(any_database).balanced


@pytest.mark.parametrize(
    ("timezone", "at", "day"),
    [
        ("UTC", "2026-01-01T16:30:00Z", "2026-01-01"),
        ("Asia/Shanghai", "2026-01-01T16:30:00Z", "2026-01-02"),
        ("Asia/Kolkata", "2026-01-01T18:29:59Z", "2026-01-01"),
        ("Asia/Kolkata", "2026-01-01T18:30:00Z", "2026-01-02"),
        ("America/New_York", "2026-03-08T04:59:59Z", "2026-03-07"),
    ],
)
def test_days_are_those_of_the_time_zone(any_database: Database, timezone: str, at: str, day: str) -> None:
    moment = datetime.fromisoformat(at).timestamp()

    Books(any_database, PriceBook({}), timezone=timezone).post([settlement(at=moment)])

    assert [row["day"] for row in table_rows(any_database, "usage_days")] == [day]


def test_hours_are_summed_by_key_model_engine_and_currency(books: Books, any_database: Database) -> None:
    books.post([settlement(1), settlement(2, held={"key_id": KeyId("key-2")})])
    books.post(
        [settlement(3, at=NINE + 3599.999), settlement(4, at=NINE + 3600), settlement(5, served_by="other/model")]
    )

    names = ("hour", "key_id", "served_by", "requests", "input_tokens", "output_tokens", "cached_tokens", "cost_nanos")
    found = {tuple(row[name] for name in names) for row in table_rows(any_database, "usage_hours")}
    nine, ten = int(NINE * 1000), int(NINE * 1000) + 3_600_000
    assert found == {
        (nine, "key-1", "scripted/model", 2, 20, 10, 8, 2 * COST),
        (nine, "key-2", "scripted/model", 1, 10, 5, 4, COST),
        (ten, "key-1", "scripted/model", 1, 10, 5, 4, COST),
        (nine, "key-1", "other/model", 1, 10, 5, 4, COST),
    }


def test_the_first_settlement_of_a_request_counts(books: Books, any_database: Database) -> None:
    first, other = settlement(), settlement(outcome=Outcome.LOST, status=500)

    assert [books.post([first, other]), books.post([other]), books.post([other, first])] == [1, 0, 0]
    assert [call["outcome"] for call in table_rows(any_database, "calls_202601")] == ["finished"]
    assert [posting["kind"] for posting in table_rows(any_database, "postings_202601")] == ["post"]


def test_many_settlements_are_posted_in_batches(books: Books, any_database: Database) -> None:
    many = [settlement(number) for number in range(2 * BATCH + 1)]

    assert [books.post(many[:BATCH]), books.post(many), books.post([])] == [BATCH, BATCH + 1, 0]
    found = check(any_database)
    assert (found.balanced, found.calls) == (True, 2 * BATCH + 1)


def test_several_who_post_the_same_calls_at_once_post_each_once(open_again: OpenAgain, any_database: Database) -> None:
    many = [settlement(number, at=NINE + number * 86_400) for number in range(60)]
    posters = [Books(open_again(), books_prices()) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        new = list(pool.map(lambda poster: sum(poster.post(many[n : n + 7]) for n in range(0, 60, 7)), posters))

    found = check(any_database)
    assert (sum(new), found.calls, found.differences) == (60, 60, ())


@pytest.mark.parametrize(
    ("odd", "stored"),
    [("up\ud800stream", "up?stream"), ("a\x00b\n", "a?b?"), ("千问/模型", "千问/模型"), ("x" * 501, "x" * 500)],
)
def test_an_upstreams_odd_name_does_not_keep_a_call_out_of_the_books(
    books: Books, any_database: Database, odd: str, stored: str
) -> None:
    books.post([settlement(served_by=odd)])

    assert [call["served_by"] for call in table_rows(any_database, "calls_202601")] == [stored]


KINDS: Sequence[Settlement] = [
    *(settlement(number, input_tokens=number * 7, at=NINE + number * 1500) for number in range(1, 5)),
    settlement(5, at=NINE + 40 * 86_400),
    settlement(6, held={"model": "a-model-without-card"}),
    settlement(7, outcome=Outcome.EXPIRED),
    settlement(8, outcome=Outcome.ABANDONED, output_tokens=0, usage_source="counted"),
    settlement(9, outcome=Outcome.FAILED, input_tokens=0, output_tokens=0, cached_tokens=0),
    settlement(10, input_tokens=-5),
    settlement(11, held={"grant": GrantId("fq-1")}, priced=True, cost_nanos=0, price_source="free quota"),
]
TABLES = ("calls_202601", "calls_202602", "postings_202601", "usage_hours", "usage_days", "balances", "free_usage")


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated file; copying it is much quicker than migrating one for each example."""
    path = tmp_path_factory.mktemp("empty") / "qwenport.db"
    Database.open(path).close()
    return path


@pytest.fixture(scope="module")
def posted_once(empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """Return the books after a single posting."""
    folder = tmp_path_factory.mktemp("once")
    shutil.copy(empty_file, folder)
    with Database.open(folder / "qwenport.db") as database:
        Books(database, books_prices()).post(KINDS)
        return [table_rows(database, table) for table in TABLES]


@settings(max_examples=30)
@given(replays=st.lists(st.lists(st.sampled_from(KINDS), max_size=12), max_size=5), last=st.permutations(KINDS))
def test_replays_in_any_order_give_the_same_books(
    empty_file: Path,
    posted_once: list[list[dict[str, Any]]],
    replays: list[list[Settlement]],
    last: list[Settlement],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty_file, folder)
        with Database.open(Path(folder) / "qwenport.db") as database:
            books = Books(database, books_prices())
            new = [books.post(batch) for batch in (*replays, last, last)]
            found = check(database)

            assert [table_rows(database, table) for table in TABLES] == posted_once
            assert (sum(new), new[-1]) == (len(KINDS), 0)
            assert (found.balanced, found.calls, found.differences) == (True, len(KINDS), ())

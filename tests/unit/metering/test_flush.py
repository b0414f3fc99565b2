"""What a settlement becomes in the books."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.model_card import ModelCard, Price
from qwenport.metering.flush import BATCH, MAX_TOKENS, Books
from qwenport.metering.ledger import check
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.storage.database import Database

NINE = 1_767_258_000.0
"""2026-01-01 09:00 UTC."""

CARD = ModelCard(
    name="qwen-max",
    description="",
    family="qwen-max",
    released=date(2024, 1, 1),
    context_tokens=32_768,
    max_input_tokens=30_720,
    max_output_tokens=8_192,
    prices=(
        Price(
            region="beijing",
            currency="CNY",
            input=Decimal("0.0024"),
            output=Decimal("0.0096"),
            per_tokens=1000,
            since=date(2025, 1, 3),
            source="a price list",
        ),
    ),
)
CARDS = {"qwen-max": CARD}


def settlement(number: int = 1, *, model: str = "qwen-max", at: float = NINE, **others: Any) -> Settlement:
    """Return a finished call of 10 tokens in and 5 out."""
    hold = Hold(
        id=RequestId(f"request-{number:04d}"),
        at=at,
        expires_at=at + 600,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model=model,
        face="openai",
        operation="chat.completions",
        streams=True,
        input_tokens=100,
        output_tokens=100,
    )
    finished = Settlement(
        hold=hold,
        at=at + 2.5,
        outcome=Outcome.FINISHED,
        status=200,
        served_by="scripted/model",
        input_tokens=10,
        output_tokens=5,
        cached_tokens=4,
        usage_source="engine",
        first_event_ms=120,
        total_ms=2500,
    )
    return structs.replace(finished, **others)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as opened:
        yield opened


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database, CARDS)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table as another program sees them."""
    connection = sqlite3.connect(folder / "qwenport.db")
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1")]  # noqa: S608 - our own names
    finally:
        connection.close()


def test_a_finished_call_is_in_all_three_books(books: Books, tmp_path: Path) -> None:
    assert books.post([settlement()]) == 1

    assert rows(tmp_path, "calls") == [
        {
            "request_id": "request-0001",
            "at": 1_767_258_000_000,
            "key_id": "key-1",
            "account_id": "acc-1",
            "model": "qwen-max",
            "face": "openai",
            "operation": "chat.completions",
            "streams": 1,
            "served_by": "scripted/model",
            "outcome": "finished",
            "status": 200,
            "error": "",
            "input_tokens": 10,
            "output_tokens": 5,
            "cached_tokens": 4,
            "usage_source": "engine",
            "cost_nanos": 72_000,
            "currency": "CNY",
            "price_source": "beijing 2025-01-03",
            "first_event_ms": 120,
            "total_ms": 2500,
        }
    ]
    assert rows(tmp_path, "ledger_entries") == [
        {
            "id": 1,
            "request_id": "request-0001",
            "account_id": "acc-1",
            "currency": "CNY",
            "amount_nanos": 72_000,
            "kind": "post",
            "at": 1_767_258_002_500,
        }
    ]
    assert rows(tmp_path, "usage_hours") == [
        {
            "hour": 1_767_258_000_000,
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
            "cost_nanos": 72_000,
        }
    ]


def test_a_call_without_a_price_is_unpriced_and_posts_nothing(books: Books, tmp_path: Path) -> None:
    books.post([settlement(model="a-model-without-card")])

    [call], [entry], [hour] = (rows(tmp_path, table) for table in ("calls", "ledger_entries", "usage_hours"))
    assert (call["cost_nanos"], call["price_source"]) == (None, "")
    assert (entry["kind"], entry["amount_nanos"]) == ("post", 0)
    assert (hour["requests"], hour["unpriced_requests"], hour["cost_nanos"]) == (1, 1, 0)


@pytest.mark.parametrize("outcome", [Outcome.FINISHED, Outcome.FAILED, Outcome.ABANDONED])
@pytest.mark.parametrize("model", ["qwen-max", "a-model-without-card"])
def test_what_consumed_nothing_is_history_but_neither_billed_nor_usage(
    books: Books, tmp_path: Path, outcome: Outcome, model: str
) -> None:
    books.post(
        [settlement(model=model, outcome=outcome, input_tokens=0, output_tokens=0, cached_tokens=0, usage_source="")]
    )

    [call], [entry] = (rows(tmp_path, table) for table in ("calls", "ledger_entries"))
    assert (call["outcome"], call["cost_nanos"], call["usage_source"]) == (outcome, 0, "")
    assert (entry["kind"], entry["amount_nanos"]) == ("void", 0)
    assert rows(tmp_path, "usage_hours") == []


@pytest.mark.parametrize("outcome", [Outcome.EXPIRED, Outcome.LOST])
def test_a_call_that_nobody_settled_is_void_whatever_it_says(books: Books, tmp_path: Path, outcome: Outcome) -> None:
    books.post([settlement(outcome=outcome, status=500, error="lost")])

    [call], [entry] = (rows(tmp_path, table) for table in ("calls", "ledger_entries"))
    assert [
        call[name] for name in ("input_tokens", "output_tokens", "cached_tokens", "cost_nanos", "usage_source")
    ] == [
        0,
        0,
        0,
        0,
        "",
    ]
    assert (call["status"], call["error"]) == (500, "lost")
    assert (entry["kind"], entry["amount_nanos"]) == ("void", 0)
    assert rows(tmp_path, "usage_hours") == []


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ABANDONED])
def test_what_a_broken_off_call_consumed_is_posted(books: Books, tmp_path: Path, outcome: Outcome) -> None:
    books.post([settlement(outcome=outcome, status=499, usage_source="counted")])

    [call], [entry] = (rows(tmp_path, table) for table in ("calls", "ledger_entries"))
    assert (call["cost_nanos"], call["usage_source"]) == (72_000, "counted")
    assert (entry["kind"], entry["amount_nanos"]) == ("post", 72_000)


@pytest.mark.parametrize(
    ("counts", "stored"),
    [
        ((-1, 5, 0), (0, 5, 0)),
        ((10, -(10**30), 0), (10, 0, 0)),
        ((10, 5, 11), (10, 5, 10)),
        ((10, 5, -4), (10, 5, 0)),
        ((10**30, 5, 0), (MAX_TOKENS, 5, 0)),
        ((10, MAX_TOKENS + 1, 0), (10, MAX_TOKENS, 0)),
    ],
)
def test_counts_that_cannot_be_are_brought_into_range_and_flagged(
    books: Books, tmp_path: Path, counts: tuple[int, int, int], stored: tuple[int, int, int]
) -> None:
    names = ("input_tokens", "output_tokens", "cached_tokens")
    given_in, given_out, given_cached = counts
    books.post([settlement(input_tokens=given_in, output_tokens=given_out, cached_tokens=given_cached)])

    [call] = rows(tmp_path, "calls")
    assert tuple(call[name] for name in names) == stored
    assert call["usage_source"] == "clamped"
    assert call["cost_nanos"] == stored[0] * 2_400 + stored[1] * 9_600


def test_the_day_of_the_price_is_that_of_the_call(books: Books, tmp_path: Path) -> None:
    """The first call is of 2025-01-02 and before the price list."""
    books.post([settlement(1, at=NINE - 364 * 86_400), settlement(2, at=NINE - 363 * 86_400)])

    assert [call["cost_nanos"] for call in rows(tmp_path, "calls")] == [None, 72_000]


def test_hours_are_summed_by_key_model_engine_and_currency(books: Books, tmp_path: Path) -> None:
    first = settlement(1)
    other_key = structs.replace(settlement(2), hold=structs.replace(settlement(2).hold, key_id=KeyId("key-2")))
    same_hour = settlement(3, at=NINE + 3599.999)
    next_hour = settlement(4, at=NINE + 3600)
    other_engine = settlement(5, served_by="other/model")

    books.post([first, other_key])
    books.post([same_hour, next_hour, other_engine])

    names = ("hour", "key_id", "served_by", "requests", "input_tokens", "output_tokens", "cached_tokens", "cost_nanos")
    found = {tuple(row[name] for name in names) for row in rows(tmp_path, "usage_hours")}
    nine, ten = int(NINE * 1000), int(NINE * 1000) + 3_600_000
    assert found == {
        (nine, "key-1", "scripted/model", 2, 20, 10, 8, 144_000),
        (nine, "key-2", "scripted/model", 1, 10, 5, 4, 72_000),
        (ten, "key-1", "scripted/model", 1, 10, 5, 4, 72_000),
        (nine, "key-1", "other/model", 1, 10, 5, 4, 72_000),
    }


def test_the_first_settlement_of_a_request_counts(books: Books, tmp_path: Path) -> None:
    first, other = settlement(), settlement(outcome=Outcome.LOST, status=500)

    assert [books.post([first, other]), books.post([other]), books.post([other, first])] == [1, 0, 0]
    assert [call["outcome"] for call in rows(tmp_path, "calls")] == ["finished"]
    assert [entry["kind"] for entry in rows(tmp_path, "ledger_entries")] == ["post"]


def test_many_settlements_are_posted_in_batches(books: Books, database: Database) -> None:
    many = [settlement(number) for number in range(2 * BATCH + 1)]

    assert [books.post(many[:BATCH]), books.post(many), books.post([])] == [BATCH, BATCH + 1, 0]
    found = check(database)
    assert (found.balanced, found.calls) == (True, 2 * BATCH + 1)


@pytest.mark.parametrize(
    ("odd", "stored"),
    [("up\ud800stream", "up?stream"), ("a\x00b\n", "a?b?"), ("千问/模型", "千问/模型"), ("x" * 501, "x" * 500)],
)
def test_an_upstreams_odd_name_does_not_keep_a_call_out_of_the_books(
    books: Books, tmp_path: Path, odd: str, stored: str
) -> None:
    books.post([settlement(served_by=odd)])

    assert [call["served_by"] for call in rows(tmp_path, "calls")] == [stored]


KINDS: Sequence[Settlement] = [
    *(settlement(number, input_tokens=number * 7, at=NINE + number * 1500) for number in range(1, 6)),
    settlement(6, model="a-model-without-card"),
    settlement(7, outcome=Outcome.EXPIRED),
    settlement(8, outcome=Outcome.ABANDONED, output_tokens=0, usage_source="counted"),
    settlement(9, outcome=Outcome.FAILED, input_tokens=0, output_tokens=0, cached_tokens=0),
    settlement(10, input_tokens=-5),
]


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
        Books(database, CARDS).post(KINDS)
    return contents(folder)


def contents(folder: Path) -> list[list[dict[str, Any]]]:
    """Return calls, hours and entries; the numbers of entries tell only in which order they came."""
    entries = [{**row, "id": None} for row in rows(folder, "ledger_entries")]
    return [sorted(each, key=str) for each in (rows(folder, "calls"), rows(folder, "usage_hours"), entries)]


@settings(max_examples=40, deadline=None)
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
            books = Books(database, CARDS)
            new = [books.post(batch) for batch in (*replays, last, last)]
            found = check(database)

            assert contents(Path(folder)) == posted_once
            assert (sum(new), new[-1]) == (len(KINDS), 0)
            assert (found.balanced, found.calls, found.differences) == (True, len(KINDS), ())

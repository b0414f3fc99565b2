"""Usage and call history as an operator asks for them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from msgspec import structs

from qwenport.core.ids import AccountId, KeyId, RequestId, WorkspaceId
from qwenport.core.model_card import ModelCard, Price
from qwenport.metering.flush import Books
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.reports import (
    By,
    CallQuery,
    CallRow,
    Order,
    ReportInvalid,
    Reports,
    UsageQuery,
    UsageRow,
)
from qwenport.storage.database import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def card(name: str) -> ModelCard:
    """Return a model at 1 CNY or 0.5 USD a million tokens."""
    common = {"per_tokens": 1_000_000, "since": date(2025, 1, 3), "source": "a price list"}
    prices = [
        {"region": "beijing", "currency": "CNY", "input": "1", "output": "1"},
        {"region": "singapore", "currency": "USD", "input": "0.5", "output": "0.5"},
    ]
    return ModelCard(
        name=name,
        description="",
        family=name,
        released=date(2024, 1, 1),
        context_tokens=32_768,
        max_input_tokens=30_720,
        max_output_tokens=8_192,
        prices=msgspec.convert([price | common for price in prices], tuple[Price, ...]),
    )


CARDS = {name: card(name) for name in ("qwen-max", "qwen-plus")}


def settlement(number: int, *, at: datetime = NOON, status: int = 200, **held: Any) -> Settlement:
    """Return a call of 10 tokens in and 5 out, of which 4 were cached."""
    hold = Hold(
        id=RequestId(f"request-{number:02d}"),
        at=at.timestamp(),
        expires_at=at.timestamp() + 600,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model="qwen-max",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=100,
        output_tokens=100,
    )
    return Settlement(
        hold=structs.replace(hold, **held),
        at=at.timestamp() + 1,
        outcome=Outcome.FINISHED,
        status=status,
        served_by="scripted/model",
        input_tokens=10,
        output_tokens=5,
        cached_tokens=4,
        usage_source="engine",
        first_event_ms=120,
        total_ms=1000,
    )


def total(requests: int, cost: str, currency: str = "CNY", **others: Any) -> UsageRow:
    """Return the row of so many equal calls."""
    row = UsageRow(
        requests=requests,
        unpriced_requests=0,
        input_tokens=10 * requests,
        output_tokens=5 * requests,
        cached_tokens=4 * requests,
        reasoning_tokens=0,
        image_tokens=0,
        images=0,
        pages=0,
        cost=cost,
        currency=currency,
    )
    return structs.replace(row, **others)


@pytest.fixture
def books(any_database: Database) -> Books:
    return Books(any_database, PriceBook(CARDS))


@pytest.fixture
def reports(any_database: Database) -> Reports:
    return Reports(any_database)


def ids(reports: Reports, query: CallQuery) -> list[str]:
    return [call.request_id for call in reports.calls(query)]


def test_usage_by_key_has_a_row_for_each_key_and_currency(books: Books, reports: Reports) -> None:
    books.post([settlement(1), settlement(2, at=NOON + timedelta(hours=5)), settlement(3, key_id=KeyId("key-2"))])
    books.post([settlement(4, key_id=KeyId("key-2"), account_id=AccountId("acc-2"), currency="USD")])

    assert reports.usage(UsageQuery(by=By.KEY)) == [
        total(2, "0.00003", key_id=KeyId("key-1")),
        total(1, "0.000015", key_id=KeyId("key-2")),
        total(1, "0.0000075", "USD", key_id=KeyId("key-2")),
    ]


def test_usage_by_key_as_json_names_the_key_and_neither_day_nor_model(books: Books, reports: Reports) -> None:
    books.post([settlement(1)])

    assert msgspec.json.decode(msgspec.json.encode(reports.usage(UsageQuery(by=By.KEY)))) == [
        {
            "key_id": "key-1",
            "requests": 1,
            "unpriced_requests": 0,
            "input_tokens": 10,
            "output_tokens": 5,
            "cached_tokens": 4,
            "reasoning_tokens": 0,
            "image_tokens": 0,
            "images": 0,
            "pages": 0,
            "cost": "0.000015",
            "currency": "CNY",
        }
    ]


def test_usage_by_model_counts_what_has_no_price(books: Books, reports: Reports) -> None:
    books.post([settlement(1, model="qwen-plus"), settlement(2), settlement(3, model="unknown")])

    assert reports.usage(UsageQuery(by=By.MODEL)) == [
        total(1, "0.000015", model="qwen-max"),
        total(1, "0.000015", model="qwen-plus"),
        total(1, "0.00", model="unknown", unpriced_requests=1),
    ]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", [("2026-11-21", 1), ("2026-11-22", 2)]),
        ("Asia/Shanghai", [("2026-11-22", 2), ("2026-11-23", 1)]),
        ("America/New_York", [("2026-11-21", 1), ("2026-11-22", 2)]),
        ("Pacific/Kiritimati", [("2026-11-22", 1), ("2026-11-23", 2)]),
    ],
)
def test_days_are_cut_in_the_time_zone(books: Books, reports: Reports, zone: str, days: list[tuple[str, int]]) -> None:
    books.post(
        [settlement(1, at=NOON - timedelta(hours=18)), settlement(2), settlement(3, at=NOON + timedelta(hours=5))]
    )

    costs = {1: "0.000015", 2: "0.00003"}
    assert reports.usage(UsageQuery(by=By.DAY, timezone=zone)) == [
        total(count, costs[count], day=day) for day, count in days
    ]


def test_a_day_of_two_currencies_has_two_rows(books: Books, reports: Reports) -> None:
    books.post([settlement(1, currency="USD"), settlement(2), settlement(3, at=NOON + timedelta(days=1))])

    assert reports.usage(UsageQuery(by=By.DAY)) == [
        total(1, "0.000015", day="2026-11-22"),
        total(1, "0.0000075", "USD", day="2026-11-22"),
        total(1, "0.000015", day="2026-11-23"),
    ]


def test_the_25_hours_of_a_day_that_ends_daylight_saving_are_one_day(books: Books, reports: Reports) -> None:
    """New York, 2026-11-01: midnight is 04:00 UTC, the next one 05:00 UTC."""
    first = datetime(2026, 11, 1, 4, tzinfo=UTC)
    books.post([settlement(hour, at=first + timedelta(hours=hour)) for hour in range(26)])

    found = reports.usage(UsageQuery(by=By.DAY, timezone="America/New_York"))

    assert [(row.day, row.requests) for row in found] == [("2026-11-01", 25), ("2026-11-02", 1)]


def test_in_a_half_hour_zone_the_first_half_hour_counts_on_the_day_before(books: Books, reports: Reports) -> None:
    """Midnight in Kolkata is 18:30 UTC; the hour from 18:00 UTC is not divided."""
    half_past = datetime(2026, 11, 22, 18, 45, tzinfo=UTC)
    books.post([settlement(1, at=half_past), settlement(2, at=half_past + timedelta(minutes=15))])

    found = reports.usage(UsageQuery(by=By.DAY, timezone="Asia/Kolkata"))

    assert [(row.day, row.requests) for row in found] == [("2026-11-22", 1), ("2026-11-23", 1)]


def test_usage_is_restricted_to_hours_key_account_and_model(books: Books, reports: Reports) -> None:
    books.post(
        [
            settlement(1, at=NOON - timedelta(seconds=1)),
            settlement(2),
            settlement(3, at=NOON + timedelta(minutes=59)),
            settlement(4, at=NOON + timedelta(hours=1)),
            settlement(5, key_id=KeyId("key-2")),
            settlement(6, account_id=AccountId("acc-2")),
            settlement(7, model="qwen-plus"),
        ]
    )
    query = UsageQuery(
        by=By.DAY,
        since=NOON.astimezone(timezone(timedelta(hours=8))),
        until=NOON + timedelta(hours=1),
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        model="qwen-max",
    )

    def requests(**changes: Any) -> int:
        return sum(row.requests for row in reports.usage(structs.replace(query, **changes)))

    assert requests() == 2
    opened = ("since", "until", "key_id", "account_id", "model")
    assert {name: requests(**{name: None}) for name in opened} == dict.fromkeys(opened, 3)


@pytest.mark.parametrize(
    "odd", ["%", "_", "qwen%", "qwen-ma_", "'", "qwen-max' OR '1'='1", '"', "\\", "*", "", "QWEN-MAX"]
)
def test_wildcards_and_quotes_in_filters_are_plain_characters(books: Books, reports: Reports, odd: str) -> None:
    books.post([settlement(1), settlement(2, model=odd, key_id=KeyId(odd))])

    by_model = reports.usage(UsageQuery(by=By.MODEL, model=odd))
    by_key = reports.usage(UsageQuery(by=By.KEY, key_id=KeyId(odd)))
    assert [(row.model, row.requests) for row in by_model] == [(odd, 1)]
    assert [(row.key_id, row.requests) for row in by_key] == [(odd, 1)]
    assert ids(reports, CallQuery(model=odd)) == ["request-02"]
    assert ids(reports, CallQuery(key_id=KeyId(odd))) == ["request-02"]
    assert reports.call(RequestId(odd)) is None


def test_no_usage_is_no_rows(reports: Reports) -> None:
    assert [reports.usage(UsageQuery(by=by)) for by in By] == [[] for _ in By]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (UsageQuery(by=By.DAY, timezone="Mars/Olympus"), "'Mars/Olympus' is no known time zone"),
        (UsageQuery(by=By.DAY, timezone="../../etc/passwd"), "is no known time zone"),
        (UsageQuery(by=By.DAY, timezone=""), "is no known time zone"),
        (UsageQuery(by=By.DAY, top=0), "`top` may be 1 to 1000, not 0"),
        (UsageQuery(by=By.KEY, served_by="a\0b"), "holds the character 0"),
        (UsageQuery(by=By.KEY, since=datetime(2026, 1, 1)), "`since` is `2026-01-01T00:00:00` and names no time zone"),
        (UsageQuery(by=By.KEY, until=datetime(2026, 1, 1)), "`until` is `2026-01-01T00:00:00` and names no time zone"),
        (UsageQuery(by=By.KEY, model="\ud800"), "the model '\\ud800' is no text"),
        (UsageQuery(by=By.KEY, key_id=KeyId("\ud800")), "the key '\\ud800' is no text"),
        (UsageQuery(by=By.KEY, account_id=AccountId("\ud800")), "the account '\\ud800' is no text"),
    ],
)
def test_a_usage_query_that_cannot_be_is_refused_in_words(reports: Reports, query: UsageQuery, words: str) -> None:
    with pytest.raises(ReportInvalid) as refusal:
        reports.usage(query)

    assert words in str(refusal.value)


def test_a_call_has_every_fact_of_its_settlement(books: Books, reports: Reports) -> None:
    held: dict[str, Any] = {"workspace_id": WorkspaceId("ws-1")}
    first = settlement(1, at=NOON + timedelta(milliseconds=250), cost_nanos=20_000, **held)
    books.post([first, settlement(2, model="unknown", **held)])

    row = CallRow(
        request_id=RequestId("request-01"),
        at=NOON + timedelta(milliseconds=250),
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        workspace_id=WorkspaceId("ws-1"),
        model="qwen-max",
        face="openai",
        operation="chat.completions",
        streams=False,
        batch=False,
        served_by="scripted/model",
        outcome="finished",
        status=200,
        error="",
        input_tokens=10,
        output_tokens=5,
        cached_tokens=4,
        reasoning_tokens=0,
        image_tokens=0,
        cache_creation_tokens=0,
        explicitly_cached_tokens=0,
        images=0,
        pages=0,
        usage_source="engine",
        cost="0.000015",
        currency="CNY",
        price_source="beijing 2025-01-03",
        free="",
        held="0.00002",
        refunded="0.00",
        queue_ms=None,
        first_event_ms=120,
        total_ms=1000,
    )
    unpriced = structs.replace(
        row, request_id=RequestId("request-02"), at=NOON, model="unknown", cost=None, price_source="", held=None
    )
    assert reports.call(RequestId("request-01")) == row
    assert reports.call(RequestId("request-02")) == unpriced
    assert reports.call(RequestId("request-99")) is None
    assert reports.calls(CallQuery()) == [row, unpriced]


def test_calls_come_newest_first_page_by_page_also_within_one_moment(books: Books, reports: Reports) -> None:
    books.post([settlement(number, at=NOON + timedelta(seconds=number // 3)) for number in range(8)])

    pages = [ids(reports, CallQuery(limit=3))]
    while pages[-1]:
        pages.append(ids(reports, CallQuery(limit=3, before=RequestId(pages[-1][-1]))))

    assert pages == [
        ["request-07", "request-06", "request-05"],
        ["request-04", "request-03", "request-02"],
        ["request-01", "request-00"],
        [],
    ]


def test_calls_are_restricted_to_key_account_model_status_and_time(books: Books, reports: Reports) -> None:
    books.post(
        [
            settlement(1, at=NOON - timedelta(milliseconds=1)),
            settlement(2),
            settlement(3, at=NOON + timedelta(milliseconds=1)),
            settlement(4, key_id=KeyId("key-2")),
            settlement(5, account_id=AccountId("acc-2")),
            settlement(6, model="qwen-plus"),
            settlement(7, status=503),
        ]
    )
    query = CallQuery(
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        model="qwen-max",
        status=200,
        since=NOON,
        until=NOON + timedelta(milliseconds=1),
    )

    opened = ("until", "since", "key_id", "account_id", "model", "status")
    assert ids(reports, query) == ["request-02"]
    assert {name: ids(reports, structs.replace(query, **{name: None})) for name in opened} == {
        "until": ["request-03", "request-02"],
        "since": ["request-02", "request-01"],
        "key_id": ["request-04", "request-02"],
        "account_id": ["request-05", "request-02"],
        "model": ["request-06", "request-02"],
        "status": ["request-07", "request-02"],
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (CallQuery(limit=0), "may hold 1 to 1000, not 0"),
        (CallQuery(limit=-1), "may hold 1 to 1000, not -1"),
        (CallQuery(limit=1001), "may hold 1 to 1000, not 1001"),
        (CallQuery(before=RequestId("request-99")), "`before` names `request-99`, which is no call in the books"),
        (CallQuery(before=RequestId("\ud800")), "the request id '\\ud800' is no text"),
        (CallQuery(since=datetime(2026, 1, 1)), "names no time zone"),
        (CallQuery(status=99), "`99` is no HTTP status"),
        (CallQuery(status=10**30), "is no HTTP status"),
    ],
)
def test_a_call_query_that_cannot_be_is_refused_in_words(reports: Reports, query: CallQuery, words: str) -> None:
    with pytest.raises(ReportInvalid) as refusal:
        reports.calls(query)

    assert words in str(refusal.value)


def test_usage_by_every_dimension_names_only_what_was_asked_for(books: Books, reports: Reports) -> None:
    books.post([settlement(1), settlement(2, at=NOON + timedelta(days=10))])

    def first(**names: Any) -> UsageRow:
        return total(1, "0.000015", **names)

    def both(**names: Any) -> UsageRow:
        return total(2, "0.00003", **names)

    later = NOON + timedelta(days=10)
    assert {by: reports.usage(UsageQuery(by=by)) for by in By} == {
        By.HOUR: [first(hour=NOON), first(hour=later)],
        By.DAY: [first(day="2026-11-22"), first(day="2026-12-02")],
        By.MONTH: [first(month="2026-11"), first(month="2026-12")],
        By.KEY: [both(key_id="key-1")],
        By.MODEL: [both(model="qwen-max")],
        By.ACCOUNT: [both(account_id="acc-1")],
        By.ROUTE: [both(served_by="scripted/model")],
        By.DAY_KEY: [first(day="2026-11-22", key_id="key-1"), first(day="2026-12-02", key_id="key-1")],
        By.DAY_MODEL: [first(day="2026-11-22", model="qwen-max"), first(day="2026-12-02", model="qwen-max")],
        By.KEY_MODEL: [both(key_id="key-1", model="qwen-max")],
    }


@pytest.mark.parametrize("by", [By.DAY, By.MONTH, By.KEY, By.MODEL, By.DAY_KEY, By.ROUTE])
@pytest.mark.parametrize(("since", "until"), [(None, None), ("2026-11-22", None), ("2026-11-22", "2026-11-23")])
def test_days_and_hours_tell_the_same(
    books: Books, any_database: Database, by: By, since: str | None, until: str | None
) -> None:
    """A report of another zone's name is made from hours, and of the server's from days."""
    books.post([settlement(number, at=NOON + timedelta(hours=5 * number)) for number in range(-5, 6)])
    bounds: dict[str, Any] = {
        name: datetime.fromisoformat(f"{day}T00:00:00Z")
        for name, day in (("since", since), ("until", until))
        if day is not None
    }

    from_days = Reports(any_database).usage(UsageQuery(by=by, **bounds))
    from_hours = Reports(any_database).usage(UsageQuery(by=by, timezone="Etc/UTC", **bounds))

    assert from_days == from_hours
    assert from_days


def test_the_greatest_groups_come_first_within_each_currency(books: Books, reports: Reports) -> None:
    books.post([settlement(1, key_id=KeyId("key-1"))])
    books.post([settlement(number, key_id=KeyId("key-2")) for number in (2, 3, 4)])
    books.post([settlement(number, key_id=KeyId("key-3")) for number in (5, 6)])
    books.post([settlement(number, key_id=KeyId("key-4"), currency="USD") for number in range(7, 13)])

    def top(count: int, order: Order) -> list[tuple[object, str]]:
        rows = reports.usage(UsageQuery(by=By.KEY, top=count, order=order))
        return [(row.key_id, row.currency) for row in rows]

    assert top(2, Order.COST) == [("key-2", "CNY"), ("key-3", "CNY"), ("key-4", "USD")]
    assert top(2, Order.TOKENS) == [("key-4", "USD"), ("key-2", "CNY")]
    assert top(1, Order.REQUESTS) == [("key-4", "USD")]


def test_pages_of_calls_go_on_over_months(books: Books, reports: Reports) -> None:
    moments = [datetime(2026, month, 28, tzinfo=UTC) for month in (1, 2, 4, 9)]
    books.post([settlement(number, at=at) for number, at in enumerate(moments)])

    assert ids(reports, CallQuery(limit=3)) == ["request-03", "request-02", "request-01"]
    assert ids(reports, CallQuery(limit=3, before=RequestId("request-01"))) == ["request-00"]
    assert ids(reports, CallQuery(since=moments[1], until=moments[3])) == ["request-02", "request-01"]


def test_calls_are_restricted_to_workspace_face_outcome_route_and_cost(books: Books, reports: Reports) -> None:
    books.post(
        [
            settlement(1, workspace_id=WorkspaceId("ws-2")),
            settlement(2, face="dashscope"),
            structs.replace(settlement(3), outcome=Outcome.FAILED),
            structs.replace(settlement(4), served_by="up_/model"),
            structs.replace(settlement(5), input_tokens=1_000),
            settlement(6, model="unknown"),
        ]
    )

    assert {
        name: ids(reports, query)
        for name, query in {
            "workspace": CallQuery(workspace_id=WorkspaceId("ws-2")),
            "face": CallQuery(face="dashscope"),
            "outcome": CallQuery(outcome="failed"),
            "route": CallQuery(served_by="up_/model"),
            "upstream": CallQuery(upstream="up_"),
            "part of an upstream": CallQuery(upstream="up"),
            "cost": CallQuery(least_cost="0.0005"),
        }.items()
    } == {
        "workspace": ["request-01"],
        "face": ["request-02"],
        "outcome": ["request-03"],
        "route": ["request-04"],
        "upstream": ["request-04"],
        "part of an upstream": [],
        "cost": ["request-05"],
    }


def test_a_call_is_found_whatever_its_id_says_of_its_time(books: Books, reports: Reports) -> None:
    digits = f"{int((NOON - timedelta(days=31)).timestamp() * 1000):012x}"
    early = RequestId(f"{digits[:8]}-{digits[8:]}-9000-8000-000000000001")
    odd = RequestId("ffffffff-ffff-9000-8000-000000000002")
    books.post([settlement(1, id=early), settlement(2, id=odd), settlement(3)])

    found = [reports.call(request_id) for request_id in (early, odd)]
    assert [call.request_id if call else None for call in found] == [early, odd]

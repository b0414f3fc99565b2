"""What counters begin with after a restart."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from qwenport.core.caller import AccountKind, AccountTerms
from qwenport.core.errors import AccountInArrears, QuotaExceeded, RateExceeded
from qwenport.core.ids import AccountId, GrantId, KeyId, LimitId, RequestId, WorkspaceId
from qwenport.core.limits import Limit, Unit, Window
from qwenport.gate.charges import Ask, Consumed, charges_of
from qwenport.gate.funding import funds_of
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.restore import consumed_of, restore
from qwenport.metering.records import Hold
from qwenport.storage.counter_rows import BookedCall, CountedCalls, CounterFacts
from qwenport.storage.records import Balance, FreeTokens
from qwenport.testing.calls import CALLER
from qwenport.testing.clock import FakeClock

pytestmark = pytest.mark.anyio

ZONE = ZoneInfo("Asia/Shanghai")
NOW_MS = round(FakeClock().timestamp() * 1000)


def counted(**changes: Any) -> CountedCalls:
    plain = CountedCalls(
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        workspace_id=WorkspaceId("ws-1"),
        level="small",
        currency="CNY",
        model="qwen-plus",
        requests=5,
        input_tokens=100,
        output_tokens=50,
        images=0,
        pages=0,
        cost_nanos=900,
    )
    return replace(plain, **changes)


def facts(**some: Any) -> CounterFacts:
    return CounterFacts(
        **{"at_ms": NOW_MS, "balances": (), "free": (), "days": (), "last_hour": (), "levels": {}, **some}
    )


def ask(book: LimitBook, **terms: Any) -> Ask:
    caller = replace(CALLER, terms=AccountTerms(level="small", **terms))
    hold = Hold(
        id=RequestId("request-1"),
        at=NOW_MS / 1000,
        expires_at=NOW_MS / 1000 + 3600,
        key_id=caller.key_id,
        account_id=caller.account_id,
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=1,
        output_tokens=0,
        cost_nanos=100,
    )
    return Ask(hold=hold, funds=funds_of(caller, hold), charges=charges_of(book.fitting(caller, "qwen-plus"), hold))


def bound(unit: Unit, window: Window, cap: int) -> Limit:
    return Limit(id=LimitId("lim"), unit=unit, window=window, cap=cap, level="small", currency="CNY")


async def refused_with(limit: Limit, known: CounterFacts) -> int | None:
    """Return after how many seconds the next call may come again; None where it passes."""
    book = LimitBook([limit])
    counters = LocalCounters(FakeClock(), ZONE)
    restore(counters, book, known)
    try:
        await counters.take(ask(book))
    except (QuotaExceeded, RateExceeded) as error:
        return error.retry_after_s
    return None


@pytest.mark.parametrize(
    ("limit", "wait_s"),
    [
        (bound(Unit.REQUESTS, Window.HOUR, 5), 2400),
        (bound(Unit.REQUESTS, Window.HOUR, 6), None),
        (bound(Unit.TOTAL_TOKENS, Window.HOUR, 150), 2400),
        (bound(Unit.MONEY, Window.HOUR, 999), 2400),
        (bound(Unit.REQUESTS, Window.MINUTE, 5), None),
    ],
)
async def test_the_last_hour_stays_used_as_long_as_it_would_have(limit: Limit, wait_s: int | None) -> None:
    earlier = facts(last_hour=(counted(at_ms=NOW_MS - 1_200_000),))

    assert await refused_with(limit, earlier) == wait_s


@pytest.mark.parametrize(
    ("limit", "day", "is_refused"),
    [
        (bound(Unit.REQUESTS, Window.DAY, 5), "2026-01-01", True),
        (bound(Unit.REQUESTS, Window.DAY, 6), "2026-01-01", False),
        (bound(Unit.REQUESTS, Window.DAY, 5), "2025-12-31", False),
        (bound(Unit.MONEY, Window.MONTH, 999), "2026-01-01", True),
        (bound(Unit.MONEY, Window.MONTH, 999), "2025-12-31", False),
    ],
)
async def test_days_and_months_stay_used(limit: Limit, day: str, is_refused: bool) -> None:
    assert (await refused_with(limit, facts(days=(counted(day=day),))) is not None) == is_refused


async def test_money_and_free_tokens_are_what_the_books_say() -> None:
    book, counters = LimitBook(), LocalCounters(FakeClock())
    balances = (
        Balance(ledger_account="customer:acc-1", currency="CNY", moved_nanos=1000, used_nanos=901, revision=3),
        Balance(ledger_account="house:revenue", currency="CNY", moved_nanos=0, used_nanos=-901, revision=0),
    )
    free = FreeTokens(account_id=AccountId("acc-1"), grant_id=GrantId("g"), model="qwen-plus", tokens=7)
    restore(counters, book, facts(balances=balances, free=(free,)))

    assert counters.purse(AccountId("acc-1"), "CNY").balance == 99
    assert counters.free_tokens(AccountId("acc-1"), GrantId("g"), "qwen-plus").used == 7
    with pytest.raises(AccountInArrears):
        await counters.take(ask(book, kind=AccountKind.PREPAID))


def test_a_booked_call_tells_the_counters_what_it_consumed() -> None:
    booked = BookedCall(input_tokens=1, output_tokens=2, images=3, pages=4, cost_nanos=5)

    assert consumed_of(booked) == Consumed(input_tokens=1, output_tokens=2, images=3, pages=4, cost_nanos=5)

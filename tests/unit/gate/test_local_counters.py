"""Counters in the process: what passes, what is refused and with which words, what is given back."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenport.core.caller import AccountKind, AccountTerms, Caller, FreeQuota
from qwenport.core.errors import (
    AccessDenied,
    AccountInArrears,
    BurstExceeded,
    ConcurrencyExceeded,
    FreeQuotaExceeded,
    FreeTierExhausted,
    QuotaExceeded,
    RateExceeded,
    Refused,
)
from qwenport.core.ids import GrantId, LimitId, RequestId
from qwenport.core.limit_standing import Standing
from qwenport.core.limits import Limit, Mode, Unit, Window
from qwenport.gate.charges import Ask, Consumed, Taken, charges_of
from qwenport.gate.funding import funds_of
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.metering.records import Hold
from qwenport.storage.records import Balance
from qwenport.testing.calls import CALLER
from qwenport.testing.clock import FakeClock

pytestmark = pytest.mark.anyio

PREPAID = replace(CALLER, terms=AccountTerms(kind=AccountKind.PREPAID))


class Door:
    """Counters with some limits, and calls that are numbered."""

    def __init__(self, *limits: Limit, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.shadows: list[Limit] = []
        self.book = LimitBook(limits)
        self.counters = LocalCounters(self.clock, on_shadow=self.shadows.append)
        self.calls = 0

    def ask(self, caller: Caller = CALLER, **hold: Any) -> Ask:
        self.calls += 1
        plain: dict[str, Any] = {"input_tokens": 10, "output_tokens": 20, "cost_nanos": 100, **hold}
        now = self.clock.timestamp()
        made = Hold(
            id=RequestId(f"request-{self.calls}"),
            at=now,
            expires_at=now + 3600,
            key_id=caller.key_id,
            account_id=caller.account_id,
            currency=caller.currency,
            model="qwen-plus",
            face="openai",
            operation="chat.completions",
            streams=False,
            **plain,
        )
        charges = charges_of(self.book.fitting(caller, "qwen-plus"), made)
        return Ask(hold=made, funds=funds_of(caller, made), charges=charges)

    async def take(self, caller: Caller = CALLER, **hold: Any) -> RequestId:
        """Take for one more call; raises its refusal."""
        ask = self.ask(caller, **hold)
        await self.counters.take(ask)
        return ask.hold.id

    async def passing(self, most: int = 1000, **hold: Any) -> int:
        """Return how many calls pass until one is refused."""
        for number in range(most):
            try:
                await self.take(**hold)
            except Refused:
                return number
        return most


def limit(unit: Unit, window: Window, cap: int, **more: Any) -> Limit:
    return Limit(id=LimitId(f"{unit}-{window}"), unit=unit, window=window, cap=cap, currency="CNY", **more)


def credit(nanos: int) -> Balance:
    return Balance(ledger_account="customer:acc-1", currency="CNY", moved_nanos=nanos, used_nanos=99, revision=1)


@pytest.mark.parametrize(
    ("refusing", "error", "wait_s"),
    [
        (limit(Unit.REQUESTS, Window.MINUTE, 0), RateExceeded, 60),
        (limit(Unit.REQUESTS, Window.HOUR, 0, burst_ms=1000), RateExceeded, 3600),
        (limit(Unit.REQUESTS, Window.AT_ONCE, 0), ConcurrencyExceeded, 1),
        (limit(Unit.REQUESTS, Window.DAY, 0), RateExceeded, 86_400),
        (limit(Unit.INPUT_TOKENS, Window.SECOND, 9), QuotaExceeded, 1),
        (limit(Unit.OUTPUT_TOKENS, Window.MONTH, 19), QuotaExceeded, 31 * 86_400),
        (limit(Unit.TOTAL_TOKENS, Window.MINUTE, 29), QuotaExceeded, 60),
        (limit(Unit.MONEY, Window.DAY, 99), QuotaExceeded, 86_400),
    ],
    ids=lambda value: value.id if isinstance(value, Limit) else "",
)
async def test_a_call_that_never_fits_is_refused_with_the_right_words(
    refusing: Limit, error: type[Refused], wait_s: int
) -> None:
    door = Door(refusing)
    with pytest.raises(error) as refused:
        await door.take()

    assert (type(refused.value), refused.value.retry_after_s) == (error, wait_s)
    assert (door.counters.held, await Door(replace(refusing, cap=10**6)).passing(3)) == (0, 3)


async def test_sixty_a_minute_pass_and_sixty_more_a_minute_later() -> None:
    door = Door(limit(Unit.REQUESTS, Window.MINUTE, 60))
    assert await door.passing() == 60
    door.clock.advance(59.999)
    assert await door.passing() == 0
    door.clock.advance(0.001)

    assert await door.passing() == 60


async def test_with_a_burst_of_a_second_one_passes_at_once_and_one_a_second_for_a_minute() -> None:
    door = Door(limit(Unit.REQUESTS, Window.MINUTE, 60, burst_ms=1000))
    refused = []
    for _ in range(200):
        try:
            await door.take()
        except BurstExceeded as error:
            refused.append(error)
    assert len(refused) == 199
    for _ in range(59):
        door.clock.advance(1)
        assert await door.passing(1) == 1

    door.clock.advance(0.95)
    with pytest.raises(RateExceeded):
        await door.take()


async def test_a_call_longer_than_the_share_of_a_burst_passes_alone() -> None:
    door = Door(limit(Unit.TOTAL_TOKENS, Window.MINUTE, 600, burst_ms=1000))
    await door.take()
    with pytest.raises(BurstExceeded):
        await door.take()
    door.clock.advance(1)

    assert await door.passing(1) == 1


async def test_of_several_limits_that_refuse_the_first_in_order_is_told_with_the_longest_wait() -> None:
    door = Door(
        limit(Unit.MONEY, Window.DAY, 0),
        limit(Unit.TOTAL_TOKENS, Window.HOUR, 0),
        limit(Unit.REQUESTS, Window.AT_ONCE, 0),
    )
    with pytest.raises(ConcurrencyExceeded) as refused:
        await door.take()

    assert refused.value.retry_after_s == 86_400


async def test_when_one_limit_refuses_nothing_is_taken_of_the_others() -> None:
    door = Door(limit(Unit.REQUESTS, Window.MINUTE, 3), limit(Unit.TOTAL_TOKENS, Window.MINUTE, 40))
    first = await door.take()
    for _ in range(5):
        with pytest.raises(QuotaExceeded):
            await door.take()
    door.counters.settle(first, None)

    assert await door.passing(input_tokens=1, output_tokens=0) == 3


async def test_minutes_hold_a_bounded_output_and_days_all_of_it() -> None:
    for window, fits in ((Window.MINUTE, 2048 + 10), (Window.DAY, 10_010)):
        bound = limit(Unit.TOTAL_TOKENS, window, fits)
        assert await Door(bound).passing(output_tokens=10_000) == 1
        assert await Door(replace(bound, cap=fits - 1)).passing(output_tokens=10_000) == 0


async def test_a_settlement_corrects_what_was_held() -> None:
    door = Door(limit(Unit.TOTAL_TOKENS, Window.MINUTE, 100), limit(Unit.TOTAL_TOKENS, Window.DAY, 100))
    first, second = await door.take(), await door.take()
    door.counters.settle(first, Consumed(input_tokens=5, output_tokens=1))
    door.counters.settle(second, Consumed(input_tokens=40, output_tokens=24))
    door.counters.settle(second, Consumed(input_tokens=1))
    door.counters.settle(RequestId("unknown"), None)

    assert await door.passing(input_tokens=10, output_tokens=0) == 3


async def test_what_is_free_of_the_unit_passes_a_limit_of_nothing() -> None:
    assert await Door(limit(Unit.IMAGES, Window.DAY, 0)).passing(2) == 2
    assert await Door(limit(Unit.IMAGES, Window.DAY, 0)).passing(2, images=1) == 0
    assert await Door(limit(Unit.PAGES, Window.DAY, 5)).passing(9, pages=2) == 2


async def test_a_shadow_limit_counts_and_lets_everything_pass() -> None:
    shadow = limit(Unit.REQUESTS, Window.MINUTE, 2, mode=Mode.SHADOW)
    door = Door(shadow)

    assert (await door.passing(5), door.shadows) == (5, [shadow] * 3)


async def test_a_call_that_another_limit_refuses_is_not_counted_as_one_that_a_shadow_would_have() -> None:
    shadow = limit(Unit.REQUESTS, Window.MINUTE, 0, mode=Mode.SHADOW)
    door = Door(shadow, limit(Unit.REQUESTS, Window.HOUR, 0))

    assert (await door.passing(1), door.shadows) == (0, [])


async def test_slots_are_given_back_when_calls_end() -> None:
    door = Door(limit(Unit.REQUESTS, Window.AT_ONCE, 2))
    held = [await door.take(), await door.take()]
    assert await door.passing() == 0
    door.counters.settle(held[0], Consumed())
    door.counters.settle(held[1], None)

    assert (door.counters.kept, await door.passing()) == (0, 2)


async def test_a_day_begins_anew_at_midnight_and_a_clock_that_is_set_back_gives_nothing_back() -> None:
    clock = FakeClock()
    door = Door(limit(Unit.REQUESTS, Window.DAY, 2), clock=clock)
    clock.advance(86_399)
    assert await door.passing() == 2
    clock.advance(1)
    assert await door.passing() == 2
    clock._now -= timedelta(seconds=1)
    assert await door.passing() == 0
    clock._now -= timedelta(hours=3)
    assert await door.passing() == 0
    clock._now += timedelta(hours=4)

    assert await door.passing() == 0


async def test_a_prepaid_account_spends_what_it_has_and_no_more() -> None:
    door = Door()
    door.counters.follow([credit(250)])
    first, second = await door.take(PREPAID), await door.take(PREPAID)
    with pytest.raises(QuotaExceeded) as busy:
        await door.take(PREPAID)
    assert busy.value.retry_after_s == 1
    door.counters.settle(first, Consumed(cost_nanos=100))
    door.counters.settle(second, Consumed(cost_nanos=60))
    with pytest.raises(AccountInArrears):
        await door.take(PREPAID)
    door.counters.follow([credit(260)])

    await door.take(PREPAID)


async def test_whoever_owes_money_calls_nothing_not_even_for_nothing() -> None:
    door = Door()
    door.counters.follow([credit(100)])
    door.counters.settle(await door.take(PREPAID), Consumed(cost_nanos=101))
    assert door.counters.is_spent(CALLER.account_id, "CNY", None)
    with pytest.raises(AccountInArrears):
        await door.take(PREPAID, cost_nanos=0)

    await door.take(CALLER)


def on_grant(tokens: int = 100, days: int = 1, **terms: Any) -> Caller:
    quota = FreeQuota(grant=GrantId("g"), tokens=tokens, until=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days))
    return replace(CALLER, terms=AccountTerms(kind=AccountKind.PREPAID, free_quota=quota, **terms))


@pytest.mark.parametrize(
    ("caller", "hold", "error"),
    [
        (on_grant(29), {}, AccountInArrears),
        (on_grant(29, free_tier_only=True), {}, FreeTierExhausted),
        (on_grant(29, free_tier_only=True), {"cost_nanos": None}, FreeTierExhausted),
        (on_grant(29), {"cost_nanos": None}, FreeQuotaExceeded),
        (on_grant(100, days=0), {"cost_nanos": None}, FreeQuotaExceeded),
        (PREPAID, {"cost_nanos": None}, AccessDenied),
    ],
)
async def test_what_no_free_quota_covers_is_refused_in_the_right_words(
    caller: Caller, hold: dict[str, Any], error: type[Refused]
) -> None:
    with pytest.raises(error) as refused:
        await Door().take(caller, **hold)

    assert type(refused.value) is error


async def test_a_free_quota_covers_calls_while_all_that_they_may_use_fits() -> None:
    door = Door(limit(Unit.MONEY, Window.DAY, 0))
    caller = on_grant(60, free_tier_only=True)
    taken = [await door.counters.take(door.ask(caller)), await door.counters.take(door.ask(caller))]
    assert [each.is_covered for each in taken] == [True, True]
    with pytest.raises(FreeTierExhausted):
        await door.take(caller)
    door.counters.settle(RequestId("request-1"), Consumed(input_tokens=3, output_tokens=2))
    assert not door.counters.is_spent(caller.account_id, "CNY", (GrantId("g"), "qwen-plus", 60))
    with pytest.raises(FreeTierExhausted):
        await door.take(caller, output_tokens=16)

    await door.take(caller, output_tokens=15)


async def test_metered_accounts_call_what_has_no_price() -> None:
    assert await Door().passing(3, cost_nanos=None) == 3


async def test_callers_are_told_the_tightest_limits_of_requests_and_tokens() -> None:
    door = Door(
        limit(Unit.REQUESTS, Window.MINUTE, 60, burst_ms=1000),
        limit(Unit.REQUESTS, Window.DAY, 10),
        limit(Unit.TOTAL_TOKENS, Window.HOUR, 1000),
        limit(Unit.REQUESTS, Window.SECOND, 1, mode=Mode.SHADOW),
        limit(Unit.REQUESTS, Window.AT_ONCE, 1),
    )

    assert await door.counters.take(door.ask()) == Taken(
        is_covered=False,
        standings=(
            Standing(is_requests=True, cap=10, left=9, reset_s=86_400),
            Standing(is_requests=False, cap=1000, left=970, reset_s=3600),
        ),
    )


async def test_counters_that_nobody_uses_any_more_are_forgotten() -> None:
    door = Door(limit(Unit.REQUESTS, Window.SECOND, 10**9, key_id=CALLER.key_id))
    for number in range(500):
        door.book.replace([limit(Unit.REQUESTS, Window.SECOND, 10**9), replace(PLAIN_DAY, id=LimitId(f"l{number}"))])
        await door.take()
        door.clock.advance(2)
    assert door.counters.kept > 400
    door.book.replace([limit(Unit.REQUESTS, Window.SECOND, 10**9)])
    door.clock.advance(60 * 86_400)
    for _ in range(64 * 8):
        await door.take()

    assert door.counters.kept == 1


PLAIN_DAY = limit(Unit.REQUESTS, Window.DAY, 5)

STEP = st.tuples(st.sampled_from(["take", "settle", "void", "again"]), st.integers(0, 30), st.floats(0, 0.7))


@settings(max_examples=150)
@given(steps=st.lists(STEP, max_size=50))
def test_no_interleaving_exceeds_a_cap_and_in_the_end_nothing_is_held(steps: list[tuple[str, int, float]]) -> None:
    asyncio.run(_interleave(steps))


async def _interleave(steps: list[tuple[str, int, float]]) -> None:
    door = Door(
        limit(Unit.REQUESTS, Window.AT_ONCE, 3),
        limit(Unit.TOTAL_TOKENS, Window.SECOND, 120),
        limit(Unit.TOTAL_TOKENS, Window.DAY, 600),
    )
    door.counters.follow([credit(900)])
    held: list[RequestId] = []
    settled: list[RequestId] = []
    for kind, amount, pause in steps:
        door.clock.advance(pause)
        if kind == "take":
            with contextlib.suppress(Refused):
                held.append(await door.take(PREPAID, input_tokens=amount))
        elif kind == "again" and settled:
            door.counters.settle(settled[amount % len(settled)], Consumed(input_tokens=999, cost_nanos=999))
        elif held:
            request_id = held.pop(amount % len(held))
            settled.append(request_id)
            used = Consumed(output_tokens=min(amount, 20), cost_nanos=amount)
            door.counters.settle(request_id, None if kind == "void" else used)
        purse = door.counters.purse(CALLER.account_id, "CNY")
        assert len(held) == door.counters.held <= 3
        assert purse.held == 100 * len(held)
        assert purse.used + purse.held <= purse.moved
        assert all(window.total <= 120 for window in door.counters._windows.values())
        assert all(used <= 600 for periods in door.counters._periods.values() for used in periods.values())
    for request_id in held:
        door.counters.settle(request_id, None)

    assert (door.counters.held, door.counters.purse(CALLER.account_id, "CNY").held) == (0, 0)
    assert door.counters._at_once == {}

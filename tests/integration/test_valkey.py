"""Counters in a real Valkey: shared, all or nothing, and nothing lost or free when it dies."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.caller import AccountKind, AccountTerms, Caller, FreeQuota
from qwenport.core.clock import SystemClock
from qwenport.core.errors import (
    AccountInArrears,
    BurstExceeded,
    ConcurrencyExceeded,
    FreeTierExhausted,
    QuotaExceeded,
    RateExceeded,
    Refused,
    StorageUnavailable,
)
from qwenport.core.ids import AccountId, GrantId, KeyId, LimitId, RequestId, WorkspaceId
from qwenport.core.limits import Limit, Mode, Unit, Window
from qwenport.gate.charges import Ask, Consumed, charges_of
from qwenport.gate.funding import funds_of
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.valkey_counters import ValkeyCounters
from qwenport.gate.valkey_epoch import Rebuild
from qwenport.metering.records import Hold
from qwenport.storage.counter_rows import CountedCalls, CounterFacts
from qwenport.storage.records import Balance, FreeTokens
from qwenport.storage.valkey import Valkey, installation_of
from qwenport.testing.calls import CALLER
from qwenport.testing.valkey import ValkeyServer, running_valkey

pytestmark = pytest.mark.anyio

PREPAID = replace(CALLER, terms=AccountTerms(kind=AccountKind.PREPAID))
CLOCK = SystemClock()
PATIENCE_S = 30.0
"""Much longer than a gateway waits: a machine that does many things at once must not fail these tests."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    # The path of a socket has room for about a hundred characters; pytest's own folders are longer.
    with tempfile.TemporaryDirectory(prefix="qwv") as folder, running_valkey(Path(folder)) as running:
        yield running


class Books:
    """What counters are rebuilt from."""

    def __init__(self, moved_nanos: int = 0, used_nanos: int = 0) -> None:
        self.balance = Balance(
            ledger_account="customer:acc-1",
            currency="CNY",
            moved_nanos=moved_nanos,
            used_nanos=used_nanos,
            revision=1,
        )
        self.free: tuple[FreeTokens, ...] = ()
        self.days: tuple[CountedCalls, ...] = ()
        self.last_hour: tuple[CountedCalls, ...] = ()
        self.open: list[Hold] = []
        self.posted: dict[RequestId, Consumed] = {}
        self.reads = 0

    async def read(self) -> tuple[CounterFacts, Sequence[Hold]]:
        self.reads += 1
        facts = CounterFacts(
            at_ms=round(CLOCK.timestamp() * 1000),
            balances=(self.balance,),
            free=self.free,
            days=self.days,
            last_hour=self.last_hour,
            levels={},
            posted=frozenset(self.posted),
        )
        return facts, tuple(self.open)

    async def lookup(self, ids: Sequence[RequestId]) -> Mapping[RequestId, Consumed]:
        return {each: self.posted[each] for each in ids if each in self.posted}


class Worker:
    """One worker's view of the counters."""

    def __init__(self, server: ValkeyServer, limits: Sequence[Limit], books: Books, owner: str) -> None:
        self.book = LimitBook(limits)
        self.books = books
        self.owner = owner
        self.shadows: list[Limit] = []
        self.valkey = Valkey.connect(server.url, installation_of("books"), timeout_s=PATIENCE_S)
        rebuild = Rebuild(owner=owner, limits=self.book, read_facts=books.read)
        self.counters = ValkeyCounters(self.valkey, CLOCK, rebuild, on_shadow=self.shadows.append)
        self.calls = 0

    def ask(self, caller: Caller = CALLER, **hold: Any) -> Ask:
        self.calls += 1
        plain: dict[str, Any] = {"input_tokens": 10, "output_tokens": 20, "cost_nanos": 100, **hold}
        now = CLOCK.timestamp()
        made = Hold(
            id=RequestId(f"{self.owner}-{self.calls}"),
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
        ask = self.ask(caller, **hold)
        await self.counters.take(ask)
        return ask.hold.id

    async def settle(self, request_id: RequestId, consumed: Consumed | None) -> None:
        self.counters.settle(request_id, consumed)
        await self.counters.drain()

    async def age(self, seconds: int) -> None:
        """Have what the windows of all limits hold lie so many seconds further back: the clock is the server's."""
        for charge in self.ask().charges:
            key = self.counters._keys.counter + charge.bound.key
            [held] = await self.valkey.send([("ZRANGE", key, "0", "-1")])
            await self.valkey.send([("ZINCRBY", key, str(-seconds * 1_000_000), moment) for moment in held])

    async def passing(self, calls: int, caller: Caller = CALLER, **hold: Any) -> int:
        """Return how many of so many calls at once pass."""
        taking = (self.take(caller, **hold) for _ in range(calls))
        endings = await asyncio.gather(*taking, return_exceptions=True)
        assert all(isinstance(each, str | Refused) for each in endings), endings
        return sum(isinstance(each, str) for each in endings)


@asynccontextmanager
async def worker(
    server: ValkeyServer,
    *limits: Limit,
    books: Books | None = None,
    owner: str = "a",
) -> AsyncIterator[Worker]:
    started = Worker(server, limits, books or Books(), owner)
    await started.counters.start(started.books.lookup)
    try:
        yield started
    finally:
        await started.counters.close()


def limit(unit: Unit, window: Window, cap: int, **more: Any) -> Limit:
    return Limit(id=LimitId(f"{unit}-{window}"), unit=unit, window=window, cap=cap, currency="CNY", **more)


REQUESTS = limit(Unit.REQUESTS, Window.HOUR, 60)
DAY = limit(Unit.TOTAL_TOKENS, Window.DAY, 100)
AT_ONCE = limit(Unit.REQUESTS, Window.AT_ONCE, 2)


@pytest.mark.parametrize(
    ("refusing", "error"),
    [
        (limit(Unit.REQUESTS, Window.MINUTE, 0), RateExceeded),
        (limit(Unit.REQUESTS, Window.AT_ONCE, 0), ConcurrencyExceeded),
        (limit(Unit.REQUESTS, Window.DAY, 0), RateExceeded),
        (limit(Unit.TOTAL_TOKENS, Window.MINUTE, 29), QuotaExceeded),
        (limit(Unit.MONEY, Window.MONTH, 99), QuotaExceeded),
    ],
    ids=lambda value: value.id if isinstance(value, Limit) else "",
)
async def test_a_call_that_does_not_fit_is_refused_and_takes_nothing_elsewhere(
    server: ValkeyServer, refusing: Limit, error: type[Refused]
) -> None:
    async with worker(server, REQUESTS, refusing) as one:
        with pytest.raises(error) as refused:
            await one.take()
        one.book.replace([REQUESTS])

        assert type(refused.value) is error
        assert await one.passing(70) == 60


async def test_of_two_hundred_calls_at_once_a_burst_lets_one_pass(server: ValkeyServer) -> None:
    async with worker(server, limit(Unit.REQUESTS, Window.MINUTE, 3, burst_ms=20_000)) as one:
        endings = await asyncio.gather(*(one.take() for _ in range(200)), return_exceptions=True)

        assert sum(isinstance(each, BurstExceeded) for each in endings) == 199


async def test_a_window_that_has_passed_is_there_again(server: ValkeyServer) -> None:
    async with worker(server, limit(Unit.REQUESTS, Window.HOUR, 3)) as one:
        first = await one.passing(9)
        await one.age(3000)
        within_the_hour = await one.passing(9)
        await one.age(600)

        assert (first, within_the_hour, await one.passing(9)) == (3, 0, 3)


async def test_a_settlement_corrects_what_was_held_and_counts_once(server: ValkeyServer) -> None:
    async with worker(server, DAY, limit(Unit.TOTAL_TOKENS, Window.MINUTE, 100), AT_ONCE) as one:
        first, second = await one.take(), await one.take()
        with pytest.raises(ConcurrencyExceeded):
            await one.take()
        await one.settle(first, Consumed(input_tokens=5, output_tokens=1))
        await one.settle(second, Consumed(input_tokens=60, output_tokens=4))
        await one.settle(second, Consumed(input_tokens=1))

        with pytest.raises(QuotaExceeded):
            await one.take(input_tokens=31, output_tokens=0)
        await one.take(input_tokens=30, output_tokens=0)


async def test_a_shadow_limit_counts_and_lets_everything_pass(server: ValkeyServer) -> None:
    shadow = replace(REQUESTS, cap=2, mode=Mode.SHADOW)
    async with worker(server, shadow) as one:
        assert (await one.passing(5), one.shadows) == (5, [shadow] * 3)


async def test_money_is_shared_and_a_credit_reaches_all(server: ValkeyServer) -> None:
    books = Books(moved_nanos=260, used_nanos=10)
    async with worker(server, books=books) as one, worker(server, books=books, owner="b") as two:
        held = [await one.take(PREPAID), await two.take(PREPAID)]
        with pytest.raises(QuotaExceeded):
            await one.take(PREPAID)
        await one.settle(held[0], Consumed(cost_nanos=100))
        await two.settle(held[1], Consumed(cost_nanos=151))
        with pytest.raises(AccountInArrears):
            await two.take(PREPAID, cost_nanos=0)
        assert two.counters.is_spent(CALLER.account_id, "CNY", None)
        for each in (one, two):
            each.counters.follow([replace(books.balance, moved_nanos=500, revision=2)])
            await each.counters.keep()
        one.counters.follow([books.balance])
        await one.counters.keep()

        assert await one.passing(9, PREPAID) == 2


async def test_a_free_quota_covers_whole_calls(server: ValkeyServer) -> None:
    quota = FreeQuota(grant=GrantId("g"), tokens=100, until=CLOCK.now().replace(year=9999))
    caller = replace(CALLER, terms=AccountTerms(free_quota=quota, free_tier_only=True))
    books = Books()
    books.free = (FreeTokens(account_id=AccountId("acc-1"), grant_id=GrantId("g"), model="qwen-plus", tokens=40),)
    async with worker(server, limit(Unit.MONEY, Window.DAY, 0), books=books) as one:
        assert (await one.counters.take(one.ask(caller))).is_covered
        assert await one.passing(5, caller) == 1
        # A half of 4 tokens: an answer from the cache.
        await one.settle(RequestId("a-1"), Consumed(input_tokens=3, output_tokens=1, billed_percent=50))
        with pytest.raises(FreeTierExhausted):
            await one.take(caller, output_tokens=19)
        await one.take(caller, output_tokens=18)


ROOM_FOR_37: Mapping[str, tuple[list[Limit], Caller]] = {
    "requests": ([replace(REQUESTS, cap=37)], CALLER),
    "tokens": ([limit(Unit.TOTAL_TOKENS, Window.DAY, 37 * 30 + 29)], CALLER),
    "money": ([limit(Unit.MONEY, Window.MONTH, 37 * 100 + 99)], CALLER),
    "balance": ([], PREPAID),
}


@pytest.mark.parametrize("case", ROOM_FOR_37)
def test_of_five_hundred_calls_of_four_processes_exactly_those_pass_that_fit(server: ValkeyServer, case: str) -> None:
    arguments = [sys.executable, __file__, str(server.socket.parent), case]
    takers = [
        subprocess.Popen([*arguments, f"worker-{number}"], stdout=subprocess.PIPE, text=True) for number in range(4)
    ]
    passed = [int(taker.communicate(timeout=90)[0]) for taker in takers]

    assert sum(passed) == 37


async def _take_125(folder: str, case: str, owner: str) -> int:
    """Run as a process of its own: 125 calls at once; return how many passed."""
    limits, caller = ROOM_FOR_37[case]
    async with worker(ValkeyServer(Path(folder)), *limits, books=Books(moved_nanos=3700), owner=owner) as one:
        while not one.counters.is_up:
            await one.counters.keep()
        return await one.passing(125, caller)


async def test_what_a_dead_worker_held_is_settled_by_the_next_one_of_its_slot(server: ValkeyServer) -> None:
    books = Books(moved_nanos=1000)
    dead = Worker(server, [DAY, AT_ONCE], books, "a")
    await dead.counters.start(books.lookup)
    posted, _ = await dead.take(PREPAID), await dead.take(PREPAID)
    await dead.valkey.close()
    books.posted = {posted: Consumed(input_tokens=50, output_tokens=1, cost_nanos=300)}
    async with worker(server, DAY, AT_ONCE, books=books) as one:
        one.calls = 2
        with pytest.raises(QuotaExceeded):
            await one.take(input_tokens=50, output_tokens=0)
        assert await one.passing(9, PREPAID, input_tokens=1, cost_nanos=300) == 2


async def test_an_empty_valkey_lets_nothing_through_until_it_is_rebuilt_from_the_books(server: ValkeyServer) -> None:
    books = Books(moved_nanos=1000)
    async with worker(server, DAY, REQUESTS, AT_ONCE, books=books) as one:
        settled, running = await one.take(PREPAID), one.ask(PREPAID)
        await one.counters.take(running)
        server.kill()
        one.counters.settle(settled, Consumed(input_tokens=50, cost_nanos=300))
        server.start()
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                await one.take(PREPAID)
        assert one.counters.unsettled >= 1
        today = CLOCK.now().date().isoformat()
        books.balance = replace(books.balance, used_nanos=300)
        books.days = (_counted(day=today),)
        books.last_hour = (_counted(at_ms=round(CLOCK.timestamp() * 1000) - 1000),)
        books.posted = {settled: Consumed(input_tokens=50, cost_nanos=300)}
        books.open = [running.hold]
        while not one.counters.is_up:
            await one.counters.keep()

        with pytest.raises(QuotaExceeded):
            await one.take(PREPAID, input_tokens=21, output_tokens=0)
        with pytest.raises(QuotaExceeded):
            await one.take(PREPAID, input_tokens=1, output_tokens=0, cost_nanos=601)
        await one.take(PREPAID, input_tokens=1, output_tokens=0, cost_nanos=600)
        with pytest.raises(ConcurrencyExceeded):
            await one.take(input_tokens=1, output_tokens=0)
        assert (one.counters.unsettled, books.reads) == (0, 2)


async def test_a_settlement_of_a_call_that_was_open_when_the_counters_were_lost_counts_once(
    server: ValkeyServer,
) -> None:
    books = Books(moved_nanos=1000)
    async with worker(server, DAY, books=books) as one:
        running = one.ask(PREPAID)
        await one.counters.take(running)
        server.kill()
        await one.settle(running.hold.id, Consumed(input_tokens=80, cost_nanos=900))
        assert one.counters.unsettled == 1
        books.open = [running.hold]
        server.start()
        while not one.counters.is_up:
            await one.counters.keep()

        with pytest.raises(AccountInArrears):
            await one.take(PREPAID, input_tokens=20, output_tokens=0, cost_nanos=101)
        with pytest.raises(QuotaExceeded):
            await one.take(PREPAID, input_tokens=21, output_tokens=0)
        await one.take(PREPAID, input_tokens=20, output_tokens=0)


async def test_one_worker_rebuilds_and_the_others_wait_for_it(server: ValkeyServer) -> None:
    books = Books()
    async with worker(server, AT_ONCE, books=books) as one, worker(server, AT_ONCE, books=books, owner="b") as two:
        await one.take()
        server.kill()
        server.start()
        for each in (one, two):
            with pytest.raises(StorageUnavailable):
                await each.take()
        while not (one.counters.is_up and two.counters.is_up):
            await asyncio.gather(one.counters.keep(), two.counters.keep())

        assert books.reads == 2
        assert [await two.passing(5), await one.passing(5)] == [1, 0]


async def test_a_frozen_valkey_is_refused_in_words_and_nothing_leaks(server: ValkeyServer) -> None:
    async with worker(server, AT_ONCE) as one:
        server.freeze()
        one.valkey._timeout_s = 0.5
        with pytest.raises(StorageUnavailable, match="do not answer"):
            await one.take()
        with pytest.raises(StorageUnavailable, match="do not answer"):
            await one.take()
        server.thaw()
        one.valkey._timeout_s = PATIENCE_S
        while not one.counters.is_up:
            await one.counters.keep()
        await one.take()
        await one.take()
        with pytest.raises(ConcurrencyExceeded):
            await one.take()


async def test_a_caller_that_leaves_while_it_takes_leaves_nothing_taken(server: ValkeyServer) -> None:
    async with worker(server, AT_ONCE) as one:
        for _ in range(20):
            taking = [asyncio.create_task(one.take()) for _ in range(2)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for task in taking:
                task.cancel()
            endings = await asyncio.gather(*taking, return_exceptions=True)
            for ending in endings:
                if isinstance(ending, str):
                    await one.settle(RequestId(ending), None)
            await one.counters.drain()

        assert await one.passing(9) == 2


async def test_leases_that_have_run_out_are_freed(server: ValkeyServer) -> None:
    async with worker(server, AT_ONCE) as one:
        await one.take()
        await one.take()
        await one.valkey.send([("ZADD", one.counters._keys.leases, "1", "a-1")])
        await one.counters.keep()

        assert await one.passing(9) == 1


def _counted(**when: Any) -> CountedCalls:
    return CountedCalls(
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        workspace_id=WorkspaceId("ws-1"),
        level="",
        currency="CNY",
        model="qwen-plus",
        requests=1,
        input_tokens=50,
        output_tokens=0,
        images=0,
        pages=0,
        cost_nanos=300,
        **when,
    )


@pytest.mark.parametrize("url", ["http://host", "", "redis://host?prefix={a}"])
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="QWENPORT_VALKEY_URL"):
        Valkey.connect(url, "x")


def test_a_prefix_in_the_address_stands_in_the_place_of_the_installation() -> None:
    assert Valkey.connect("redis://host:6379/0?prefix=mine", "x").prefix == "{qwenport:mine}:"
    assert (
        Valkey.connect("valkey://host", installation_of("/a/b.db")).prefix
        == f"{{qwenport:{installation_of('/a/b.db')}}}:"
    )


if __name__ == "__main__":
    print(asyncio.run(_take_125(*sys.argv[1:])))  # noqa: T201 - read by the test above

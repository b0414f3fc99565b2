"""Limits, balance and free quota through the whole gate: counters, journal and books, and a restart of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.call import Sampling
from qwenport.core.caller import AccountKind, AccountTerms, Caller
from qwenport.core.errors import AccountInArrears, QuotaExceeded, RateExceeded, Refused
from qwenport.core.events import Finished
from qwenport.core.ids import AccountId, KeyId, LimitId, RandomIds, RequestId, WorkspaceId
from qwenport.core.limits import Dimension, Limit, Unit, Window
from qwenport.core.model_card import Price
from qwenport.core.usage import Usage
from qwenport.gate.admission import Admission, Gate, Rules
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.restore import restore
from qwenport.metering.flush import Books
from qwenport.metering.journal import Journal
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Settlement
from qwenport.storage.balance_rows import Moved, move
from qwenport.storage.counter_rows import BookedCall, consumed_by, read_counter_facts
from qwenport.storage.database import Database
from qwenport.testing.calls import chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.models import model_card

pytestmark = pytest.mark.anyio

CARD = model_card(
    prices=(
        Price(
            region="beijing",
            currency="CNY",
            input=Decimal("0.001"),
            output=Decimal("0.002"),
            per_tokens=1000,
            since=date(2025, 1, 3),
            source="a price list",
        ),
    )
)
METERED = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), workspace_id=WorkspaceId("ws-1"), currency="CNY")
PREPAID = replace(METERED, terms=AccountTerms(kind=AccountKind.PREPAID))
IDS = RandomIds()
INPUT, OUTPUT = 82, 10
"""Tokens that one call holds."""
COST = INPUT * 1250 + OUTPUT * 2000
"""Nano-yuan that one call holds: its input might all go into an explicit cache."""


class Town:
    """A gate with books and what was settled; `restart` begins anew with the same books."""

    def __init__(self, folder: Path, database: Database, limits: Sequence[Limit]) -> None:
        self.database = database
        self.clock = FakeClock()
        self.limits = LimitBook(limits)
        self.prices = PriceBook({CARD.name: CARD})
        self.journal = Journal(folder, segment_bytes=1 << 20)
        self.settled: list[Settlement] = []
        self.restart()

    def restart(self) -> None:
        """Start with what the books say."""
        self.counters = LocalCounters(self.clock)
        with self.database.read() as transaction:
            facts = read_counter_facts(transaction, at_ms=round(self.clock.timestamp() * 1000), zone=UTC)
        restore(self.counters, self.limits, facts)
        rules = Rules(limits=self.limits, prices=self.prices)
        self.gate = Gate(self.journal, self.clock, rules, self.counters, on_settled=self.settled.append)

    def admit(self, caller: Caller = METERED) -> Admission:
        call = replace(chat_call("Hi", sampling=Sampling(max_tokens=OUTPUT)), id=IDS.request_id())
        return self.gate.admit(caller, CARD, call)

    async def call(self, caller: Caller = METERED) -> RequestId:
        async with self.admit(caller) as admission:
            admission.observe(Finished(usage=Usage(input_tokens=8, output_tokens=4)))
        return self.settled[-1].hold.id

    async def passing(self, calls: int, caller: Caller = METERED) -> int:
        """Return how many of so many calls pass that run at once, and all end when all have begun."""
        gate_open = asyncio.Event()

        async def one() -> None:
            async with self.admit(caller) as admission:
                await gate_open.wait()
                admission.observe(Finished(usage=Usage(input_tokens=8, output_tokens=4)))

        tasks = [asyncio.create_task(one()) for _ in range(calls)]
        await asyncio.sleep(0)
        gate_open.set()
        endings = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(each is None or isinstance(each, Refused) for each in endings), endings
        return endings.count(None)

    def post(self) -> None:
        """Write what was settled into the books."""
        Books(self.database, self.prices).post(self.settled)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as opened:
        yield opened


@asynccontextmanager
async def town(tmp_path: Path, database: Database, *limits: Limit) -> AsyncIterator[Town]:
    built = Town(tmp_path / "journal", database, limits)
    yield built
    assert (built.counters.held, built.journal.open_holds) == (0, {})
    built.journal.close()


def limit(unit: Unit, window: Window, cap: int, **more: Any) -> Limit:
    return Limit(id=LimitId(f"{unit}-{window}"), unit=unit, window=window, cap=cap, currency="CNY", **more)


@pytest.mark.parametrize(
    "bound",
    [
        limit(Unit.REQUESTS, Window.MINUTE, 37, per=(Dimension.KEY,)),
        limit(Unit.REQUESTS, Window.AT_ONCE, 37),
        limit(Unit.INPUT_TOKENS, Window.HOUR, 38 * INPUT - 1),
        limit(Unit.TOTAL_TOKENS, Window.DAY, 38 * (INPUT + OUTPUT) - 1, per=(Dimension.ACCOUNT, Dimension.MODEL)),
        limit(Unit.MONEY, Window.MONTH, 38 * COST - 1),
    ],
    ids=lambda bound: bound.id,
)
async def test_of_five_hundred_calls_at_once_exactly_those_pass_that_fit(
    tmp_path: Path, database: Database, bound: Limit
) -> None:
    async with town(tmp_path, database, bound) as one:
        assert await one.passing(500) == 37


async def test_a_balance_lets_exactly_those_pass_that_it_covers(tmp_path: Path, database: Database) -> None:
    _credit(database, 38 * COST - 1)
    async with town(tmp_path, database) as one:
        assert await one.passing(500, PREPAID) == 37


async def test_no_restart_hands_out_a_new_minute_hour_day_or_balance(tmp_path: Path, database: Database) -> None:
    cost = 8 * 1000 + 4 * 2000
    _credit(database, 3 * cost + COST - 1)
    async with town(tmp_path, database) as one:
        for _ in range(3):
            await one.call(PREPAID)
            one.clock.advance(10)
        one.post()
        for bound, error, wait_s in (
            (limit(Unit.REQUESTS, Window.HOUR, 3), RateExceeded, 3570),
            (limit(Unit.TOTAL_TOKENS, Window.MINUTE, 36 + INPUT + OUTPUT - 1), QuotaExceeded, 30),
            (limit(Unit.MONEY, Window.DAY, 3 * cost + COST - 1, per=(Dimension.ACCOUNT,)), QuotaExceeded, 86_370),
        ):
            one.limits.replace([bound])
            one.restart()
            with pytest.raises(error) as refused:
                await one.call()
            assert refused.value.retry_after_s == wait_s
        one.limits.replace([])
        one.restart()
        with pytest.raises(AccountInArrears):
            await one.call(PREPAID)


async def test_the_books_say_which_calls_they_hold_and_what_those_consumed(tmp_path: Path, database: Database) -> None:
    async with town(tmp_path, database) as one:
        posted = await one.call()
        one.post()
        open_holds = [posted, RequestId("00000000-0000-9000-8000-000000000000")]
        with database.read() as transaction:
            facts = read_counter_facts(transaction, at_ms=0, zone=UTC, open_holds=open_holds)
            found = consumed_by(transaction, open_holds)

    assert facts.posted == {posted}
    assert found == {posted: BookedCall(input_tokens=8, output_tokens=4, images=0, pages=0, cost_nanos=16_000)}


def _credit(database: Database, nanos: int) -> None:
    with database.write() as transaction:
        move(transaction, [Moved(ledger_account="customer:acc-1", currency="CNY", moved_nanos=nanos)], 1)

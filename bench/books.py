"""What identification, limits, hold, settlement and flush cost in processor time, measured in one process.

The account is prepaid and in credit, its calls have a price, and three limits bind them: requests a minute with a
burst, tokens an hour, money a day.

Rounds of calls through the whole pipeline with the real gate, journal and SQLite books alternate with rounds of the
same pipeline that lets everybody pass and writes nothing; the difference is what the gate costs.
Run as `python -m bench.books ROUNDS`; it prints a `GateCost`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import uvloop
from msgspec import Struct

from bench.bare_pipeline import NOBODY, PREPARE, bare_parts
from qwenport.accounts.key_ring import KeyRing
from qwenport.accounts.keys import hash_key
from qwenport.catalog.catalog import Catalog
from qwenport.core.call import Call, ChatInput, Sampling
from qwenport.core.caller import AccountKind, AccountTerms, Caller
from qwenport.core.clock import SystemClock
from qwenport.core.content import Message, Role
from qwenport.core.ids import AccountId, KeyId, LimitId, RandomIds, workspace_of
from qwenport.core.limits import Dimension, Limit, Unit, Window
from qwenport.gate.admission import Gate, Rules
from qwenport.gate.identify import Identify
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.metering.flush import Books
from qwenport.metering.journal import Journal
from qwenport.metering.ledger_accounts import customer
from qwenport.metering.price_book import PriceBook
from qwenport.metering.replay import Poster
from qwenport.pipeline.serve import Parts, serve
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord, Balance, KeyRecord
from qwenport.testing.routing import router_to
from qwenport.testing.scripted_engine import ScriptedEngine, answer

MODEL = "qwen-plus"
CALLS_A_ROUND = 500
CALLS_A_SYNC = 100
PIECES = 10
_TARGET = "llama/smollm2-135m-instruct"
_KEY = "sk-" + "0123456789abcdef" * 4
_CREDIT_NANOS = 10**18
_MUCH = 10**15
_LIMITS = (
    Limit(
        id=LimitId("requests"),
        unit=Unit.REQUESTS,
        window=Window.MINUTE,
        cap=_MUCH,
        burst_ms=1000,
        per=(Dimension.KEY, Dimension.MODEL),
    ),
    Limit(id=LimitId("tokens"), unit=Unit.TOTAL_TOKENS, window=Window.HOUR, cap=_MUCH, per=(Dimension.ACCOUNT,)),
    Limit(id=LimitId("money"), unit=Unit.MONEY, window=Window.DAY, cap=_CREDIT_NANOS, currency="CNY"),
)
_HEADERS = {"authorization": f"Bearer {_KEY}", "content-type": "application/json", "host": "127.0.0.1"}


class GateCost(Struct, frozen=True, kw_only=True):
    """Processor time in microseconds a call: medians over the rounds."""

    bare_us: float
    gated_us: float
    """With the gate, without the flush."""
    flush_us: float
    added_us: float
    """Gate, hold, settlement and share of the flush: `gated_us + flush_us - bare_us`, round by round."""
    added_p90_us: float
    rounds: int
    calls_a_round: int
    pieces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """The two pipelines and what they share."""

    engine: ScriptedEngine
    gated: Parts
    bare: Parts
    identify: Callable[[], Caller]
    journal: Journal
    poster: Poster

    async def round(self, parts: Parts, identify: Callable[[], Caller]) -> float:
        """Run a round of calls; return microseconds of processor time a call."""
        ids = RandomIds()
        began = time.process_time_ns()
        for number in range(CALLS_A_ROUND):
            call = _call(ids)
            async with aclosing(serve(identify(), call, parts)) as events:
                async for _ in events:
                    pass
            if parts is self.gated and number % CALLS_A_SYNC == 0:
                self.journal.sync()
        spent = time.process_time_ns() - began
        self.engine.calls.clear()
        return spent / CALLS_A_ROUND / 1000

    def flush(self) -> float:
        """Post what was settled; return microseconds of processor time a call."""
        began = time.process_time_ns()
        posted = self.poster.post_written(self.journal.number, self.journal.offset)
        spent = time.process_time_ns() - began
        if posted != CALLS_A_ROUND:
            raise AssertionError(f"{posted} calls reached the books, {CALLS_A_ROUND} were made")
        return spent / CALLS_A_ROUND / 1000


def _call(ids: RandomIds) -> Call:
    return Call(
        id=ids.request_id(),
        face="openai",
        operation="chat.completions",
        model=MODEL,
        input=ChatInput(messages=(Message(role=Role.USER, content="How do you do?"),)),
        sampling=Sampling(max_tokens=PIECES),
    )


async def measure(folder: Path, rounds: int) -> GateCost:
    """Measure; `folder` takes the journal and the database."""
    with Database.open(folder / "qwenport.db") as database:
        bench = _put_together(database, folder)
        samples: list[tuple[float, float, float]] = []
        for number in range(rounds + 1):
            bare = await bench.round(bench.bare, lambda: NOBODY)
            gated = await bench.round(bench.gated, bench.identify)
            flush = bench.flush()
            if number:  # the first round warms up
                samples.append((bare, gated, flush))
        bench.journal.close()
    return _summary(samples)


def _put_together(database: Database, folder: Path) -> _Bench:
    clock, catalog = SystemClock(), Catalog.load(None)
    ring, prices = KeyRing(), PriceBook(catalog.cards)
    account, key = _account(clock), _key(clock)
    ring.update(accounts=[account], keys=[key])
    identify = Identify(ring, clock)
    journal = Journal(folder / "journal")
    counters = LocalCounters(clock)
    counters.follow([_credit(account)])
    gate = Gate(journal, clock, Rules(limits=LimitBook(_LIMITS), prices=prices), counters)
    steps = answer(*(f" word{number}" for number in range(PIECES)), served_by=_TARGET)
    engine = ScriptedEngine(lambda _: steps, target=_TARGET)
    routes = router_to(engine)
    permit = Permit(counters.is_spent, clock)
    return _Bench(
        engine=engine,
        gated=Parts(resolve=catalog.resolve, permit=permit, admit=gate.admit, prepare=PREPARE, route=routes),
        bare=bare_parts(catalog, routes),
        identify=lambda: identify(_HEADERS, "127.0.0.1"),
        journal=journal,
        poster=Poster(journal, Books(database, prices).post),
    )


def _account(clock: SystemClock) -> AccountRecord:
    terms = AccountTerms(kind=AccountKind.PREPAID)
    return AccountRecord(
        id=AccountId("acc-1"), email="bench@example.com", name="", currency="CNY", created_at=clock.now(), terms=terms
    )


def _key(clock: SystemClock) -> KeyRecord:
    return KeyRecord(
        id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        workspace_id=workspace_of(AccountId("acc-1")),
        name="",
        description="",
        digest=hash_key(_KEY),
        prefix="sk-",
        created_at=clock.now(),
        expires_at=None,
        disabled=False,
        deleted=False,
        last_used_at=None,
        models=(),
        ip_ranges=(),
        hours=None,
        rotate_after_days=None,
        bodies=None,
        rotates_to=None,
        revision=1,
    )


def _credit(account: AccountRecord) -> Balance:
    return Balance(
        ledger_account=customer(account.id),
        currency=account.currency,
        moved_nanos=_CREDIT_NANOS,
        used_nanos=0,
        revision=1,
    )


def _summary(samples: list[tuple[float, float, float]]) -> GateCost:
    added = sorted(gated + flush - bare for bare, gated, flush in samples)
    return GateCost(
        bare_us=median(bare for bare, _, _ in samples),
        gated_us=median(gated for _, gated, _ in samples),
        flush_us=median(flush for _, _, flush in samples),
        added_us=median(added),
        added_p90_us=added[int(0.9 * (len(added) - 1))],
        rounds=len(samples),
        calls_a_round=CALLS_A_ROUND,
        pieces=PIECES,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="qwenport-bench-") as place:
        print(msgspec.json.encode(uvloop.run(measure(Path(place), int(sys.argv[1])))).decode())

"""The hold of a call, and what its settlement says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenport.core.call import Call, Sampling
from qwenport.core.caller import AccountKind, AccountTerms, FreeQuota
from qwenport.core.content import FilePart, ImagePart, Message, Role
from qwenport.core.errors import (
    AccountInArrears,
    ContentBlocked,
    Draining,
    EngineFailed,
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    ParameterInvalid,
    StorageUnavailable,
    Throttled,
)
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Generated, Reasoning, Started
from qwenport.core.ids import AccountId, GrantId, KeyId, LimitId, RequestId
from qwenport.core.limits import Limit, Unit, Window
from qwenport.core.model_card import Price
from qwenport.core.usage import Usage, UsageSource
from qwenport.gate.admission import HOLD_SECONDS, Gate, Rules
from qwenport.gate.charges import Consumed
from qwenport.gate.counters import Counters
from qwenport.gate.limit_book import LimitBook
from qwenport.gate.local_counters import LocalCounters
from qwenport.metering.journal import Journal
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.clock import FakeClock
from qwenport.testing.models import model_card
from qwenport.testing.scripted_engine import Wait
from qwenport.testing.tally import Tally

pytestmark = pytest.mark.anyio

PLAIN = Sampling()
CARD = model_card(
    max_input_tokens=50,
)
PRICED = model_card(
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
"""1,000 nano-yuan for an input token, 2,000 for an output token."""


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal(tmp_path, segment_bytes=1 << 16)
    yield opened
    opened.close()


def call(text: str = "Hi", sampling: Sampling = PLAIN) -> Call:
    return chat_call(text, sampling=sampling)


def stream(text: str = "Hi", sampling: Sampling = PLAIN) -> Call:
    """Return a call of which its client sees every event."""
    return replace(call(text, sampling), streams=True)


class Watched:
    """A gate, what its counters hold, and every settlement that it wrote."""

    def __init__(
        self,
        journal: Journal,
        clock: FakeClock | None = None,
        counters: Counters | None = None,
        limits: tuple[Limit, ...] = (),
    ) -> None:
        self.settled: list[Settlement] = []
        self.clock = clock or FakeClock()
        self.tally = Tally()
        rules = Rules(limits=LimitBook(limits), prices=PriceBook({CARD.name: CARD}))
        self.gate = Gate(journal, self.clock, rules, counters or self.tally, on_settled=self.settled.append)

    @property
    def settlement(self) -> Settlement:
        """The only settlement."""
        [settlement] = self.settled
        return settlement


async def test_a_hold_says_what_the_call_may_consume_at_most(journal: Journal) -> None:
    clock = FakeClock()
    gate = Watched(journal, clock).gate
    async with gate.admit(CALLER, CARD, call("\u4f60\u597d", Sampling(max_tokens=10, choices=3))):
        assert list(journal.open_holds.values()) == [
            Hold(
                id=RequestId("request-1"),
                at=clock.timestamp(),
                expires_at=clock.timestamp() + HOLD_SECONDS,
                key_id=KeyId("key-1"),
                account_id=AccountId("acc-1"),
                currency="CNY",
                model="qwen-plus",
                face="openai",
                operation="chat.completions",
                streams=False,
                input_tokens=50,
                output_tokens=30,
            )
        ]


async def test_a_hold_is_never_for_more_than_the_model_takes(journal: Journal) -> None:
    gate = Watched(journal).gate
    async with gate.admit(CALLER, CARD, call("x" * 1000)):
        [hold] = journal.open_holds.values()

    assert (hold.input_tokens, hold.output_tokens) == (50, 100)


async def test_times_are_measured_from_admission(journal: Journal) -> None:
    clock = FakeClock()
    watched = Watched(journal, clock)
    gate = watched.gate
    async with gate.admit(CALLER, CARD, call()) as admission:
        clock.advance(0.25)
        admission.observe(Started(served_by="engine/model", input_tokens=1))
        clock.advance(1)
        admission.observe(Finished(usage=Usage()))
    settlement = watched.settlement

    assert (settlement.first_event_ms, settlement.total_ms, settlement.at) == (250, 1250, clock.timestamp())


EVENTS = st.one_of(
    st.builds(Delta, text=st.just("x"), tokens=st.integers(0, 5), choice=st.integers(0, 3)),
    st.builds(ChoiceFinished, reason=st.just(FinishReason.STOP), tokens=st.integers(0, 2)),
)


@settings(max_examples=60)
@given(
    started=st.builds(
        Started, served_by=st.just("engine/model"), input_tokens=st.integers(0, 50), cached_tokens=st.integers(0, 9)
    ),
    events=st.lists(EVENTS, max_size=12),
    part=st.floats(0, 1),
)
def test_a_stream_that_is_cut_at_any_event_is_billed_the_sum_of_its_events(
    tmp_path_factory: pytest.TempPathFactory, started: Started, events: list[Delta | ChoiceFinished], part: float
) -> None:
    told: list[Event] = [started, *events]
    seen = told[: round(len(told) * part)]
    folder = tmp_path_factory.mktemp("journal")

    async def run() -> Settlement:
        journal = Journal(folder, segment_bytes=4096)
        watched = Watched(journal)
        with contextlib.suppress(EngineFailed):
            async with watched.gate.admit(CALLER, CARD, stream()) as admission:
                for event in seen:
                    admission.observe(event)
                raise EngineFailed("cut")
        journal.close()
        return watched.settlement

    settlement = asyncio.run(run())
    made = sum(event.tokens for event in seen if isinstance(event, Generated))
    counted = (started.input_tokens, min(started.cached_tokens, started.input_tokens), made)
    source = "counted" if counted[1] == started.cached_tokens else "clamped"
    expected = (*counted, source) if seen else (0, 0, 0, "")
    assert (
        settlement.input_tokens,
        settlement.cached_tokens,
        settlement.output_tokens,
        settlement.usage_source,
    ) == expected


async def test_the_engines_own_count_replaces_the_sum(journal: Journal) -> None:
    watched = Watched(journal)
    gate = watched.gate
    async with gate.admit(CALLER, CARD, call()) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=9, cached_tokens=9))
        admission.observe(Delta(text="x", tokens=9))
        admission.observe(Finished(usage=Usage(input_tokens=3, output_tokens=2, cached_tokens=1)))
    settlement = watched.settlement

    usage = (settlement.input_tokens, settlement.output_tokens, settlement.cached_tokens, settlement.usage_source)
    assert usage == (3, 2, 1, UsageSource.ENGINE)


@pytest.mark.parametrize("name", ["engine/" + "x" * 1000, "engine/\ud800\x00\n" + "\U0001f600" * 1000])
async def test_an_odd_name_of_an_engine_is_written_in_a_form_that_fits(journal: Journal, name: str) -> None:
    watched = Watched(journal)
    gate = watched.gate
    async with gate.admit(CALLER, CARD, stream()) as admission:
        admission.observe(Started(served_by=name, input_tokens=1))
    settlement = watched.settlement

    assert len(settlement.served_by) == 100
    assert settlement.served_by.isprintable()
    assert journal.unwritten == []


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (InputTooLong(10), (Outcome.FAILED, 400, "input_too_long")),
        (Throttled(), (Outcome.FAILED, 429, "throttled")),
        (ModelUnavailable("gone"), (Outcome.FAILED, 503, "model_unavailable")),
        (EngineTimedOut(), (Outcome.FAILED, 500, "engine_timed_out")),
        (KeyError("x"), (Outcome.FAILED, 500, "internal")),
        (asyncio.CancelledError(), (Outcome.ABANDONED, 499, "client_gone")),
        (GeneratorExit(), (Outcome.ABANDONED, 499, "client_gone")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_the_error_says_how_the_call_ended(
    journal: Journal, error: BaseException, ending: tuple[Outcome, int, str]
) -> None:
    watched = Watched(journal)
    gate = watched.gate
    admission = gate.admit(CALLER, CARD, call())
    await admission.__aenter__()
    await admission.__aexit__(type(error), error, None)
    settlement = watched.settlement

    assert (settlement.outcome, settlement.status, settlement.error) == ending


async def test_a_call_that_finished_stays_finished_when_its_client_leaves_afterwards(journal: Journal) -> None:
    watched = Watched(journal)
    gate = watched.gate
    with contextlib.suppress(asyncio.CancelledError):
        async with gate.admit(CALLER, CARD, call()) as admission:
            admission.observe(Finished(usage=Usage(input_tokens=1)))
            raise asyncio.CancelledError

    assert watched.settlement.outcome is Outcome.FINISHED


async def test_a_hold_that_outlives_its_time_is_void_and_its_call_settles_nothing_any_more(journal: Journal) -> None:
    clock = FakeClock()
    watched = Watched(journal, clock)
    gate = watched.gate
    async with gate.admit(CALLER, CARD, call()) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=5))
        clock.advance(HOLD_SECONDS - 1)
        assert gate.void_expired() == 0
        clock.advance(1)
        assert gate.void_expired() == 1
    settlement = watched.settlement

    assert (settlement.outcome, settlement.input_tokens) == (Outcome.EXPIRED, 0)


async def test_what_was_taken_is_given_back_when_the_call_cannot_be_written_down(journal: Journal) -> None:
    watched = Watched(journal)
    journal.close()
    with pytest.raises(StorageUnavailable):
        await watched.gate.admit(CALLER, CARD, call()).__aenter__()

    assert (watched.tally.held, watched.tally.settled, watched.settled) == ({}, [None], [])


async def test_a_call_that_is_cancelled_while_it_takes_leaves_no_hold(journal: Journal) -> None:
    taking = Wait()
    tally = Tally(taking=taking)
    watched = Watched(journal, counters=tally)
    entering = asyncio.create_task(watched.gate.admit(CALLER, CARD, call()).__aenter__())
    await taking.arrives()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering

    assert (tally.held, journal.open_holds, watched.settled) == ({}, {}, [])


async def test_nothing_is_admitted_while_the_server_breaks_off(journal: Journal) -> None:
    watched = Watched(journal)
    watched.gate.draining = True
    with pytest.raises(Draining):
        await watched.gate.admit(CALLER, CARD, call()).__aenter__()

    assert (watched.tally.settled, journal.offset) == ([None], 0)


async def test_the_counters_learn_what_was_consumed_once(journal: Journal) -> None:
    watched = Watched(journal)
    async with watched.gate.admit(CALLER, PRICED, call()) as admission:
        admission.observe(Finished(usage=Usage(input_tokens=5, output_tokens=2)))
    watched.gate.settle(watched.settlement)

    assert watched.tally.settled == [Consumed(input_tokens=5, output_tokens=2, cost_nanos=5 * 1000 + 2 * 2000)]


async def test_a_call_is_priced_once_when_it_ends(journal: Journal) -> None:
    clock = FakeClock()
    watched = Watched(journal, clock)
    with contextlib.suppress(EngineFailed):
        async with watched.gate.admit(CALLER, PRICED, stream("x" * 8, Sampling(max_tokens=10))) as admission:
            [hold] = journal.open_holds.values()
            clock.advance(0.125)
            admission.routed()
            admission.observe(Started(served_by="engine/model", input_tokens=9, image_tokens=4))
            admission.observe(Reasoning(text="hm", tokens=2))
            admission.observe(Delta(text="x", tokens=1))
            raise EngineFailed("cut")

    said = watched.settlement
    # At most: all of the input might go into an explicit cache, which costs a quarter more.
    assert hold.cost_nanos == (8 + 16 + 64) * 1250 + 10 * 2000
    assert (said.priced, said.cost_nanos, said.price_source) == (True, 9 * 1000 + 3 * 2000, "beijing 2025-01-03")
    assert (said.queue_ms, said.image_tokens, said.reasoning_tokens) == (125, 4, 2)


async def test_a_discount_and_a_batch_make_it_cheaper(journal: Journal) -> None:
    watched = Watched(journal)
    caller = replace(CALLER, terms=AccountTerms(discounts=(("qwen-plus", 500_000),)))
    async with watched.gate.admit(caller, PRICED, replace(call(), batch=True)) as admission:
        admission.observe(Finished(usage=Usage(input_tokens=8)))

    assert watched.settlement.cost_nanos == 8 * 1000 // 4


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        (Usage(input_tokens=-5, output_tokens=2), (0, 2, 0, 0, "clamped")),
        (Usage(input_tokens=5, output_tokens=10**12), (5, 10, 0, 0, "clamped")),
        (Usage(input_tokens=3000, output_tokens=2), (83, 2, 0, 0, "clamped")),
        (Usage(input_tokens=5, output_tokens=2, cached_tokens=6), (5, 2, 5, 0, "clamped")),
        (Usage(input_tokens=5, output_tokens=2, reasoning_tokens=3), (5, 2, 0, 2, "clamped")),
        (Usage(), (7, 3, 0, 0, "counted")),
        (Usage(input_tokens=5, output_tokens=2, cached_tokens=1, reasoning_tokens=1), (5, 2, 1, 1, "engine")),
    ],
)
async def test_a_usage_that_cannot_be_true_is_brought_into_range_and_flagged(
    journal: Journal, said: Usage, believed: tuple[int, int, int, int, str]
) -> None:
    watched = Watched(journal)
    async with watched.gate.admit(CALLER, PRICED, call("Hi!", Sampling(max_tokens=10))) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=7))
        admission.observe(Delta(text="x", tokens=3))
        admission.observe(Finished(usage=said))
    settled = watched.settlement

    usage = (settled.input_tokens, settled.output_tokens, settled.cached_tokens, settled.reasoning_tokens)
    assert (*usage, settled.usage_source) == believed
    assert settled.cost_nanos == believed[0] * 1000 + believed[1] * 2000


@pytest.mark.parametrize("only_free", [True, False])
async def test_a_route_that_costs_nothing_uses_no_free_quota(journal: Journal, only_free: bool) -> None:
    quota = FreeQuota(grant=GrantId("grant-1"), tokens=1, until=datetime(2027, 1, 1, tzinfo=UTC))
    terms = AccountTerms(kind=AccountKind.PREPAID, free_quota=quota, free_tier_only=only_free)
    clock = FakeClock()
    watched = Watched(journal, clock, LocalCounters(clock))
    async with watched.gate.admit(replace(CALLER, terms=terms), replace(CARD, costs_nothing=True), call()) as admission:
        admission.observe(Finished(usage=Usage(input_tokens=8)))

    settled = watched.settlement
    assert (settled.hold.grant, settled.cost_nanos, settled.price_source) == ("", 0, "route price 0")


@pytest.mark.parametrize("step", [2 * HOLD_SECONDS, -2 * HOLD_SECONDS])
async def test_setting_the_wall_clock_makes_no_running_call_free(journal: Journal, step: float) -> None:
    clock = FakeClock()
    watched = Watched(journal, clock)
    async with watched.gate.admit(CALLER, PRICED, call()) as admission:
        clock.set_wall(step)
        assert watched.gate.void_expired() == 0
        async with watched.gate.admit(CALLER, PRICED, replace(call(), id=RequestId("request-2"))):
            assert watched.gate.void_expired() == 0
        admission.observe(Finished(usage=Usage(input_tokens=8, output_tokens=1)))

    assert [(each.outcome, each.cost_nanos) for each in watched.settled] == [("failed", 0), ("finished", 10_000)]


async def test_a_call_without_a_price_is_unpriced_and_one_that_consumed_nothing_is_free(journal: Journal) -> None:
    watched = Watched(journal)
    async with watched.gate.admit(CALLER, CARD, call()) as admission:
        admission.observe(Finished(usage=Usage(input_tokens=1)))
    with contextlib.suppress(EngineFailed):
        async with watched.gate.admit(CALLER, CARD, replace(call(), id=RequestId("request-2"))):
            raise EngineFailed("nothing came")

    assert [(each.priced, each.cost_nanos) for each in watched.settled] == [(True, None), (True, 0)]


async def test_a_free_quota_covers_whole_calls(journal: Journal) -> None:
    clock = FakeClock()
    quota = FreeQuota(grant=GrantId("grant-1"), tokens=200, until=clock.now() + timedelta(days=1))
    caller = replace(CALLER, terms=AccountTerms(kind=AccountKind.PREPAID, free_quota=quota))
    counters = LocalCounters(clock)
    watched = Watched(journal, clock, counters)
    async with watched.gate.admit(caller, PRICED, call()) as admission:
        [hold] = journal.open_holds.values()
        admission.observe(Finished(usage=Usage(input_tokens=60, output_tokens=41)))
    with pytest.raises(AccountInArrears):
        await watched.gate.admit(caller, PRICED, call()).__aenter__()

    settled = watched.settlement
    assert (hold.grant, hold.cost_nanos) == ("grant-1", 0)
    assert (settled.cost_nanos, settled.price_source) == (0, "free quota")
    assert counters.free_tokens(caller.account_id, quota.grant, "qwen-plus").used == 101


@pytest.mark.parametrize(("percent", "used"), [(0, 0), (33, 33), (100, 101)])
async def test_an_answer_from_the_cache_takes_the_part_of_a_free_quota_that_the_operator_says(
    journal: Journal, percent: int, used: int
) -> None:
    clock = FakeClock()
    quota = FreeQuota(grant=GrantId("grant-1"), tokens=200, until=clock.now() + timedelta(days=1))
    caller = replace(CALLER, terms=AccountTerms(free_quota=quota))
    counters = LocalCounters(clock)
    watched = Watched(journal, clock, counters)
    async with watched.gate.admit(caller, PRICED, call()) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=60, billed_percent=percent))
        admission.observe(Finished(usage=Usage(input_tokens=60, output_tokens=41, source=UsageSource.CACHE)))

    settled = watched.settlement
    assert (settled.cost_nanos, settled.price_source) == (0, f"free quota, cached answer at {percent}%")
    assert counters.free_tokens(caller.account_id, quota.grant, "qwen-plus").used == used


async def test_pages_are_held_at_most_and_settled_as_they_were_loaded(journal: Journal) -> None:
    watched = Watched(journal)
    asked = chat_call(messages=(Message(role=Role.USER, content=(ImagePart(url="fileid://file-fe-1"),)),))
    async with watched.gate.admit(CALLER, PRICED, asked) as admission:
        [hold] = journal.open_holds.values()
        admission.loaded(0, 3)
        admission.observe(Finished(usage=Usage(input_tokens=5)))

    assert (hold.images, hold.pages) == (1, 50)
    assert (watched.settlement.images, watched.settlement.pages) == (0, 3)


async def test_more_pages_than_a_limit_has_counted_end_the_call_before_it_is_read(journal: Journal) -> None:
    limit = Limit(id=LimitId("l"), unit=Unit.PAGES, window=Window.DAY, cap=50)
    watched = Watched(journal, limits=(limit,))
    asked = chat_call(messages=(Message(role=Role.USER, content=(ImagePart(url="https://example.com/scan"),)),))
    with pytest.raises(ParameterInvalid, match="have 3 pages"):
        async with watched.gate.admit(CALLER, PRICED, asked) as admission:
            admission.loaded(0, 3)

    assert (watched.settlement.pages, watched.settlement.cost_nanos) == (0, 0)


async def test_pages_that_the_engine_counts_are_believed(journal: Journal) -> None:
    watched = Watched(journal)
    asked = chat_call(messages=(Message(role=Role.USER, content=(ImagePart(url="fileid://file-fe-1"),)),))
    async with watched.gate.admit(CALLER, PRICED, asked) as admission:
        admission.loaded(0, 3)
        admission.observe(Finished(usage=Usage(input_tokens=5, pages=2)))

    assert (watched.settlement.images, watched.settlement.pages) == (0, 2)


async def test_an_image_that_cannot_be_had_costs_nothing(journal: Journal) -> None:
    watched = Watched(journal)
    asked = chat_call(messages=(Message(role=Role.USER, content=(ImagePart(url="data:image/png;base64,AA=="),)),))
    with pytest.raises(ParameterInvalid):
        async with watched.gate.admit(CALLER, PRICED, asked):
            raise ParameterInvalid("The image format is illegal and cannot be opened", parameter="messages")

    settled = watched.settlement
    assert (settled.input_tokens, settled.images, settled.pages, settled.cost_nanos) == (0, 0, 0, 0)


async def test_images_are_counted_as_they_were_sent(journal: Journal) -> None:
    watched = Watched(journal)
    picture = ImagePart(url="data:image/png;base64,AA==")
    asked = chat_call(messages=(Message(role=Role.USER, content=(picture, picture, FilePart(id="f"))),))
    async with watched.gate.admit(CALLER, PRICED, asked) as admission:
        [hold] = journal.open_holds.values()
        admission.observe(Finished(usage=Usage(input_tokens=5)))

    assert (hold.images, hold.pages) == (2, 3)
    assert (watched.settlement.images, watched.settlement.pages) == (2, 3)


@pytest.mark.parametrize(("percent", "cost_nanos"), [(0, 0), (33, 4290), (100, 13_000)])
async def test_an_answer_from_the_cache_costs_the_part_that_the_operator_says(
    journal: Journal, percent: int, cost_nanos: int
) -> None:
    watched = Watched(journal)
    usage = Usage(input_tokens=9, output_tokens=2, cached_tokens=9, source=UsageSource.CACHE)
    async with watched.gate.admit(CALLER, PRICED, call("x" * 8, Sampling(max_tokens=10))) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=9, cached_tokens=9, billed_percent=percent))
        admission.observe(Delta(text="x", tokens=2))
        admission.observe(Finished(usage=usage))

    said = watched.settlement
    assert (said.cost_nanos, said.price_source) == (cost_nanos, f"beijing 2025-01-03, cached answer at {percent}%")
    assert (said.outcome, said.usage_source, said.cached_tokens) == (Outcome.FINISHED, "cache", 9)


async def test_an_answer_from_the_cache_whose_client_leaves_is_counted_as_one_from_there(journal: Journal) -> None:
    watched = Watched(journal)
    with contextlib.suppress(EngineFailed):
        async with watched.gate.admit(CALLER, PRICED, stream("x" * 8, Sampling(max_tokens=10))) as admission:
            admission.observe(Started(served_by="engine/model", input_tokens=9, cached_tokens=9, billed_percent=50))
            admission.observe(Delta(text="x", tokens=1))
            raise EngineFailed("cut")

    assert (watched.settlement.usage_source, watched.settlement.cost_nanos) == ("cache", (9 * 1000 + 2000) // 2)


async def test_an_answer_that_was_made_whole_and_then_blocked_has_failed_and_is_billed(journal: Journal) -> None:
    watched = Watched(journal)
    with contextlib.suppress(ContentBlocked):
        async with watched.gate.admit(CALLER, PRICED, call("x" * 8, Sampling(max_tokens=10))) as admission:
            admission.observe(Started(served_by="engine/model", input_tokens=9))
            admission.observe(Finished(usage=Usage(input_tokens=9, output_tokens=2)))
            raise ContentBlocked("Output")

    said = watched.settlement
    assert (said.outcome, said.status, said.error, said.cost_nanos) == (Outcome.FAILED, 400, "content_blocked", 13_000)


@pytest.mark.parametrize(
    "error",
    [
        EngineFailed("cut"),
        EngineTimedOut(),
        Throttled(),
        KeyError("a defect"),
        asyncio.CancelledError(Draining()),
        None,
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_whole_answer_that_breaks_off_midway_costs_nothing(
    journal: Journal, error: BaseException | None
) -> None:
    watched = Watched(journal)
    with contextlib.suppress(Exception, asyncio.CancelledError):
        async with watched.gate.admit(CALLER, PRICED, call("x" * 8, Sampling(max_tokens=10))) as admission:
            admission.observe(Started(served_by="engine/model", input_tokens=9))
            admission.observe(Delta(text="x", tokens=2))
            if error is not None:
                raise error

    said = watched.settlement
    assert (said.outcome, said.input_tokens, said.output_tokens, said.cost_nanos) == (Outcome.FAILED, 0, 0, 0)
    assert watched.tally.settled == [Consumed(input_tokens=0, output_tokens=0, cost_nanos=0)]


@pytest.mark.parametrize(("streams", "cost_nanos"), [(False, 0), (True, 13_000)])
async def test_an_answer_that_was_made_and_could_not_be_given_has_failed(
    journal: Journal, cost_nanos: int, *, streams: bool
) -> None:
    watched = Watched(journal)
    asked = replace(call("x" * 8, Sampling(max_tokens=10)), streams=streams)
    with contextlib.suppress(EngineFailed):
        async with watched.gate.admit(CALLER, PRICED, asked) as admission:
            admission.observe(Started(served_by="engine/model", input_tokens=9))
            admission.observe(Finished(usage=Usage(input_tokens=9, output_tokens=2)))
            raise EngineFailed("it could not be written down")

    said = watched.settlement
    assert (said.outcome, said.status, said.cost_nanos) == (Outcome.FAILED, 500, cost_nanos)


async def test_a_whole_answer_that_its_client_does_not_wait_for_is_billed_what_was_made(journal: Journal) -> None:
    watched = Watched(journal)
    with contextlib.suppress(asyncio.CancelledError):
        async with watched.gate.admit(CALLER, PRICED, call("x" * 8, Sampling(max_tokens=10))) as admission:
            admission.observe(Started(served_by="engine/model", input_tokens=9))
            admission.observe(Delta(text="x", tokens=2))
            raise asyncio.CancelledError

    said = watched.settlement
    assert (said.outcome, said.cost_nanos) == (Outcome.ABANDONED, 9 * 1000 + 2 * 2000)

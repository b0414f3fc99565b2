"""The hold of a call, and what its settlement says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenport.core.call import Call, Sampling
from qwenport.core.errors import (
    Draining,
    EngineFailed,
    EngineTimedOut,
    InputTooLong,
    Internal,
    ModelUnavailable,
    Overloaded,
    QwenportError,
    StorageUnavailable,
    Throttled,
)
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Generated, Started
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.usage import Usage, UsageSource
from qwenport.gate.admission import HOLD_SECONDS, Gate, history_status
from qwenport.metering.journal import Journal
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


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal(tmp_path, segment_bytes=1 << 16)
    yield opened
    opened.close()


def call(text: str = "Hi", sampling: Sampling = PLAIN) -> Call:
    return chat_call(text, sampling=sampling)


async def settlement_of(gate: Gate, tally: Tally) -> Settlement:
    await gate.drain()
    [settlement] = tally.settled
    assert settlement is not None
    return settlement


async def test_a_hold_says_what_the_call_may_consume_at_most(journal: Journal) -> None:
    clock = FakeClock()
    gate = Gate(journal, clock)
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
                input_tokens=6 + 16 + 16,
                output_tokens=30,
            )
        ]


async def test_a_hold_is_never_for_more_than_the_model_takes(journal: Journal) -> None:
    gate = Gate(journal, FakeClock())
    async with gate.admit(CALLER, CARD, call("x" * 1000)):
        [hold] = journal.open_holds.values()

    assert (hold.input_tokens, hold.output_tokens) == (50, 100)


async def test_times_are_measured_from_admission(journal: Journal) -> None:
    clock, tally = FakeClock(), Tally()
    gate = Gate(journal, clock, [tally])
    async with gate.admit(CALLER, CARD, call()) as admission:
        clock.advance(0.25)
        admission.observe(Started(served_by="engine/model", input_tokens=1))
        clock.advance(1)
        admission.observe(Finished(usage=Usage()))
    settlement = await settlement_of(gate, tally)

    assert (settlement.first_event_ms, settlement.total_ms, settlement.at) == (250, 1250, clock.timestamp())


EVENTS = st.one_of(
    st.builds(Delta, text=st.just("x"), tokens=st.integers(0, 5), choice=st.integers(0, 3)),
    st.builds(ChoiceFinished, reason=st.just(FinishReason.STOP), tokens=st.integers(0, 2)),
)


@settings(deadline=None, max_examples=60)
@given(
    started=st.builds(
        Started, served_by=st.just("engine/model"), input_tokens=st.integers(0, 99), cached_tokens=st.integers(0, 9)
    ),
    events=st.lists(EVENTS, max_size=12),
    part=st.floats(0, 1),
)
def test_a_stream_that_is_cut_at_any_event_is_billed_the_sum_of_its_events(
    tmp_path_factory: pytest.TempPathFactory, started: Started, events: list[Delta | ChoiceFinished], part: float
) -> None:
    stream: list[Event] = [started, *events]
    seen = stream[: round(len(stream) * part)]
    folder = tmp_path_factory.mktemp("journal")

    async def run() -> Settlement:
        journal, tally = Journal(folder, segment_bytes=4096), Tally()
        gate = Gate(journal, FakeClock(), [tally])
        with contextlib.suppress(EngineFailed):
            async with gate.admit(CALLER, CARD, call()) as admission:
                for event in seen:
                    admission.observe(event)
                raise EngineFailed("cut")
        journal.close()
        return await settlement_of(gate, tally)

    settlement = asyncio.run(run())
    made = sum(event.tokens for event in seen if isinstance(event, Generated))
    expected = (started.input_tokens, started.cached_tokens, made, "counted") if seen else (0, 0, 0, "")
    assert (
        settlement.input_tokens,
        settlement.cached_tokens,
        settlement.output_tokens,
        settlement.usage_source,
    ) == expected


async def test_the_engines_own_count_replaces_the_sum(journal: Journal) -> None:
    tally = Tally()
    gate = Gate(journal, FakeClock(), [tally])
    async with gate.admit(CALLER, CARD, call()) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=9, cached_tokens=9))
        admission.observe(Delta(text="x", tokens=9))
        admission.observe(Finished(usage=Usage(input_tokens=1, output_tokens=2, cached_tokens=3)))
    settlement = await settlement_of(gate, tally)

    usage = (settlement.input_tokens, settlement.output_tokens, settlement.cached_tokens, settlement.usage_source)
    assert usage == (1, 2, 3, UsageSource.ENGINE)


@pytest.mark.parametrize("name", ["engine/" + "x" * 1000, "engine/\ud800\x00\n" + "\U0001f600" * 1000])
async def test_an_odd_name_of_an_engine_is_written_in_a_form_that_fits(journal: Journal, name: str) -> None:
    tally = Tally()
    gate = Gate(journal, FakeClock(), [tally])
    async with gate.admit(CALLER, CARD, call()) as admission:
        admission.observe(Started(served_by=name, input_tokens=1))
    settlement = await settlement_of(gate, tally)

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
    tally = Tally()
    gate = Gate(journal, FakeClock(), [tally])
    admission = gate.admit(CALLER, CARD, call())
    await admission.__aenter__()
    await admission.__aexit__(type(error), error, None)
    settlement = await settlement_of(gate, tally)

    assert (settlement.outcome, settlement.status, settlement.error) == ending


async def test_a_call_that_finished_stays_finished_when_its_client_leaves_afterwards(journal: Journal) -> None:
    tally = Tally()
    gate = Gate(journal, FakeClock(), [tally])
    with contextlib.suppress(asyncio.CancelledError):
        async with gate.admit(CALLER, CARD, call()) as admission:
            admission.observe(Finished(usage=Usage(input_tokens=1)))
            raise asyncio.CancelledError

    assert (await settlement_of(gate, tally)).outcome is Outcome.FINISHED


async def test_a_hold_that_outlives_its_time_is_void_and_its_call_settles_nothing_any_more(journal: Journal) -> None:
    clock, tally = FakeClock(), Tally()
    gate = Gate(journal, clock, [tally])
    async with gate.admit(CALLER, CARD, call()) as admission:
        admission.observe(Started(served_by="engine/model", input_tokens=5))
        clock.advance(HOLD_SECONDS - 1)
        assert gate.void_expired() == 0
        clock.advance(1)
        assert gate.void_expired() == 1
    settlement = await settlement_of(gate, tally)

    assert (settlement.outcome, settlement.input_tokens) == (Outcome.EXPIRED, 0)


async def test_a_limit_that_fails_to_settle_keeps_no_other_from_settling(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Tally):
        async def settle(self, hold: Hold, settlement: Settlement | None) -> None:
            raise ConnectionError("the counters are away")

    tally = Tally()
    gate = Gate(journal, FakeClock(), [Broken(), tally])
    with caplog.at_level(logging.ERROR):
        async with gate.admit(CALLER, CARD, call()):
            pass
        await gate.drain()

    assert tally.held == {}
    assert "could not be settled for call request-1" in caplog.text


async def test_what_was_taken_is_given_back_even_when_the_call_is_cancelled_again_meanwhile(journal: Journal) -> None:
    slow, taking = Tally(settling=(settling := Wait())), Wait()
    gate = Gate(journal, FakeClock(), [slow, Tally(taking=taking)])
    entering = asyncio.create_task(gate.admit(CALLER, CARD, call()).__aenter__())
    await taking.arrives()
    entering.cancel()
    await settling.arrives()
    entering.cancel()
    settling.go.set()
    await gate.drain()

    assert (slow.held, slow.settled, journal.open_holds) == ({}, [None], {})
    with pytest.raises(asyncio.CancelledError):
        await entering


async def test_nothing_is_admitted_while_the_server_breaks_off(journal: Journal) -> None:
    tally = Tally()
    gate = Gate(journal, FakeClock(), [tally])
    gate.draining = True
    with pytest.raises(Draining):
        await gate.admit(CALLER, CARD, call()).__aenter__()
    await gate.drain()

    assert (tally.settled, journal.offset) == ([None], 0)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Draining(), 503),
        (Overloaded(), 503),
        (StorageUnavailable("x"), 503),
        (Internal(), 500),
        (EngineFailed("x"), 500),
    ],
)
def test_an_error_has_a_status_in_the_history(error: QwenportError, status: int) -> None:
    assert history_status(error) == status

"""Every call operation, whole and streamed, through every ending: settled once or never, and billed what it was.

Each test reads what someone outside can see: the bytes on the socket, the lines of the journal, the rows of the books,
what the limits hold, and what became of the engine's run and of the server's tasks.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from qwenport.core.errors import (
    Draining,
    EngineFailed,
    ModelUnavailable,
    Overloaded,
    ParameterInvalid,
    QwenportError,
    Throttled,
)
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.metering.ledger import check
from qwenport.metering.records import Hold, Settlement
from qwenport.metering.replay import decode_line
from qwenport.metering.segment import read_lines
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import FIRST_ID, PlainCall, every_plain_call
from qwenport.testing.raw_client import RawClient
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait
from qwenport.testing.tally import Tally

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
STARTED = Started(served_by=TARGET, input_tokens=7, cached_tokens=2)
HALF: tuple[Event, ...] = (STARTED, Delta(text="Hel"), Delta(text="lo ", tokens=2))
"""What an answer that is broken off has consumed: 7 tokens in, 2 of them cached, and 3 out."""
WHOLE: tuple[Event, ...] = (
    *HALF,
    Delta(text="you"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=8, output_tokens=6, cached_tokens=3)),
)
"""A good answer; the engine's own count differs from the sum of the events, so that a test can tell them apart."""

COUNTED = (7, 3, 2, "counted")
NOTHING = (0, 0, 0, "")

Open = Callable[..., Awaitable[Gateway]]
"""Starts the gateway of a test: script, limits, slots."""


@pytest.fixture(params=every_plain_call(FACES), ids=lambda call: call.name)
def call(request: pytest.FixtureRequest) -> PlainCall:
    asked: PlainCall = request.param
    return asked


@pytest.fixture
async def open_gateway(tmp_path: Path) -> AsyncIterator[Open]:
    """Return a starter of gateways; afterwards nothing of them may be left running."""
    async with AsyncExitStack() as stack:

        async def start(script: Sequence[Step], limits: Sequence[Tally] = (), slots: int = 4) -> Gateway:
            engine = ScriptedEngine(lambda _: script, target=TARGET, slots=slots)
            return await stack.enter_async_context(running_gateway(tmp_path, Plan(engines=(engine,), limits=limits)))

        yield start
    # What is left are the task that runs this and the one in which the plugin runs tests.
    left = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - {asyncio.current_task()}}
    assert left - {"TestRunner._call_in_runner_task"} == set()


def engine_of(gateway: Gateway) -> ScriptedEngine:
    engine = gateway.plan.engines[0]
    assert isinstance(engine, ScriptedEngine)
    return engine


def journal_lines(gateway: Gateway) -> list[Hold | Settlement | None]:
    paths = sorted((gateway.folder / "journal").iterdir())
    return [decode_line(line, path) for path in paths for _, line in read_lines(path, 0)]


def rows(gateway: Gateway, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(gateway.folder / "qwenport.db")
    try:
        return list(connection.execute(statement))
    finally:
        connection.close()


async def assert_nothing_is_held(gateway: Gateway) -> None:
    """Everything that was taken was given back, and nothing runs any more."""
    await gateway.idle()
    await gateway.keeper.post()
    assert gateway.journal.open_holds == {}
    assert engine_of(gateway).open_runs == 0
    assert {slots.free for slots in gateway.routes.slots.values()} == {engine_of(gateway).slots}
    assert [limit.held for limit in gateway.plan.limits if isinstance(limit, Tally)] == [{}] * len(gateway.plan.limits)
    assert check(gateway.database).balanced


async def assert_no_trace(gateway: Gateway) -> None:
    """The call was never admitted: nothing of it is in the journal or in the books."""
    await assert_nothing_is_held(gateway)
    assert journal_lines(gateway) == []
    assert rows(gateway, "SELECT * FROM calls") == []
    assert rows(gateway, "SELECT * FROM ledger_entries") == []


async def assert_settled(
    gateway: Gateway, call: PlainCall, ending: tuple[str, int, str], usage: tuple[int, int, int, str]
) -> None:
    """The call is in the books once, as this ending (outcome, status, error) and this usage say.

    At qwen-plus's price of 1 January 2026, an input token costs 800 and an output token 2,000 nano-yuan.
    """
    await assert_nothing_is_held(gateway)
    input_tokens, output_tokens, cached_tokens, source = usage
    cost = input_tokens * 800 + output_tokens * 2000
    identity = (FIRST_ID, call.face.name, call.operation.name, int(call.streams), "qwen-plus")
    served_by = TARGET if source else ""
    assert [type(line) for line in journal_lines(gateway)] == [Hold, Settlement]
    assert rows(
        gateway,
        "SELECT request_id, face, operation, streams, model, served_by, outcome, status, error, input_tokens, "
        "output_tokens, cached_tokens, usage_source, cost_nanos FROM calls",
    ) == [(*identity, served_by, *ending, input_tokens, output_tokens, cached_tokens, source, cost)]
    kind = "post" if cost else "void"
    assert rows(gateway, "SELECT request_id, amount_nanos, kind FROM ledger_entries") == [(FIRST_ID, cost, kind)]


async def assert_answer(gateway: Gateway, client: RawClient, call: PlainCall, steps: Sequence[Event]) -> None:
    """The client gets the whole answer, whose headers name the request and the engine."""
    card = gateway.plan.catalog.resolve("qwen-plus")
    answer = await client.answer()
    assert (answer.status, answer.headers["x-request-id"]) == (200, FIRST_ID)
    assert answer.headers["x-qwenport-served-by"] == f"{TARGET}; stand-in"
    assert answer.body == (call.frames(card, steps) if call.streams else call.reply(card, steps).body)


async def assert_error(client: RawClient, call: PlainCall, error: QwenportError) -> None:
    """The client gets the error with its own status, since nothing was said before."""
    expected = call.refusal(error)
    answer = await client.answer()
    assert (answer.status, answer.body) == (expected.status, expected.body)
    assert answer.headers["x-request-id"] == FIRST_ID


async def assert_broken_off(
    gateway: Gateway, client: RawClient, call: PlainCall, seen: Sequence[Event], error: QwenportError
) -> None:
    """A stream ends in the face's own error frame; a whole answer, of which nothing was said, becomes the error."""
    if not call.streams:
        await assert_error(client, call, error)
        return
    answer = await client.answer()
    assert answer.status == 200
    assert answer.body == call.frames(gateway.plan.catalog.resolve("qwen-plus"), [*seen, error])


async def test_a_finished_call_is_posted_with_the_engines_own_count(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(WHOLE, [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_answer(gateway, client, call, WHOLE)

    await assert_settled(gateway, call, ("finished", 200, ""), (8, 6, 3, "engine"))


async def test_a_whole_answer_or_the_last_frame_leaves_after_the_settlement_was_written(
    call: PlainCall, open_gateway: Open
) -> None:
    gateway = await open_gateway(WHOLE)
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await client.answer()
        # No waiting for anything: what the client has seen whole is in the journal.
        assert [type(line) for line in journal_lines(gateway)] == [Hold, Settlement]


async def test_the_end_of_an_answer_is_kept_back_while_the_call_is_not_settled(
    call: PlainCall, open_gateway: Open
) -> None:
    ending = Wait()
    gateway = await open_gateway([*WHOLE, ending])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await ending.reached.wait()
        # Whoever is broken off here must not have seen the end already.
        gateway.break_off()
        await assert_broken_off(gateway, client, call, WHOLE[:-1], Draining())

    await assert_settled(gateway, call, ("finished", 200, ""), (8, 6, 3, "engine"))


async def test_a_call_that_may_not_ask_this_leaves_no_trace(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(WHOLE, [Tally()])
    asked = PlainCall(
        face=call.face, operation=call.operation, streams=call.streams, parameters={"max_tokens": 1_000_000}
    )
    async with gateway.client() as client:
        await client.send(asked.request(KEY))
        words = "Range of max_tokens should be [1, 8192]"
        await assert_error(client, call, ParameterInvalid(words, parameter="max_tokens"))

    await assert_no_trace(gateway)
    assert engine_of(gateway).calls == []


async def test_a_throttled_call_leaves_no_trace_and_gives_back_what_other_limits_gave(
    call: PlainCall, open_gateway: Open
) -> None:
    refusal = Throttled(retry_after_s=7)
    generous, strict = Tally(), Tally(refusal=refusal)
    gateway = await open_gateway(WHOLE, [generous, strict])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, refusal)

    await assert_no_trace(gateway)
    assert (generous.settled, strict.settled) == ([None], [])
    assert engine_of(gateway).calls == []


async def test_a_call_whose_engine_is_not_there_is_void(call: PlainCall, open_gateway: Open) -> None:
    error = ModelUnavailable("its weights are not on this machine")
    gateway = await open_gateway([error], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, error)

    await assert_settled(gateway, call, ("failed", 503, "model_unavailable"), NOTHING)


async def test_a_call_for_which_there_is_no_room_is_void(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(WHOLE, [Tally()])
    slots = gateway.routes.slots[TARGET]
    slots._queue_length = 0
    async with slots.take(4), gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, Overloaded())

    await assert_settled(gateway, call, ("failed", 503, "overloaded"), NOTHING)


async def test_a_call_that_fails_before_its_first_event_is_void(call: PlainCall, open_gateway: Open) -> None:
    error = EngineFailed("the engine broke off")
    gateway = await open_gateway([error], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, error)

    await assert_settled(gateway, call, ("failed", 500, "engine_failed"), NOTHING)


async def test_a_call_that_fails_midway_is_billed_what_was_made(call: PlainCall, open_gateway: Open) -> None:
    error = EngineFailed("the engine broke off")
    gateway = await open_gateway([*HALF, error], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_broken_off(gateway, client, call, HALF, error)

    await assert_settled(gateway, call, ("failed", 500, "engine_failed"), COUNTED)


async def test_an_engine_that_ends_without_finishing_has_failed(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(HALF, [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        error = EngineFailed("the engine ended without finishing its answer")
        await assert_broken_off(gateway, client, call, HALF, error)

    await assert_settled(gateway, call, ("failed", 500, "engine_failed"), COUNTED)


async def test_a_defect_is_told_without_its_words_and_billed_what_was_made(
    call: PlainCall, open_gateway: Open, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await open_gateway([*HALF, LookupError("words of the inside")], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        answer = await client.answer()

    assert answer.status == (200 if call.streams else 500)
    assert b"An internal error has occured" in answer.body
    assert b"words of the inside" not in answer.body
    assert f"request {FIRST_ID} met a defect" in caplog.text
    await assert_settled(gateway, call, ("failed", 500, "internal"), COUNTED)


async def test_a_client_that_leaves_before_the_first_byte_is_not_billed(call: PlainCall, open_gateway: Open) -> None:
    waiting = Wait()
    gateway = await open_gateway([waiting, *WHOLE], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.reached.wait()
        client.leave()

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), NOTHING)


async def test_a_client_that_leaves_midway_is_billed_what_was_made(call: PlainCall, open_gateway: Open) -> None:
    waiting = Wait()
    gateway = await open_gateway([*HALF, waiting, *WHOLE[3:]], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.reached.wait()
        if call.streams:
            expected = call.frames(gateway.plan.catalog.resolve("qwen-plus"), HALF)
            assert (await client.head())[0] == 200
            seen = b""
            while seen != expected:
                seen += await client.chunk()
        client.leave()

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), COUNTED)


async def test_a_client_that_leaves_while_it_queues_is_not_billed(call: PlainCall, open_gateway: Open) -> None:
    tally = Tally()
    gateway = await open_gateway(WHOLE, [tally])
    slots = gateway.routes.slots[TARGET]
    async with slots.take(4):
        async with gateway.client() as client:
            await client.send(call.request(KEY))
            await tally.taken.wait()
            assert slots.waiting == 1
            client.leave()
        await gateway.idle()
        assert slots.waiting == 0

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), NOTHING)
    assert engine_of(gateway).calls == []


async def test_a_client_that_leaves_while_the_limits_are_taken_leaves_no_trace(
    call: PlainCall, open_gateway: Open
) -> None:
    waiting = Wait()
    quick, slow = Tally(), Tally(taking=waiting)
    gateway = await open_gateway(WHOLE, [quick, slow])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.reached.wait()
        client.leave()

    await assert_no_trace(gateway)
    assert (quick.settled, slow.settled) == ([None], [])


async def test_a_departure_while_limits_are_given_back_is_without_effect(call: PlainCall, open_gateway: Open) -> None:
    working, settling = Wait(), Wait()
    slow = Tally(settling=settling)
    gateway = await open_gateway([*HALF, working], [slow])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await working.reached.wait()
        client.leave()
    await settling.reached.wait()
    assert list(slow.held) == [FIRST_ID]
    settling.go.set()

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), COUNTED)
    assert [settled.outcome for settled in slow.settled if settled] == ["abandoned"]


async def test_a_slow_limit_does_not_keep_the_client_waiting_for_its_answer(
    call: PlainCall, open_gateway: Open
) -> None:
    settling = Wait()
    slow = Tally(settling=settling)
    gateway = await open_gateway(WHOLE, [slow])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_answer(gateway, client, call, WHOLE)
        client.leave()
    settling.go.set()

    await assert_settled(gateway, call, ("finished", 200, ""), (8, 6, 3, "engine"))
    assert [settled.outcome for settled in slow.settled if settled] == ["finished"]


async def test_a_shutdown_before_the_first_byte_is_told_with_its_status(call: PlainCall, open_gateway: Open) -> None:
    waiting = Wait()
    gateway = await open_gateway([waiting], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.reached.wait()
        gateway.break_off()
        await assert_error(client, call, Draining())

    await assert_settled(gateway, call, ("failed", 503, "draining"), NOTHING)


async def test_a_shutdown_midway_is_told_in_the_stream_and_billed_what_was_made(
    call: PlainCall, open_gateway: Open
) -> None:
    waiting = Wait()
    gateway = await open_gateway([*HALF, waiting], [Tally()])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.reached.wait()
        gateway.break_off()
        await assert_broken_off(gateway, client, call, HALF, Draining())

    await assert_settled(gateway, call, ("failed", 503, "draining"), COUNTED)


async def test_a_call_that_arrives_during_a_shutdown_is_refused_and_leaves_no_trace(
    call: PlainCall, open_gateway: Open
) -> None:
    gateway = await open_gateway(WHOLE, [Tally()])
    gateway.break_off()
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, Draining())

    await assert_no_trace(gateway)
    assert engine_of(gateway).calls == []


async def test_a_call_that_cannot_be_written_down_is_not_run(call: PlainCall, open_gateway: Open) -> None:
    tally = Tally()
    gateway = await open_gateway(WHOLE, [tally])
    gateway.journal.close()
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        answer = await client.answer()

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    await assert_no_trace(gateway)
    assert (engine_of(gateway).calls, tally.settled) == ([], [None])

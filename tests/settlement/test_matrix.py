"""Every call operation, whole and streamed, through every ending: settled once or never, and billed what it was.

Each test reads what someone outside can see: the bytes on the socket, the lines of the journal, the rows of the books,
what the limits hold, and what became of the engine's run and of the server's tasks.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from qwenport.core.errors import (
    Draining,
    EngineFailed,
    ModelNotServedHere,
    ModelUnavailable,
    Overloaded,
    QwenportError,
    Throttled,
)
from qwenport.core.events import ChoiceFinished, Delta, Embedded, Event, Finished, FinishReason, Ranked, Started
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.gate.counters import Counters
from qwenport.gate.local_counters import LocalCounters
from qwenport.metering.flush import Books
from qwenport.metering.ledger import check
from qwenport.metering.records import Hold, Settlement
from qwenport.metering.replay import decode_line, replay
from qwenport.metering.segment import read_lines
from qwenport.storage.database import Database
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.plain_call import FIRST_ID, PlainCall, every_plain_call
from qwenport.testing.raw_client import RawClient
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait
from qwenport.testing.taken_room import taken
from qwenport.testing.tally import Tally

pytestmark = pytest.mark.anyio

VECTOR = Embedded(index=0, vector=struct.pack("<2f", 0.5, -0.5))
NOTHING = (0, 0, 0, "")
PRICES = {
    "qwen-plus": (800, 2000),
    "qwen-vl-max": (3000, 9000),
    "qwen-coder-turbo": None,
    "text-embedding-v4": None,
    "qwen3-rerank": None,
}
"""Nano-yuan for an input and an output token on 1 January 2026; None where no list in force then has the model."""

Open = Callable[..., Awaitable[Gateway]]
"""Starts the gateway of a test: script, counters, slots."""


@pytest.fixture(params=every_plain_call(FACES), ids=lambda call: call.name)
def call(request: pytest.FixtureRequest) -> PlainCall:
    asked: PlainCall = request.param
    return asked


@pytest.fixture
async def open_gateway(tmp_path: Path, call: PlainCall) -> AsyncIterator[Open]:
    """Return a starter of gateways; afterwards nothing of them may be left running."""
    async with AsyncExitStack() as stack:

        async def start(script: Sequence[Step], counters: Counters | None = None, slots: int = 4) -> Gateway:
            engine = ScriptedEngine(lambda _: script, target=target_of(call), slots=slots)
            return await stack.enter_async_context(
                running_gateway(tmp_path, Plan(engines=(engine,), counters=counters))
            )

        yield start
    # What is left are the task that runs this and the one in which the plugin runs tests.
    left = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() - {asyncio.current_task()}}
    assert left - {"TestRunner._call_in_runner_task"} == set()


def target_of(call: PlainCall) -> str:
    """Return what answers the call's model."""
    return "llama/smollm2-135m-instruct" if call.generates else "embed/multilingual-e5-small"


def half(call: PlainCall) -> tuple[Event, ...]:
    """Return an answer that is broken off: it has consumed 7 tokens, 2 of them cached, and made 3 of its own."""
    started = Started(served_by=target_of(call), input_tokens=7, cached_tokens=2)
    if call.generates:
        return (started, Delta(text="Hel"), Delta(text="lo ", tokens=2))
    return (started, _first_part(call))


def whole(call: PlainCall) -> tuple[Event, ...]:
    """Return a good answer; the engine's own count differs from the sum of the events, to be told apart from it."""
    if not call.generates:
        return (*half(call), Finished(usage=Usage(input_tokens=8, cached_tokens=3)))
    return (
        *half(call),
        Delta(text="you"),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
        Finished(usage=Usage(input_tokens=8, output_tokens=6, cached_tokens=3)),
    )


def _first_part(call: PlainCall) -> Event:
    return Ranked(index=0, score=0.5) if "rerank" in call.operation.name else VECTOR


def counted(call: PlainCall) -> tuple[int, int, int, str]:
    """Return what the books hold of a call that was broken off: the sum of its events."""
    return (7, 3 if call.generates else 0, 2, "counted")


def finished(call: PlainCall) -> tuple[int, int, int, str]:
    """Return what the books hold of a good call: the engine's own count."""
    return (8, 6 if call.generates else 0, 3, "engine")


def reached(call: PlainCall, usage: tuple[int, int, int, str]) -> tuple[int, int, int, str]:
    """Return what the books hold of a call that failed midway: nothing of a whole answer has reached its client."""
    return usage if call.streams else NOTHING


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


def held_by(counters: Counters) -> int:
    """Return how many holds counters have."""
    if isinstance(counters, Tally):
        return len(counters.held)
    assert isinstance(counters, LocalCounters)
    return counters.held


async def assert_nothing_is_held(gateway: Gateway) -> None:
    """Everything that was taken was given back, and nothing runs any more."""
    await gateway.idle()
    await gateway.keeper.post()
    assert gateway.journal.open_holds == {}
    assert engine_of(gateway).open_runs == 0
    assert {slots.free for slots in gateway.router.rooms.values()} == {engine_of(gateway).slots}
    assert held_by(gateway.counters) == 0
    assert check(gateway.database).balanced


async def assert_no_trace(gateway: Gateway) -> None:
    """The call was never admitted: nothing of it is in the journal or in the books."""
    await assert_nothing_is_held(gateway)
    assert journal_lines(gateway) == []
    assert rows(gateway, "SELECT name FROM sqlite_master WHERE name LIKE 'calls_2%' OR name LIKE 'postings_2%'") == []


async def assert_settled(
    gateway: Gateway, call: PlainCall, ending: tuple[str, int, str], usage: tuple[int, int, int, str]
) -> None:
    """The call is in the books once, as this ending (outcome, status, error) and this usage say."""
    await assert_nothing_is_held(gateway)
    input_tokens, output_tokens, cached_tokens, source = usage
    price = PRICES[call.model] if input_tokens else (0, 0)
    cost = None if price is None else input_tokens * price[0] + output_tokens * price[1]
    identity = (FIRST_ID, call.face.name, call.operation.name, int(call.streams), call.model)
    served_by = target_of(call) if source else ""
    assert [type(line) for line in journal_lines(gateway)] == [Hold, Settlement]
    assert rows(
        gateway,
        "SELECT request_id, face, operation, streams, model, served_by, outcome, status, error, input_tokens, "
        "output_tokens, cached_tokens, usage_source, cost_nanos FROM calls_202601",
    ) == [(*identity, served_by, *ending, input_tokens, output_tokens, cached_tokens, source, cost)]
    kind = "post" if input_tokens else "void"
    assert rows(gateway, "SELECT request_id, amount_nanos, kind FROM postings_202601") == [(FIRST_ID, cost or 0, kind)]


async def assert_answer(gateway: Gateway, client: RawClient, call: PlainCall, steps: Sequence[Event]) -> None:
    """The client gets the whole answer, whose headers name the request and the engine."""
    card = gateway.plan.catalog.resolve(call.model)
    answer = await client.answer()
    assert (answer.status, answer.headers["x-request-id"]) == (200, FIRST_ID)
    assert answer.headers["x-qwenport-served-by"] == f"{target_of(call)}; stand-in"
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
    assert answer.body == call.frames(gateway.plan.catalog.resolve(call.model), [*seen, error])


async def test_a_finished_call_is_posted_with_the_engines_own_count(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(whole(call), Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_answer(gateway, client, call, whole(call))

    await assert_settled(gateway, call, ("finished", 200, ""), finished(call))


async def test_a_whole_answer_or_the_last_frame_leaves_after_the_settlement_was_written(
    call: PlainCall, open_gateway: Open
) -> None:
    gateway = await open_gateway(whole(call))
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await client.answer()
        # No waiting for anything: what the client has seen whole is in the journal.
        assert [type(line) for line in journal_lines(gateway)] == [Hold, Settlement]


async def test_the_end_of_an_answer_is_kept_back_while_the_call_is_not_settled(
    call: PlainCall, open_gateway: Open
) -> None:
    ending = Wait()
    gateway = await open_gateway([*whole(call), ending])
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await ending.arrives()
        # Whoever is broken off here must not have seen the end already.
        gateway.break_off()
        await assert_broken_off(gateway, client, call, whole(call), Draining())

    await assert_settled(gateway, call, ("failed", 503, "draining"), reached(call, finished(call)))


async def test_a_call_that_may_not_ask_this_leaves_no_trace(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(whole(call), Tally())
    asked = replace(call, model="text-embedding-v4" if call.generates else "qwen-plus")
    async with gateway.client() as client:
        await client.send(asked.request(KEY))
        await assert_error(client, call, ModelNotServedHere(asked.model))

    await assert_no_trace(gateway)
    assert engine_of(gateway).calls == []


async def test_a_throttled_call_leaves_no_trace(call: PlainCall, open_gateway: Open) -> None:
    refusal = Throttled(retry_after_s=7)
    gateway = await open_gateway(whole(call), Tally(refusal=refusal))
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, refusal)

    await assert_no_trace(gateway)
    assert engine_of(gateway).calls == []


async def test_a_call_whose_engine_is_not_there_is_void(call: PlainCall, open_gateway: Open) -> None:
    error = ModelUnavailable("its weights are not on this machine")
    gateway = await open_gateway([error], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, error)

    await assert_settled(gateway, call, ("failed", 503, "model_unavailable"), NOTHING)


async def test_a_call_for_which_there_is_no_room_is_void(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(whole(call), Tally())
    slots = gateway.router.rooms[target_of(call)]
    slots.queue_length = 0
    async with taken(slots, 4), gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, Overloaded())

    await assert_settled(gateway, call, ("failed", 503, "overloaded"), NOTHING)


async def test_a_call_that_fails_before_its_first_event_is_void(call: PlainCall, open_gateway: Open) -> None:
    error = EngineFailed("the engine broke off")
    gateway = await open_gateway([error], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, error)

    await assert_settled(gateway, call, ("failed", 500, "engine_failed"), NOTHING)


async def test_a_call_that_fails_midway_is_billed_what_reached_its_client(call: PlainCall, open_gateway: Open) -> None:
    error = EngineFailed("the engine broke off")
    gateway = await open_gateway([*half(call), error], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_broken_off(gateway, client, call, half(call), error)

    await assert_settled(gateway, call, ("failed", 500, "engine_failed"), reached(call, counted(call)))


async def test_an_engine_that_ends_without_finishing_has_failed(call: PlainCall, open_gateway: Open) -> None:
    gateway = await open_gateway(half(call), Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        error = EngineFailed("the engine ended without finishing its answer")
        await assert_broken_off(gateway, client, call, half(call), error)

    await assert_settled(gateway, call, ("failed", 500, "engine_failed"), reached(call, counted(call)))


async def test_a_defect_is_told_without_its_words_and_billed_what_reached_the_client(
    call: PlainCall, open_gateway: Open, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await open_gateway([*half(call), LookupError("words of the inside")], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        answer = await client.answer()

    assert answer.status == (200 if call.streams else 500)
    assert b"An internal error has occured" in answer.body
    assert b"words of the inside" not in answer.body
    assert f"request {FIRST_ID} met a defect" in caplog.text
    await assert_settled(gateway, call, ("failed", 500, "internal"), reached(call, counted(call)))


async def test_a_client_that_leaves_before_the_first_byte_is_not_billed(call: PlainCall, open_gateway: Open) -> None:
    waiting = Wait()
    gateway = await open_gateway([waiting, *whole(call)], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.arrives()
        client.leave()

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), NOTHING)


async def test_a_client_that_leaves_midway_is_billed_what_was_made(call: PlainCall, open_gateway: Open) -> None:
    waiting = Wait()
    gateway = await open_gateway([*half(call), waiting, *whole(call)[len(half(call)) :]], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.arrives()
        if call.streams:
            expected = call.frames(gateway.plan.catalog.resolve(call.model), half(call))
            assert (await client.head())[0] == 200
            seen = b""
            while seen != expected:
                seen += await client.chunk()
        client.leave()

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), counted(call))


async def test_a_client_that_leaves_while_it_queues_is_not_billed(call: PlainCall, open_gateway: Open) -> None:
    tally = Tally()
    gateway = await open_gateway(whole(call), tally)
    slots = gateway.router.rooms[target_of(call)]
    async with taken(slots, 4):
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
    slow = Tally(taking=waiting)
    gateway = await open_gateway(whole(call), slow)
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.arrives()
        client.leave()

    await assert_no_trace(gateway)
    assert slow.settled == []


async def test_a_departure_while_limits_are_given_back_is_without_effect(call: PlainCall, open_gateway: Open) -> None:
    working, settling = Wait(), Wait()
    slow = Tally(settling=settling)
    gateway = await open_gateway([*half(call), working], slow)
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await working.arrives()
        client.leave()
    await settling.arrives()
    assert list(slow.held) == [FIRST_ID]
    settling.go.set()

    await assert_settled(gateway, call, ("abandoned", 499, "client_gone"), counted(call))
    input_tokens, output_tokens, *_ = counted(call)
    assert [(each.input_tokens, each.output_tokens) for each in slow.settled if each] == [(input_tokens, output_tokens)]


async def test_a_slow_limit_does_not_keep_the_client_waiting_for_its_answer(
    call: PlainCall, open_gateway: Open
) -> None:
    settling = Wait()
    slow = Tally(settling=settling)
    gateway = await open_gateway(whole(call), slow)
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_answer(gateway, client, call, whole(call))
        client.leave()
    settling.go.set()

    await assert_settled(gateway, call, ("finished", 200, ""), finished(call))
    input_tokens, output_tokens, *_ = finished(call)
    assert [(each.input_tokens, each.output_tokens) for each in slow.settled if each] == [(input_tokens, output_tokens)]


async def test_a_shutdown_before_the_first_byte_is_told_with_its_status(call: PlainCall, open_gateway: Open) -> None:
    waiting = Wait()
    gateway = await open_gateway([waiting], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.arrives()
        gateway.break_off()
        await assert_error(client, call, Draining())

    await assert_settled(gateway, call, ("failed", 503, "draining"), NOTHING)


async def test_a_shutdown_midway_is_told_in_the_stream_and_billed_what_reached_the_client(
    call: PlainCall, open_gateway: Open
) -> None:
    waiting = Wait()
    gateway = await open_gateway([*half(call), waiting], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.arrives()
        gateway.break_off()
        await assert_broken_off(gateway, client, call, half(call), Draining())

    await assert_settled(gateway, call, ("failed", 503, "draining"), reached(call, counted(call)))


async def test_a_call_that_arrives_during_a_shutdown_is_refused_and_leaves_no_trace(
    call: PlainCall, open_gateway: Open
) -> None:
    gateway = await open_gateway(whole(call), Tally())
    gateway.break_off()
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await assert_error(client, call, Draining())

    await assert_no_trace(gateway)
    assert engine_of(gateway).calls == []


async def test_a_call_that_cannot_be_written_down_is_not_run(call: PlainCall, open_gateway: Open) -> None:
    tally = Tally()
    gateway = await open_gateway(whole(call), tally)
    gateway.journal.close()
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        answer = await client.answer()

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    await assert_no_trace(gateway)
    assert (engine_of(gateway).calls, tally.settled) == ([], [None])


def left_by_a_kill(gateway: Gateway, target: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return calls and postings of the books that a start finds after `kill -9` now; copying is what a kill leaves."""
    target.mkdir()
    for path in gateway.folder.glob("qwenport.db*"):
        shutil.copy(path, target)
    shutil.copytree(gateway.folder / "journal", target / "journal")
    with Database.open(target / "qwenport.db") as database:
        books = Books(database, gateway.rules.prices)
        for _ in range(2):  # a start that is killed as well replays again
            replay(target / "journal", books.post, gateway.plan.clock)
        assert check(database, running=False).differences == ()
    connection = sqlite3.connect(target / "qwenport.db")
    try:
        return (
            list(connection.execute("SELECT request_id, outcome, input_tokens, output_tokens FROM calls_202601")),
            list(connection.execute("SELECT request_id, kind FROM postings_202601")),
        )
    finally:
        connection.close()


@pytest.mark.parametrize("seen", ["nothing", "half"])
async def test_a_call_that_a_kill_cuts_off_is_void(
    call: PlainCall, open_gateway: Open, tmp_path: Path, seen: str
) -> None:
    waiting = Wait()
    gateway = await open_gateway([*(half(call) if seen == "half" else ()), waiting, *whole(call)], Tally())
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await waiting.arrives()
        calls, postings = left_by_a_kill(gateway, tmp_path / "left")
        client.leave()

    assert (calls, postings) == ([(FIRST_ID, "lost", 0, 0)], [(FIRST_ID, "void")])
    await gateway.idle()


async def test_a_call_that_was_answered_before_a_kill_is_posted_once(
    call: PlainCall, open_gateway: Open, tmp_path: Path
) -> None:
    gateway = await open_gateway(whole(call))
    async with gateway.client() as client:
        await client.send(call.request(KEY))
        await client.answer()
        calls, postings = left_by_a_kill(gateway, tmp_path / "left")

    input_tokens, output_tokens, *_ = finished(call)
    assert calls == [(FIRST_ID, "finished", input_tokens, output_tokens)]
    assert postings == [(FIRST_ID, "post")]

"""One call to a llama host: what is sent, what comes of each kind of answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from qwenport.core.call import AnyJson, Call, JsonSchema, Message, Role, Sampling
from qwenport.core.errors import (
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    ParameterInvalid,
    QwenportError,
)
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.llama.engine import Address, Deadlines, LlamaEngine
from qwenport.engines.llama.json_grammar import ANY_JSON_OBJECT
from qwenport.testing.llama_host import DONE, FakeLlamaHost, Reply, answer, end, error, frame, piece, progress
from qwenport.testing.scripted_engine import Wait

pytestmark = pytest.mark.anyio

READY = Condition(state=EngineState.READY)
OPEN = Sampling()
PATIENT = Deadlines()
STARTED = Started(served_by="llama/tiny", input_tokens=7)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


def call(
    *, sampling: Sampling = OPEN, json: AnyJson | JsonSchema | None = None, max_input_tokens: int = 100
) -> PreparedCall:
    messages = (Message(role=Role.SYSTEM, content="Be brief."), Message(role=Role.USER, content="Hi"))
    return PreparedCall(
        call=Call(
            id=RequestId("r"), face="f", operation="o", model="m", messages=messages, sampling=sampling, json=json
        ),
        max_input_tokens=max_input_tokens,
    )


def engine_at(
    socket: Path, *, deadlines: Deadlines = PATIENT, condition: Condition = READY, url: str = "http://llama"
) -> LlamaEngine:
    return LlamaEngine(
        target="llama/tiny",
        slots=2,
        address=Address(url=url, socket=socket, secret="hush"),
        read_condition=lambda: condition,
        deadlines=deadlines,
    )


async def events_of(engine: LlamaEngine, prepared: PreparedCall) -> tuple[list[Event], QwenportError | None]:
    """Return the events of a run and the error that it ended with, if any."""
    events: list[Event] = []
    try:
        async with aclosing(engine.run(prepared)) as run:
            async for event in run:
                events.append(event)  # noqa: PERF401 -- what came before an error must be kept
    except QwenportError as raised:
        return events, raised
    finally:
        await engine.close()
    return events, None


async def ask(socket: Path, reply: Reply, prepared: PreparedCall | None = None) -> tuple[list[Event], str]:
    """Return the events and the error, as words, of one call to a host that answers so."""
    async with FakeLlamaHost(reply, secret="hush").listening(socket):
        events, raised = await events_of(engine_at(socket), prepared or call())
    return events, "" if raised is None else f"{type(raised).__name__}: {raised.message}"


async def body_of(socket: Path, prepared: PreparedCall) -> dict[str, Any]:
    """Return what the host was sent."""
    host = FakeLlamaHost(answer("x"))
    async with host.listening(socket):
        await events_of(engine_at(socket), prepared)
    return host.requests[0]


async def test_a_bare_call_says_no_more_than_it_must(socket: Path) -> None:
    assert await body_of(socket, call()) == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "timings_per_token": True,
        "return_progress": True,
        "stream_options": {"include_usage": True},
        "chat_template_kwargs": {"enable_thinking": False},
        "min_p": 0.0,
    }


async def test_sampling_is_sent_in_the_words_of_the_host(socket: Path) -> None:
    sampling = Sampling(
        temperature=0.0,
        top_p=0.8,
        top_k=0,
        repetition_penalty=1.05,
        presence_penalty=-1.0,
        seed=3,
        max_tokens=9,
        stop=("a", "b"),
        choices=2,
    )

    body = await body_of(socket, call(sampling=sampling))

    fields = ("temperature", "top_p", "top_k", "repeat_penalty", "presence_penalty", "seed", "max_tokens", "stop", "n")
    assert [body[field] for field in fields] == [0.0, 0.8, 0, 1.05, -1.0, 3, 9, ["a", "b"], 2]


@pytest.mark.parametrize(
    ("seed", "sent"), [(0xFFFF_FFFE, 0xFFFF_FFFE), (0xFFFF_FFFF, 0), (2**63 - 1, 2**31 - 1), (-1, 0xFFFF_FFFE)]
)
async def test_no_seed_means_random(socket: Path, seed: int, sent: int) -> None:
    body = await body_of(socket, call(sampling=Sampling(seed=seed)))

    assert body["seed"] == sent


@pytest.mark.parametrize("json", [AnyJson(), JsonSchema(name="n", schema=b'{ "type" : "object" }')])
async def test_any_object_is_asked_for_by_the_bounded_grammar(socket: Path, json: AnyJson | JsonSchema) -> None:
    body = await body_of(socket, call(json=json))

    assert (body["grammar"], "response_format" in body) == (ANY_JSON_OBJECT, False)


async def test_a_schema_is_passed_on_as_it_came(socket: Path) -> None:
    schema = b'{"type":"object","properties":{"b":{},"a":{}}}'

    body = await body_of(socket, call(json=JsonSchema(name="shape", schema=schema)))

    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "shape", "schema": {"type": "object", "properties": {"b": {}, "a": {}}}},
    }
    assert "grammar" not in body


async def test_two_choices_interleave_and_each_has_its_own_count(socket: Path) -> None:
    steps = [
        progress(7, cache=4),
        progress(7, cache=4, index=1),
        piece("A", 1, index=1),
        piece("a", 1),
        piece("B", 3, index=1),
        end(4, index=1, reason="length"),
        piece("b", 2),
        end(2),
        DONE,
    ]

    assert await ask(socket, Reply(steps=steps), call(sampling=Sampling(choices=2))) == (
        [
            Started(served_by="llama/tiny", input_tokens=7, cached_tokens=4),
            Delta(text="A", choice=1),
            Delta(text="a", choice=0),
            Delta(text="B", choice=1, tokens=2),
            ChoiceFinished(reason=FinishReason.LENGTH, choice=1, tokens=1),
            Delta(text="b", choice=0),
            ChoiceFinished(reason=FinishReason.STOP, choice=0, tokens=0),
            Finished(usage=Usage(input_tokens=7, output_tokens=6, cached_tokens=4)),
        ],
        "",
    )


async def test_tokens_without_text_are_counted_with_the_next_piece(socket: Path) -> None:
    steps = [progress(7), piece("", 1), piece("", 2), piece("é", 3), end(4), DONE]

    events, _ = await ask(socket, Reply(steps=steps))

    assert events[1:3] == [Delta(text="é", tokens=3), ChoiceFinished(reason=FinishReason.STOP, tokens=1)]


async def test_an_answer_without_text_still_starts(socket: Path) -> None:
    assert await ask(socket, answer()) == (
        [
            STARTED,
            ChoiceFinished(reason=FinishReason.STOP, tokens=1),
            Finished(usage=Usage(input_tokens=7, output_tokens=1)),
        ],
        "",
    )


async def test_a_stream_may_be_cut_into_packets_anywhere(socket: Path) -> None:
    whole = b"".join(step for step in answer("Grüße", " 世界").steps if isinstance(step, bytes))
    expected = await ask(socket, answer("Grüße", " 世界"))

    for size in (1, 3, 50, 401):
        steps = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert await ask(socket, Reply(steps=steps)) == expected


async def test_comments_and_unknown_fields_are_passed_over(socket: Path) -> None:
    steps = [b": ping\n\n", progress(7), b"event: x\n\n", piece("a", 1), frame({"choices": []}), end(1), DONE]

    events, raised = await ask(socket, Reply(steps=steps))

    assert (len(events), raised) == (4, "")


async def test_a_prompt_over_the_cards_bound_is_refused_before_it_starts(socket: Path) -> None:
    host = FakeLlamaHost(Reply(steps=[progress(101), Wait()]))
    async with host.listening(socket):
        events, raised = await events_of(engine_at(socket), call(max_input_tokens=100))
        await asyncio.wait_for(host.left.wait(), 5)

    assert (events, raised and raised.message) == ([], "Range of input length should be [1, 100]")
    assert isinstance(raised, InputTooLong)


REFUSALS = [
    (
        error("400 Bad Request", "exceed_context_size_error", "too long", n_prompt_tokens=99, n_ctx=64),
        "InputTooLong: Range of input length should be [1, 63]",
    ),
    (
        error("400 Bad Request", "exceed_context_size_error", "too long", n_prompt_tokens=999, n_ctx=512),
        "InputTooLong: Range of input length should be [1, 100]",
    ),
    (error("400 Bad Request", "invalid_request_error", "no such thing"), "ParameterInvalid: no such thing"),
    (error("503 Service Unavailable", "unavailable_error", "Loading model"), "`tiny` is loading"),
    (error("401 Unauthorized", "authentication_error", "Invalid API Key"), "does not accept the gateway's secret"),
    (error("500 Internal", "server_error", "no luck"), "`llama/tiny` answered with status 500: no luck"),
    (Reply(steps=[b"<html>"], status="502 Bad"), "answered with status 502: it gave no reason"),
]


@pytest.mark.parametrize(("reply", "words"), REFUSALS)
async def test_a_refusal_of_the_host_becomes_ours(socket: Path, reply: Reply, words: str) -> None:
    events, raised = await ask(socket, reply)

    assert events == []
    assert words in raised


async def test_a_refused_schema_is_the_callers_response_format(socket: Path) -> None:
    words = (
        "Unable to generate parser for this template. Automatic parser generation failed: JSON schema error at #: no"
    )
    prepared = call(json=JsonSchema(name="n", schema=b'{"type":"no"}'))
    async with FakeLlamaHost(error("400 Bad Request", "invalid_request_error", words)).listening(socket):
        _, raised = await events_of(engine_at(socket), prepared)

    assert isinstance(raised, ParameterInvalid)
    assert (raised.message, raised.parameter) == (
        "The schema of response_format is invalid: JSON schema error at #: no",
        "response_format",
    )


BROKEN = {
    "cut off": [progress(7), piece("a", 1)],
    "cut off before the usage": [progress(7), piece("a", 1), end(1).split(b"\n\n")[0] + b"\n\n", DONE],
    "an error in the stream": [progress(7), piece("a", 1), frame({"error": {"message": "no luck"}})],
    "no JSON": [progress(7), piece("a", 1), b"data: {oops\n\n"],
    "no text": [progress(7), piece("a", 1), b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n'],
    "a choice that nobody asked for": [progress(7), piece("a", 1), piece("b", 1, index=1)],
    "a choice that has ended": [progress(7), piece("a", 1), end(1), piece("b", 2)],
    "an unknown reason": [progress(7), piece("a", 1), end(1, reason="boredom")],
    "a frame without end": [progress(7), piece("a", 1), *[b"data: " + b"x" * 65536] * 17],
}


@pytest.mark.parametrize("steps", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_breaks_off_fails_after_what_was_good(socket: Path, steps: list[bytes]) -> None:
    events, raised = await ask(socket, Reply(steps=steps))

    assert events[:2] == [STARTED, Delta(text="a")]
    assert not any(isinstance(event, Finished) for event in events)
    assert raised.startswith("EngineFailed: the engine of `llama/tiny` ")


async def test_a_connection_that_ends_early_is_a_failure(socket: Path) -> None:
    reply = Reply(steps=[progress(7), piece("a", 1)], breaks_off=True)

    assert await ask(socket, reply) == (
        [STARTED, Delta(text="a")],
        "EngineFailed: the engine of `llama/tiny` broke off in the middle of its answer",
    )


async def test_text_before_the_prompts_length_is_a_failure(socket: Path) -> None:
    events, raised = await ask(socket, Reply(steps=[piece("a", 1), end(1), DONE]))

    assert (events, raised) == (
        [],
        "EngineFailed: the engine of `llama/tiny` answered before it told the length of the prompt",
    )


async def test_a_usage_of_no_choice_is_a_failure(socket: Path) -> None:
    events, raised = await ask(socket, Reply(steps=[progress(7), end(1), frame({"usage": {"completion_tokens": 1}})]))

    assert events == [STARTED, ChoiceFinished(reason=FinishReason.STOP, tokens=1)]
    assert raised == "EngineFailed: the engine of `llama/tiny` counted tokens of a choice that has not ended"


CONDITIONS = [
    (
        Condition(state=EngineState.ABSENT),
        "the weights of `tiny` are not on this machine: run `qwenport models pull tiny`",
    ),
    (Condition(state=EngineState.LOADING), "`tiny` is loading"),
    (Condition(state=EngineState.ENDED), "the engine of `tiny` ended and is being restarted"),
    (READY, "the engine of `tiny` ended and is being restarted"),
    (Condition(state=EngineState.ENDED, reason="its weights are corrupt"), "its weights are corrupt"),
]


@pytest.mark.parametrize(("condition", "reason"), CONDITIONS)
async def test_where_nobody_listens_the_condition_says_why(socket: Path, condition: Condition, reason: str) -> None:
    events, raised = await events_of(engine_at(socket, condition=condition), call())

    assert isinstance(raised, ModelUnavailable)
    assert (events, raised.message) == ([], f"Model is unavailable, please try again later. ({reason})")


async def test_a_host_that_never_answers_times_out(socket: Path) -> None:
    reply = Reply(steps=[Wait()], delays_head=True)
    async with FakeLlamaHost(reply).listening(socket):
        events, raised = await events_of(engine_at(socket, deadlines=Deadlines(first_event_s=0.05)), call())

    assert (events, type(raised)) == ([], EngineTimedOut)


async def test_a_host_that_falls_silent_before_the_first_event_times_out(socket: Path) -> None:
    async with FakeLlamaHost(Reply(steps=[progress(7), Wait()])).listening(socket):
        events, raised = await events_of(engine_at(socket, deadlines=Deadlines(first_event_s=0.05)), call())

    assert (events, type(raised)) == ([], EngineTimedOut)


async def test_a_host_that_falls_silent_in_the_middle_times_out(socket: Path) -> None:
    host = FakeLlamaHost(Reply(steps=[progress(7), piece("a", 1), Wait()]))
    async with host.listening(socket):
        events, raised = await events_of(engine_at(socket, deadlines=Deadlines(between_events_s=0.05)), call())
        await asyncio.wait_for(host.left.wait(), 5)

    assert (events, type(raised)) == ([STARTED, Delta(text="a")], EngineTimedOut)


async def test_a_slow_caller_is_no_silent_engine(socket: Path) -> None:
    engine = engine_at(socket, deadlines=Deadlines(first_event_s=0.05, between_events_s=0.05))
    events: list[Event] = []
    async with FakeLlamaHost(answer("a")).listening(socket):
        async with aclosing(engine.run(call())) as run:
            async for event in run:
                await asyncio.sleep(0.1)
                events.append(event)
        await engine.close()

    assert len(events) == 4


async def test_a_host_elsewhere_is_reached_over_tcp() -> None:
    host = FakeLlamaHost(answer("a"), secret="hush")
    async with host.listening_on_a_port() as port:
        engine = LlamaEngine(
            target="llama/tiny",
            slots=1,
            address=Address(url=f"http://127.0.0.1:{port}", secret="hush"),
            read_condition=lambda: READY,
        )
        events, raised = await events_of(engine, call())

    assert (len(events), raised) == (4, None)


async def serve_once_then_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one call in a form that invites another on the same connection, and close it all the same."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
    await reader.readexactly(int(lines[b"content-length"]))
    body = progress(7) + piece("x", 1) + end(1) + DONE
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(body))
    writer.write(body)
    await writer.drain()
    writer.close()


async def test_a_kept_connection_that_the_host_has_closed_is_replaced(socket: Path) -> None:
    address = Address(url="http://llama", socket=socket, secret="hush", keeps_connections=True)
    engine = LlamaEngine(target="llama/tiny", slots=1, address=address, read_condition=lambda: READY)
    async with await asyncio.start_unix_server(serve_once_then_close, socket):
        try:
            answers = [[event async for event in engine.run(call())] for _ in range(3)]
        finally:
            await engine.close()

    assert [[event.text for event in events if isinstance(event, Delta)] for events in answers] == [["x"]] * 3


async def test_a_host_that_dies_with_the_call_in_its_hands_is_unavailable(socket: Path) -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_unix_server(die, socket):
        events, raised = await events_of(engine_at(socket), call())

    assert (events, type(raised)) == ([], ModelUnavailable)
    assert str(raised) == (
        "Model is unavailable, please try again later. (the engine of `tiny` ended and is being restarted)"
    )

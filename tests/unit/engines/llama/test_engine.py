"""One call to a llama host: what is sent, what comes of each kind of answer."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.core.call import ChatInput, Input, JsonSchema, PromptInput, Sampling
from qwenport.core.capabilities import Capabilities
from qwenport.core.content import Message, Role
from qwenport.core.errors import (
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    ParameterInvalid,
    QwenportError,
)
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
    TopToken,
)
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.llama.engine import TEXT_CAPABILITIES, Deadlines, LlamaEngine, Profile
from qwenport.testing.calls import call_of
from qwenport.testing.llama_host import (
    DONE,
    FakeLlamaHost,
    Reply,
    answer,
    call_piece,
    completion_end,
    completion_piece,
    end,
    error,
    frame,
    piece,
    progress,
    thought,
)
from qwenport.testing.scripted_engine import Wait

pytestmark = pytest.mark.anyio

READY = Condition(state=EngineState.READY)
OPEN = Sampling()
PATIENT = Deadlines()
HASTY_S = 0.3
"""A deadline that is to pass, and before which even a loaded machine connects."""
STARTED = Started(served_by="llama/tiny", input_tokens=7)


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


CHAT = ChatInput(
    messages=(Message(role=Role.SYSTEM, content="Be brief."), Message(role=Role.USER, content="Hi")),
)
WEATHER = Tool(name="weather", parameters=b'{"type":"object","properties":{"city":{"type":"string"}}}')
WITH_TOOLS = replace(CHAT, tools=(WEATHER,))
REQUIRED = ToolChoice(use=ToolUse.REQUIRED)
PLAIN = Profile(target="llama/tiny", slots=2, new_call_id=lambda: "call_1")
KNOWS_TOOLS = dataclasses.replace(PLAIN, template_tools=True)


def call(asked: Input = CHAT, *, sampling: Sampling = OPEN, max_input_tokens: int = 100) -> PreparedCall:
    return PreparedCall(call=call_of(asked, sampling=sampling, streams=True), max_input_tokens=max_input_tokens)


def engine_at(
    socket: Path,
    *,
    profile: Profile = PLAIN,
    deadlines: Deadlines = PATIENT,
    condition: Condition = READY,
    url: str = "http://llama",
) -> LlamaEngine:
    return LlamaEngine(
        profile,
        peer=host_peer(url, socket=socket, secret="hush", keeps_connections=False),
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


async def ask(
    socket: Path, reply: Reply, prepared: PreparedCall | None = None, profile: Profile = PLAIN
) -> tuple[list[Event], str]:
    """Return the events and the error, as words, of one call to a host that answers so."""
    async with FakeLlamaHost(reply, secret="hush").listening(socket):
        events, raised = await events_of(engine_at(socket, profile=profile), prepared or call())
    return events, "" if raised is None else f"{type(raised).__name__}: {raised.message}"


async def test_a_chat_and_a_completion_go_to_their_own_paths(socket: Path) -> None:
    host = FakeLlamaHost(answer("x"))
    async with host.listening(socket):
        await events_of(engine_at(socket), call())
        await events_of(engine_at(socket), call(PromptInput(prompt="Once")))

    assert host.paths == ["/v1/chat/completions", "/v1/completions"]
    assert [host.requests[0]["messages"], host.requests[1]["prompt"]] == [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "Once",
    ]


def test_what_it_can_do_is_what_its_model_can_do() -> None:
    profile = dataclasses.replace(PLAIN, capabilities=Capabilities(partial=False))

    assert [engine_at(Path("s"), profile=each).capabilities for each in (PLAIN, profile)] == [
        TEXT_CAPABILITIES,
        Capabilities(partial=False),
    ]


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


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        (replace(CHAT, messages=(Message(role=Role.USER, content=" " * (127 * 128)), CHAT.messages[0])), 100),
        (PromptInput(prompt=" " * (127 * 128), suffix="a"), 1000),
    ],
)
async def test_what_is_too_long_in_any_vocabulary_is_refused_without_asking_the_host(
    socket: Path, asked: Input, most: int
) -> None:
    engine = engine_at(socket, profile=dataclasses.replace(PLAIN, context_tokens=128))

    # Nobody listens at the socket.
    _, raised = await events_of(engine, call(asked, max_input_tokens=most))

    assert isinstance(raised, InputTooLong)
    assert raised.message == f"Range of input length should be [1, {min(most, 127)}]"


async def test_what_may_just_fit_is_asked_of_the_host(socket: Path) -> None:
    fits = replace(CHAT, messages=(Message(role=Role.USER, content=" " * (127 * 128)),))
    profile = dataclasses.replace(PLAIN, context_tokens=128)

    _, raised = await ask(socket, answer("x"), call(fits, max_input_tokens=1000), profile)

    assert raised == ""


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
    prepared = call(replace(CHAT, json=JsonSchema(name="n", schema=b'{"type":"no"}')))
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


async def test_a_completion_is_counted_like_a_chat(socket: Path) -> None:
    steps = [
        progress(7, cache=4),
        completion_piece("a", 1),
        completion_piece("A", 1, index=1),
        completion_piece("b", 2),
        completion_end(2, reason="length"),
        completion_end(2, index=1),
        DONE,
    ]

    assert await ask(socket, Reply(steps=steps), call(PromptInput(prompt="p"), sampling=Sampling(choices=2))) == (
        [
            Started(served_by="llama/tiny", input_tokens=7, cached_tokens=4),
            Delta(text="a"),
            Delta(text="A", choice=1),
            Delta(text="b"),
            ChoiceFinished(reason=FinishReason.LENGTH),
            ChoiceFinished(reason=FinishReason.STOP, choice=1, tokens=1),
            Finished(usage=Usage(input_tokens=7, output_tokens=4, cached_tokens=4)),
        ],
        "",
    )


async def test_reasoning_is_told_apart_and_counted_apart(socket: Path) -> None:
    steps = [progress(7), thought("hm", 2), thought(" ok", 3), piece("Yes", 6), end(7), DONE]

    assert await ask(socket, Reply(steps=steps)) == (
        [
            STARTED,
            Reasoning(text="hm", tokens=2),
            Reasoning(text=" ok", tokens=1),
            Delta(text="Yes", tokens=3),
            ChoiceFinished(reason=FinishReason.STOP, tokens=1),
            Finished(usage=Usage(input_tokens=7, output_tokens=7, reasoning_tokens=3)),
        ],
        "",
    )


def token(text: str, logprob: float, **top: float) -> dict[str, object]:
    others = [{"token": other, "bytes": [1], "logprob": value} for other, value in top.items()]
    return {"id": 5, "token": text, "bytes": list(text.encode()), "logprob": logprob, "top_logprobs": others}


async def test_log_probabilities_belong_to_the_piece_and_to_its_choice(socket: Path) -> None:
    steps = [
        progress(7),
        piece("", 1, logprobs=[token("", -0.5)]),
        piece("é", 2, logprobs=[token("é", -0.25, a=-0.25, b=-3.4e38)]),
        piece("x", 1, index=1, logprobs=[token("x", -1.0)]),
        end(3),
        end(2, index=1),
        DONE,
    ]

    events, raised = await ask(socket, Reply(steps=steps), call(sampling=Sampling(logprobs=2, choices=2)))

    accent = TokenLogprob(
        token="é",
        logprob=-0.25,
        bytes=(0xC3, 0xA9),
        top=(TopToken(token="a", logprob=-0.25, bytes=(1,)), TopToken(token="b", logprob=-9999.0, bytes=(1,))),
    )
    assert (events[1:3], raised) == (
        [
            Delta(text="é", tokens=2, logprobs=(TokenLogprob(token="", logprob=-0.5), accent)),
            Delta(text="x", choice=1, logprobs=(TokenLogprob(token="x", logprob=-1.0, bytes=(0x78,)),)),
        ],
        "",
    )


async def test_alternatives_that_nobody_asked_for_are_left_out(socket: Path) -> None:
    steps = [progress(7), piece("x", 1, logprobs=[token("x", -1.0, x=-1.0)]), end(1), DONE]

    events, _ = await ask(socket, Reply(steps=steps), call(sampling=Sampling(logprobs=0)))

    assert events[1] == Delta(text="x", logprobs=(TokenLogprob(token="x", logprob=-1.0, bytes=(0x78,)),))


async def test_calls_that_the_host_finds_are_told_with_identifiers_of_ours(socket: Path) -> None:
    steps = [
        progress(7),
        piece("So:", 1),
        call_piece(0, 9, name="weather", arguments="{"),
        call_piece(0, 10, arguments='"city": "x"}'),
        call_piece(0, 11),
        call_piece(1, 20, name="weather", arguments="{}"),
        end(21, reason="tool_calls"),
        DONE,
    ]
    prepared = call(replace(WITH_TOOLS, parallel_tool_calls=True))

    assert await ask(socket, Reply(steps=steps), prepared, KNOWS_TOOLS) == (
        [
            STARTED,
            Delta(text="So:"),
            ToolCallDelta(index=0, id="call_1", name="weather", arguments="{", tokens=8),
            ToolCallDelta(index=0, arguments='"city": "x"}', tokens=1),
            ToolCallDelta(index=1, id="call_1", name="weather", arguments="{}", tokens=10),
            ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=1),
            Finished(usage=Usage(input_tokens=7, output_tokens=21)),
        ],
        "",
    )


async def test_a_second_call_is_left_out_and_counted_where_one_was_asked_for(socket: Path) -> None:
    steps = [
        progress(7),
        call_piece(0, 9, name="weather", arguments="{}"),
        call_piece(1, 20, name="weather", arguments="{}"),
        end(21, reason="tool_calls"),
        DONE,
    ]

    events, raised = await ask(socket, Reply(steps=steps), call(WITH_TOOLS), KNOWS_TOOLS)

    assert (events[1:3], raised) == (
        [
            ToolCallDelta(index=0, id="call_1", name="weather", arguments="{}", tokens=9),
            ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=12),
        ],
        "",
    )


async def test_calls_are_found_in_text_where_the_template_tells_no_tools(socket: Path) -> None:
    steps = [
        progress(7),
        piece("So: <tool", 2),
        piece('_call>\n{"name": "weather", "arguments"', 9),
        piece(': {"city": ', 11),
        piece('"x"}}', 13),
        end(15),
        DONE,
    ]

    assert await ask(socket, Reply(steps=steps), call(WITH_TOOLS)) == (
        [
            STARTED,
            Delta(text="So: ", tokens=2),
            ToolCallDelta(index=0, id="call_1", name="weather", tokens=9),
            ToolCallDelta(index=0, arguments='{"city": ', tokens=0),
            ToolCallDelta(index=0, arguments='"x"}', tokens=2),
            ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=2),
            Finished(usage=Usage(input_tokens=7, output_tokens=15)),
        ],
        "",
    )


async def test_what_was_held_back_comes_before_the_end_of_the_choice(socket: Path) -> None:
    steps = [progress(7), piece("a <tool", 2), end(3), DONE]

    events, _ = await ask(socket, Reply(steps=steps), call(WITH_TOOLS))

    assert events[1:4] == [
        Delta(text="a ", tokens=2),
        Delta(text="<tool", tokens=1),
        ChoiceFinished(reason=FinishReason.STOP, tokens=0),
    ]


async def test_a_call_that_is_asked_for_is_all_there_is(socket: Path) -> None:
    steps = [progress(7), piece('{"city"', 2), piece(': "x"}', 4), piece("}", 5), end(6), DONE]
    prepared = call(replace(WITH_TOOLS, tool_choice=REQUIRED))

    assert await ask(socket, Reply(steps=steps), prepared) == (
        [
            STARTED,
            ToolCallDelta(index=0, id="call_1", name="weather", tokens=2),
            ToolCallDelta(index=0, arguments='{"city"', tokens=0),
            ToolCallDelta(index=0, arguments=': "x"}', tokens=2),
            ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=2),
            Finished(usage=Usage(input_tokens=7, output_tokens=6)),
        ],
        "",
    )


async def test_a_call_that_is_cut_off_ends_for_its_length(socket: Path) -> None:
    steps = [progress(7), piece('{"city"', 2), end(2, reason="length"), DONE]

    events, _ = await ask(socket, Reply(steps=steps), call(replace(WITH_TOOLS, tool_choice=REQUIRED)))

    assert events[-2] == ChoiceFinished(reason=FinishReason.LENGTH)


async def test_log_probabilities_of_calls_are_not_told(socket: Path) -> None:
    steps = [
        progress(7),
        piece('<tool_call>{"name": "weather", "arguments": {}', 9, logprobs=[token("x", -1.0)]),
        piece("}</tool_call>", 12, logprobs=[token("y", -1.0)]),
        end(12),
        DONE,
    ]
    prepared = call(WITH_TOOLS, sampling=Sampling(logprobs=1))

    events, raised = await ask(socket, Reply(steps=steps), prepared)

    assert raised == ""
    assert events[1:3] == [
        ToolCallDelta(index=0, id="call_1", name="weather", tokens=9),
        ToolCallDelta(index=0, arguments="{}", tokens=0),
    ]


REFUSED_BY_SCHEMA = [
    (
        "tools",
        "Automatic parser generation failed: JSON schema error at #/a: no",
        "The parameters of the tools are invalid: JSON schema error at #/a: no",
    ),
    (
        "response_format",
        "Failed to initialize samplers: std::exception",
        "The message to go on from does not fit response_format.",
    ),
]


@pytest.mark.parametrize(("parameter", "said", "words"), REFUSED_BY_SCHEMA)
async def test_a_refusal_names_what_the_answer_was_held_to(socket: Path, parameter: str, said: str, words: str) -> None:
    asked = {
        "tools": replace(WITH_TOOLS, tool_choice=REQUIRED),
        "response_format": replace(CHAT, json=JsonSchema(name="n", schema=b'{"type":"no"}')),
    }[parameter]
    async with FakeLlamaHost(error("400 Bad Request", "invalid_request_error", said)).listening(socket):
        _, raised = await events_of(engine_at(socket), call(asked))

    assert isinstance(raised, ParameterInvalid)
    assert (raised.message, raised.parameter) == (words, parameter)


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
        events, raised = await events_of(engine_at(socket, deadlines=Deadlines(first_event_s=HASTY_S)), call())

    assert (events, type(raised)) == ([], EngineTimedOut)


async def test_a_host_that_falls_silent_before_the_first_event_times_out(socket: Path) -> None:
    async with FakeLlamaHost(Reply(steps=[progress(7), Wait()])).listening(socket):
        events, raised = await events_of(engine_at(socket, deadlines=Deadlines(first_event_s=HASTY_S)), call())

    assert (events, type(raised)) == ([], EngineTimedOut)


async def test_a_host_that_falls_silent_in_the_middle_times_out(socket: Path) -> None:
    host = FakeLlamaHost(Reply(steps=[progress(7), piece("a", 1), Wait()]))
    async with host.listening(socket):
        events, raised = await events_of(engine_at(socket, deadlines=Deadlines(between_events_s=HASTY_S)), call())
        await asyncio.wait_for(host.left.wait(), 5)

    assert (events, type(raised)) == ([STARTED, Delta(text="a")], EngineTimedOut)


async def test_a_slow_caller_is_no_silent_engine(socket: Path) -> None:
    engine = engine_at(socket, deadlines=Deadlines(first_event_s=0.5, between_events_s=0.5))
    events: list[Event] = []
    more = Wait()
    async with FakeLlamaHost(Reply(steps=[progress(7), piece("a", 1), more, end(2), DONE])).listening(socket):
        async with aclosing(engine.run(call())) as run:
            async for event in run:
                events.append(event)
                await asyncio.sleep(0.6 if len(events) == 1 else 0)
                more.go.set()
        await engine.close()

    assert len(events) == 4


async def test_a_host_elsewhere_is_reached_over_tcp() -> None:
    host = FakeLlamaHost(answer("a"), secret="hush")
    async with host.listening_on_a_port() as port:
        engine = LlamaEngine(
            PLAIN,
            peer=host_peer(f"http://127.0.0.1:{port}", secret="hush", keeps_connections=False),
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
    peer = host_peer("http://llama", socket=socket, secret="hush")
    engine = LlamaEngine(PLAIN, peer=peer, read_condition=lambda: READY)
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

"""Golden transcripts of the Anthropic face."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from qwenport.core.errors import EngineFailed
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Reasoning, Started, ToolCallDelta
from qwenport.core.usage import Usage
from qwenport.faces.anthropic.decode import decode_message
from qwenport.faces.face import Exchange, Request, StreamedAnswer, WholeAnswer

ID = "00000000-0000-9000-8000-000000000001"
Ask = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]

STARTED = Started(served_by="scripted/model", input_tokens=22, cached_tokens=4)
STOPPED = ChoiceFinished(reason=FinishReason.STOP, tokens=1)
CALLED = ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=1)
FINISHED = Finished(usage=Usage(input_tokens=22, output_tokens=6, cached_tokens=4))
PLAIN: tuple[Event, ...] = (
    STARTED,
    Delta(text="你好", tokens=1),
    Delta(text="", tokens=1),
    Delta(text=' "Ann"\n', tokens=3),
    STOPPED,
    FINISHED,
)
THOUGHTFUL: tuple[Event, ...] = (
    STARTED,
    Reasoning(text="Hm"),
    Reasoning(text="", tokens=1),
    Delta(text=""),
    Reasoning(text="m."),
    Delta(text="Yes."),
    STOPPED,
    Finished(usage=Usage(input_tokens=22, output_tokens=6, reasoning_tokens=3)),
)
TOOLS: tuple[Event, ...] = (
    STARTED,
    Delta(text="Look: "),
    ToolCallDelta(index=0, id="call_a", name="weather"),
    ToolCallDelta(index=0, arguments='{"city": "Ulm'),
    ToolCallDelta(index=0, arguments=""),
    ToolCallDelta(index=0, arguments='"}'),
    ToolCallDelta(index=1, id="call_b", name="time"),
    CALLED,
    FINISHED,
)


def message(content: str, reason: str, usage: str, model: str = r"qwen-\"plus\"") -> str:
    return (
        f'{{"id":"msg_{ID}","type":"message","role":"assistant","model":"{model}","content":[{content}],'
        f'"stop_reason":{reason},"stop_sequence":null,"usage":{usage}}}'
    )


def usage(output: int, *, fresh: int = 18, cached: int = 4, thinking: str = "") -> str:
    return (
        f'{{"input_tokens":{fresh},"cache_creation_input_tokens":0,"cache_read_input_tokens":{cached},'
        f'"output_tokens":{output}{thinking}}}'
    )


THINKING_USAGE = usage(6, fresh=22, cached=0, thinking=',"output_tokens_details":{"thinking_tokens":3}')


def say(event: str, body: str = "") -> str:
    return f'event: {event}\ndata: {{"type":"{event}"{body}}}\n\n'


def started() -> str:
    return say("message_start", f',"message":{message("", "null", usage(0))}') + say("ping")


def block(index: int, content: str) -> str:
    return say("content_block_start", f',"index":{index},"content_block":{content}')


def delta(index: int, kind: str, member: str, piece: str) -> str:
    return say("content_block_delta", f',"index":{index},"delta":{{"type":"{kind}_delta","{member}":{piece}}}')


def stop(index: int) -> str:
    return say("content_block_stop", f',"index":{index}')


def ended(reason: str, told: str) -> str:
    body = f',"delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{told}'
    return say("message_delta", body) + say("message_stop")


EMPTY_TEXT = '{"type":"text","text":""}'
EMPTY_THINKING = '{"type":"thinking","thinking":"","signature":""}'


@pytest.fixture
def ask(make_request: Callable[..., Request]) -> Ask:
    def decode(**extra: Any) -> Exchange:
        body = {"model": 'qwen-"plus"', "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **extra}
        return decode_message(make_request(body), {})

    return decode


def test_a_whole_answer(ask: Ask) -> None:
    answer: WholeAnswer = ask().answer  # type: ignore[assignment]  # not streamed, so it is whole
    for event in PLAIN:
        answer.add(event)
    reply = answer.reply()

    assert (reply.status, reply.headers) == (
        200,
        ((b"content-type", b"application/json"), (b"request-id", ID.encode())),
    )
    assert reply.body.decode() == message(r'{"type":"text","text":"你好 \"Ann\"\n"}', '"end_turn"', usage(6))


def test_a_whole_answer_with_reasoning(ask: Ask, encode: Encode) -> None:
    thinking = '{"type":"thinking","thinking":"Hmm.","signature":""}'
    text = '{"type":"text","text":"Yes."}'

    assert encode(ask(), THOUGHTFUL).decode() == message(f"{thinking},{text}", '"end_turn"', THINKING_USAGE)


def test_a_whole_answer_that_calls_tools(ask: Ask, encode: Encode) -> None:
    text = '{"type":"text","text":"Look: "}'
    first = '{"type":"tool_use","id":"call_a","name":"weather","input":{"city":"Ulm"}}'
    second = '{"type":"tool_use","id":"call_b","name":"time","input":{}}'

    assert encode(ask(), TOOLS).decode() == message(f"{text},{first},{second}", '"tool_use"', usage(6))


def test_a_whole_answer_that_says_nothing_has_no_blocks(ask: Ask, encode: Encode) -> None:
    events = (STARTED, Delta(text=""), STOPPED, FINISHED)

    assert encode(ask(), events).decode() == message("", '"end_turn"', usage(6))


@pytest.mark.parametrize("arguments", ['{"city": "Ul', "[1]", '"Ulm"', "{'city': 'Ulm'}", '{"city":' * 100_000])
def test_arguments_that_are_no_object_are_wrapped(ask: Ask, encode: Encode, arguments: str) -> None:
    call = ToolCallDelta(index=0, id="call_a", name="weather", arguments=arguments)
    body = encode(ask(), (STARTED, call, CALLED, FINISHED)).decode()

    escaped = arguments.replace('"', r"\"")
    wrapped = f'{{"type":"tool_use","id":"call_a","name":"weather","input":{{"INVALID_JSON":"{escaped}"}}}}'
    assert body == message(wrapped, '"tool_use"', usage(6))


@pytest.mark.parametrize(
    ("reason", "called", "told"),
    [
        (FinishReason.STOP, False, b'"stop_reason":"end_turn"'),
        (FinishReason.STOP, True, b'"stop_reason":"tool_use"'),
        (FinishReason.TOOL_CALLS, True, b'"stop_reason":"tool_use"'),
        (FinishReason.LENGTH, False, b'"stop_reason":"max_tokens"'),
        (FinishReason.LENGTH, True, b'"stop_reason":"max_tokens"'),
    ],
)
def test_why_an_answer_ended(ask: Ask, encode: Encode, reason: FinishReason, called: bool, told: bytes) -> None:
    said: Event = ToolCallDelta(index=0, id="call_a", name="time") if called else Delta(text="Hi")
    events = (STARTED, said, ChoiceFinished(reason=reason), FINISHED)

    assert told in encode(ask(), events)
    assert told in encode(ask(stream=True), events)


def test_a_stream(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True), PLAIN).decode() == (
        started()
        + block(0, EMPTY_TEXT)
        + delta(0, "text", "text", '"你好"')
        + delta(0, "text", "text", r'" \"Ann\"\n"')
        + stop(0)
        + ended("end_turn", usage(6))
    )


def test_a_stream_with_reasoning_signs_the_thinking_before_it_ends(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True), THOUGHTFUL).decode() == (
        started()
        + block(0, EMPTY_THINKING)
        + delta(0, "thinking", "thinking", '"Hm"')
        + delta(0, "thinking", "thinking", '"m."')
        + delta(0, "signature", "signature", '""')
        + stop(0)
        + block(1, EMPTY_TEXT)
        + delta(1, "text", "text", '"Yes."')
        + stop(1)
        + ended("end_turn", THINKING_USAGE)
    )


def test_a_stream_that_calls_tools_gives_each_call_a_block(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True), TOOLS).decode() == (
        started()
        + block(0, EMPTY_TEXT)
        + delta(0, "text", "text", '"Look: "')
        + stop(0)
        + block(1, '{"type":"tool_use","id":"call_a","name":"weather","input":{}}')
        + delta(1, "input_json", "partial_json", r'"{\"city\": \"Ulm"')
        + delta(1, "input_json", "partial_json", r'"\"}"')
        + stop(1)
        + block(2, '{"type":"tool_use","id":"call_b","name":"time","input":{}}')
        + stop(2)
        + ended("tool_use", usage(6))
    )


def test_a_first_piece_of_a_call_may_hold_arguments(ask: Ask, encode: Encode) -> None:
    call = ToolCallDelta(index=0, id="call_a", name="time", arguments="{}")

    assert encode(ask(stream=True), (STARTED, call, CALLED, FINISHED)).decode() == (
        started()
        + block(0, '{"type":"tool_use","id":"call_a","name":"time","input":{}}')
        + delta(0, "input_json", "partial_json", '"{}"')
        + stop(0)
        + ended("tool_use", usage(6))
    )


def test_a_stream_that_says_nothing_has_no_blocks(ask: Ask, encode: Encode) -> None:
    events = (STARTED, Delta(text=""), STOPPED, FINISHED)

    assert encode(ask(stream=True), events).decode() == started() + ended("end_turn", usage(6))


def test_a_stream_opens_as_server_sent_events_with_the_requests_id(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.headers == ((b"content-type", b"text/event-stream;charset=UTF-8"), (b"request-id", ID.encode()))


def test_an_error_in_a_stream_is_an_event_of_its_own(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.failure(EngineFailed("the engine broke off")).decode() == (
        'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"the engine broke off"},'
        f'"request_id":"{ID}"}}\n\n'
    )


BACK: Sequence[Event] = (
    ToolCallDelta(index=0, id="call_a", name="time"),
    ToolCallDelta(index=1, id="call_b", name="time"),
    ToolCallDelta(index=0, arguments="{}"),
)
AGAIN: Sequence[Event] = (BACK[0], Delta(text="and"), BACK[2])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("events", [BACK, AGAIN])
def test_an_engine_that_goes_back_to_a_call_that_ended_has_failed(
    ask: Ask, encode: Encode, events: Sequence[Event], stream: bool
) -> None:
    with pytest.raises(EngineFailed, match="went back to tool call 0"):
        encode(ask(stream=stream), (STARTED, *events))

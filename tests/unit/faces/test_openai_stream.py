"""Golden transcripts of the OpenAI face: streams."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from qwenport.core.call import Call, ChatInput, Sampling
from qwenport.core.errors import EngineFailed, KeyMissing, ParameterInvalid
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
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.face import Exchange, StreamedAnswer
from qwenport.faces.openai.completion import Completion
from qwenport.faces.openai.encode import WholeCompletion
from qwenport.faces.openai.stream import StreamedCompletion
from qwenport.testing.plain_call import START

Ask = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]

ID = "00000000-0000-9000-8000-000000000001"
TAIL = f'"created":1767225600,"system_fingerprint":null,"model":"qwen-\\"plus\\"","id":"chatcmpl-{ID}"}}\n\n'
DONE = "data: [DONE]\n\n"
STARTED = Started(served_by="scripted/model", input_tokens=5)
STOPPED = ChoiceFinished(reason=FinishReason.STOP)
USED = Finished(usage=Usage(input_tokens=22, output_tokens=6, cached_tokens=4))
TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": {"name": "weather"}}]}


def chunk(delta: str, index: int = 0, reason: str = "null", logprobs: str = "null") -> str:
    return (
        f'data: {{"choices":[{{"delta":{delta},"index":{index},"logprobs":{logprobs},"finish_reason":{reason}}}],'
        f'"object":"chat.completion.chunk","usage":null,{TAIL}'
    )


def test_a_stream(ask_openai: Ask, encode: Encode) -> None:
    exchange = ask_openai(stream=True)
    events = (STARTED, Delta(text="你好"), Delta(text=""), Delta(text=' "Ann"\n', tokens=3), STOPPED, USED)

    assert encode(exchange, events).decode() == (
        chunk('{"content":"","role":"assistant"}')
        + chunk('{"content":"你好"}')
        + chunk('{"content":" \\"Ann\\"\\n"}')
        + chunk('{"content":""}', reason='"stop"')
        + DONE
    )


def test_a_stream_of_two_choices_tells_one_choice_a_chunk(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        Delta(text="b", choice=1),
        Delta(text="a", choice=0),
        ChoiceFinished(reason=FinishReason.LENGTH, choice=1),
        Delta(text="A", choice=0, tokens=2),
        STOPPED,
        USED,
    )

    assert encode(ask_openai(stream=True, n=2), events).decode() == (
        chunk('{"content":"","role":"assistant"}')
        + chunk('{"content":"","role":"assistant"}', 1)
        + chunk('{"content":"b"}', 1)
        + chunk('{"content":"a"}')
        + chunk('{"content":""}', 1, '"length"')
        + chunk('{"content":"A"}')
        + chunk('{"content":""}', 0, '"stop"')
        + DONE
    )


def test_an_empty_stream_still_says_who_spoke(ask_openai: Ask, encode: Encode) -> None:
    assert encode(ask_openai(stream=True), (STARTED, STOPPED, USED)).decode() == (
        chunk('{"content":"","role":"assistant"}') + chunk('{"content":""}', reason='"stop"') + DONE
    )


def test_percent_signs_of_a_model_name_are_kept(ask_openai: Ask, encode: Encode) -> None:
    stream = encode(ask_openai(stream=True, model="100%d %b"), (STARTED, Delta(text="50%s"), STOPPED, USED))

    assert stream.count(b'"model":"100%d %b"') == 3
    assert b'{"content":"50%s"}' in stream


def test_what_is_thought_comes_first_and_the_text_says_that_it_is_none(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        Reasoning(text="2 + "),
        Reasoning(text=""),
        Reasoning(text="2"),
        Delta(text="4"),
        STOPPED,
        USED,
    )

    assert encode(ask_openai(stream=True, enable_thinking=True), events).decode() == (
        chunk('{"content":null,"role":"assistant","reasoning_content":""}')
        + chunk('{"content":null,"reasoning_content":"2 + "}')
        + chunk('{"content":null,"reasoning_content":"2"}')
        + chunk('{"content":"4","reasoning_content":null}')
        + chunk('{"content":"","reasoning_content":null}', reason='"stop"')
        + DONE
    )


def test_a_tool_call_is_named_once_and_its_arguments_follow(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        ToolCallDelta(index=0, id="call_a", name="weather"),
        ToolCallDelta(index=0, arguments='{"city":'),
        ToolCallDelta(index=0, arguments=""),
        ToolCallDelta(index=0, arguments='"杭州"}'),
        ChoiceFinished(reason=FinishReason.TOOL_CALLS),
        USED,
    )

    assert encode(ask_openai(stream=True, **TOOLS), events).decode() == (
        chunk(
            '{"content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function",'
            '"function":{"name":"weather","arguments":""}}],"role":"assistant"}'
        )
        + chunk('{"tool_calls":[{"function":{"arguments":"{\\"city\\":"},"index":0,"id":"","type":"function"}]}')
        + chunk('{"tool_calls":[{"function":{"arguments":"\\"杭州\\"}"},"index":0,"id":"","type":"function"}]}')
        + chunk("{}", reason='"tool_calls"')
        + DONE
    )


def test_parallel_tool_calls_and_text_before_them(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        Delta(text="Let me see."),
        ToolCallDelta(index=0, id="call_a", name="weather", arguments="{}"),
        ToolCallDelta(index=1, id="call_b", name="weather", arguments="{"),
        ToolCallDelta(index=1, arguments="}"),
        ChoiceFinished(reason=FinishReason.LENGTH),
        USED,
    )

    assert encode(ask_openai(stream=True, **TOOLS), events).decode() == (
        chunk('{"content":"","role":"assistant"}')
        + chunk('{"content":"Let me see."}')
        + chunk(
            '{"tool_calls":[{"index":0,"id":"call_a","type":"function",'
            '"function":{"name":"weather","arguments":"{}"}}]}'
        )
        + chunk(
            '{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"weather","arguments":"{"}}]}'
        )
        + chunk('{"tool_calls":[{"function":{"arguments":"}"},"index":1,"id":"","type":"function"}]}')
        + chunk("{}", reason='"length"')
        + DONE
    )


def test_log_probabilities_come_with_their_piece_even_where_it_shows_nothing(ask_openai: Ask, encode: Encode) -> None:
    first = TokenLogprob(token="\\xe7", logprob=-0.5, bytes=(231,), top=(TopToken(token="a", logprob=-1.0),))
    second = TokenLogprob(token="热", logprob=0.0, bytes=(231, 131, 173))

    events = (STARTED, Delta(text="", logprobs=(first,)), Delta(text="热", logprobs=(second,)), STOPPED, USED)

    assert encode(ask_openai(stream=True, logprobs=True, top_logprobs=1), events).decode() == (
        chunk('{"content":"","role":"assistant"}')
        + chunk(
            '{"content":""}',
            logprobs='{"content":[{"token":"\\\\xe7","bytes":[231],"logprob":-0.5,"top_logprobs":['
            '{"token":"a","bytes":[],"logprob":-1.0}]}]}',
        )
        + chunk(
            '{"content":"热"}',
            logprobs='{"content":[{"token":"热","bytes":[231,131,173],"logprob":0.0,"top_logprobs":[]}]}',
        )
        + chunk('{"content":""}', reason='"stop"')
        + DONE
    )


def test_usage_is_told_before_the_end_of_a_stream_that_asked_for_it(ask_openai: Ask) -> None:
    answer: StreamedAnswer = ask_openai(stream=True, stream_options={"include_usage": True}).answer  # type: ignore[assignment]  # streamed

    assert answer.frame(USED).decode() == (
        'data: {"choices":[],"object":"chat.completion.chunk","usage":{"prompt_tokens":22,"completion_tokens":6,'
        f'"total_tokens":28,"prompt_tokens_details":{{"cached_tokens":4}}}},{TAIL}{DONE}'
    )


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_usage_is_not_told_unasked(ask_openai: Ask, options: dict[str, Any] | None) -> None:
    answer: StreamedAnswer = ask_openai(stream=True, stream_options=options).answer  # type: ignore[assignment]  # streamed

    assert answer.frame(USED).decode() == DONE


def test_a_stream_opens_as_server_sent_events(ask_openai: Ask) -> None:
    answer: StreamedAnswer = ask_openai(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.headers == ((b"content-type", b"text/event-stream;charset=UTF-8"),)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            EngineFailed("the engine broke off"),
            (
                'data: {"error":{"message":"the engine broke off","type":"internal_error","param":null,'
                f'"code":"internal_error"}},"request_id":"{ID}"}}\n\n'
            ),
        ),
        (
            ParameterInvalid("wrong"),
            (
                'data: {"error":{"message":"wrong","type":"invalid_request_error","param":null,'
                f'"code":"invalid_parameter_error"}},"id":"chatcmpl-{ID}","request_id":"{ID}"}}\n\n'
            ),
        ),
        (
            KeyMissing(),
            (
                'data: {"error":{"message":"No API-key provided.","type":"invalid_request_error","param":null,'
                f'"code":"invalid_api_key"}},"request_id":"{ID}"}}\n\n'
            ),
        ),
    ],
)
def test_an_error_in_a_stream_is_wrapped_always(ask_openai: Ask, error: EngineFailed, expected: str) -> None:
    answer: StreamedAnswer = ask_openai(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.failure(error).decode() == expected


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """Draw the events of an answer of up to three choices, interleaved, each thinking, speaking and calling tools."""
    choices = draw(st.integers(1, 3))
    queues = [_choice(draw, index) for index in range(choices)]
    events: list[Event] = [STARTED]
    while queues:
        queue = draw(st.sampled_from(queues))
        events.append(queue.pop(0))
        queues = [each for each in queues if each]
    return [*events, USED]


def _choice(draw: st.DrawFn, index: int) -> list[Event]:
    thoughts: list[Event] = [Reasoning(text=text, choice=index) for text in draw(st.lists(TEXTS, max_size=3))]
    texts: list[Event] = [
        Delta(text=text, choice=index, logprobs=(TokenLogprob(token=text, logprob=-1.0),))
        for text in draw(st.lists(TEXTS, max_size=4))
    ]
    calls: list[Event] = []
    for number in range(draw(st.integers(0, 2))):
        calls.append(ToolCallDelta(index=number, id=f"call_{number}", name="f", choice=index))
        calls += [
            ToolCallDelta(index=number, arguments=text, choice=index) for text in draw(st.lists(TEXTS, max_size=3))
        ]
    return [*thoughts, *texts, *calls, ChoiceFinished(reason=draw(st.sampled_from(FinishReason)), choice=index)]


def meaning(choice: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says, without what only the official client's accumulator adds."""
    message = choice["message"]
    return {
        "index": choice["index"],
        "reason": choice["finish_reason"],
        "content": message.get("content") or "",
        "reasoning": message.get("reasoning_content") or "",
        "calls": [
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        ],
        "tokens": [token["token"] for token in (choice["logprobs"] or {}).get("content") or ()],
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(answers())
def test_the_official_client_joins_a_stream_to_the_whole_answer(events: list[Event]) -> None:
    call = Call(
        id=RequestId(ID),
        face="openai",
        operation="chat.completions",
        model="qwen-plus",
        input=ChatInput(messages=()),
        sampling=Sampling(logprobs=0),
        streams=True,
    )
    completion = Completion.of(call, START, None)
    streamed, whole = StreamedCompletion(completion, include_usage=True), WholeCompletion(completion)
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    lines = b"".join(streamed.frame(event) for event in events).decode().split("\n\n")
    for line in lines[:-2]:
        state.handle_chunk(ChatCompletionChunk.model_validate_json(line.removeprefix("data: ")))
    for event in events:
        whole.add(event)

    joined = json.loads(state.current_completion_snapshot.model_dump_json())
    at_once = json.loads(whole.reply().body)

    assert lines[-2:] == ["data: [DONE]", ""]
    assert [meaning(choice) for choice in sorted(joined["choices"], key=lambda choice: int(choice["index"]))] == [
        meaning(choice) for choice in at_once["choices"]
    ]
    assert joined["usage"]["total_tokens"] == at_once["usage"]["total_tokens"] == 28

"""Native results of reasoning, tool calls, log probabilities and images, as they stand on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.capabilities import Capabilities, Thinking
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
from qwenport.core.usage import Usage
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.face import Cards, Exchange, Request

Ask = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]
SSE = {"x-dashscope-sse": "enable"}
THOUGHT: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=9),
    Reasoning(text='He said "Hi"', tokens=2),
    Reasoning(text="", tokens=1),
    Reasoning(text=".", tokens=1),
    Delta(text="Hel"),
    Delta(text="lo"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=9, output_tokens=7, reasoning_tokens=4)),
)
NO_THOUGHT: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=9),
    Delta(text="Hi"),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=9, output_tokens=1)),
)
CALLED: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=9),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments="", tokens=3),
    ToolCallDelta(index=0, arguments='{"city":', tokens=2),
    ToolCallDelta(index=1, id="call_2", name="time", arguments="{}", tokens=4),
    ToolCallDelta(index=0, arguments='"Ulm"}', tokens=2),
    ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=1),
    Finished(usage=Usage(input_tokens=9, output_tokens=12)),
)
HE = TokenLogprob(token="He", logprob=-0.5, bytes=(72, 101), top=(TopToken(token="A", logprob=-1.5, bytes=(65,)),))
LLO = TokenLogprob(token="llo", logprob=-0.25, bytes=(108, 108, 111))
LIKELY: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=9),
    Delta(text="", logprobs=(HE,)),
    Delta(text="Hello", logprobs=(LLO,)),
    Delta(text="!"),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=9, output_tokens=3)),
)
TOLD_HE = '{"token":"He","bytes":[72,101],"logprob":-0.5,"top_logprobs":[{"token":"A","bytes":[65],"logprob":-1.5}]}'
TOLD_LLO = '{"token":"llo","bytes":[108,108,111],"logprob":-0.25,"top_logprobs":[]}'
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]
WEATHER = '{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":"%s"}}'
TIME = '{"index":1,"id":"call_2","type":"function","function":{"name":"time","arguments":"{}"}}'
MORE = '{"index":0,"id":"","type":"function","function":{"name":"","arguments":"%s"}}'
CITY = '{\\"city\\":'
ULM = '\\"Ulm\\"}'


@pytest.fixture
def thinking_cards(cards: Cards) -> Cards:
    return {
        "hybrid": replace(cards["qwen-turbo"], name="hybrid", capabilities=Capabilities(thinking=Thinking.HYBRID)),
        "always": replace(cards["qwen3-max"], name="always", capabilities=Capabilities(thinking=Thinking.ALWAYS)),
    }


@pytest.fixture
def ask(make_request: Callable[..., Request], thinking_cards: Cards) -> Ask:
    def decode(model: str = "m", *, multimodal: bool = False, stream: bool = False, **parameters: Any) -> Exchange:
        body = {"model": model, "input": {"prompt": "Hi"}, "parameters": parameters}
        request = make_request(body, headers=SSE if stream else {})
        exchange = (decode_multimodal_generation if multimodal else decode_text_generation)(request, thinking_cards)
        assert exchange.call.refusal is None
        return exchange

    return decode


def messages_of(transcript: bytes) -> list[str]:
    """Return what each frame says, as it stands on the wire: the message and what follows it in the choice."""
    frames = transcript.decode().split("\n\n")[:-1]
    return [frame.partition('"message":')[2].partition('}]},"usage"')[0] for frame in frames]


def usages_of(transcript: bytes) -> list[dict[str, Any]]:
    return [json.loads(frame.partition("data:")[2])["usage"] for frame in transcript.decode().split("\n\n")[:-1]]


def said(content: str, extras: str = "") -> str:
    return f'{{"role":"assistant","content":{content}{extras}}}'


def thought(reasoning: str) -> str:
    return f',"reasoning_content":"{reasoning}"'


def test_an_incremental_stream_thinks_first_and_says_empty_reasoning_after_it(ask: Ask, encode: Encode) -> None:
    exchange = ask("hybrid", stream=True, enable_thinking=True, incremental_output=True)

    assert messages_of(encode(exchange, THOUGHT)) == [
        said('""', thought('He said \\"Hi\\"')),
        said('""', thought(".")),
        said('"Hel"', thought("")),
        said('"lo"', thought("")),
        said('""', thought("")),
    ]


def test_a_cumulative_stream_repeats_what_was_thought(ask: Ask, encode: Encode) -> None:
    whole = thought('He said \\"Hi\\".')

    assert messages_of(encode(ask("hybrid", stream=True, enable_thinking=True), THOUGHT)) == [
        said('""', thought('He said \\"Hi\\"')),
        said('""', whole),
        said('"Hel"', whole),
        said('"Hello"', whole),
        said('"Hello"', whole),
    ]


def test_a_model_that_always_thinks_streams_what_is_new_unless_told_otherwise(ask: Ask, encode: Encode) -> None:
    assert messages_of(encode(ask("always", stream=True), THOUGHT))[2:] == [
        said('"Hel"', thought("")),
        said('"lo"', thought("")),
        said('""', thought("")),
    ]


def test_a_frame_of_parts_that_says_no_text_has_no_part_but_the_last(ask: Ask, encode: Encode) -> None:
    exchange = ask("hybrid", multimodal=True, stream=True, enable_thinking=True, incremental_output=True)

    assert messages_of(encode(exchange, THOUGHT)) == [
        said("[]", thought('He said \\"Hi\\"')),
        said("[]", thought(".")),
        said('[{"text":"Hel"}]', thought("")),
        said('[{"text":"lo"}]', thought("")),
        said('[{"text":""}]', thought("")),
    ]


def test_reasoning_tokens_grow_with_the_stream(ask: Ask, encode: Encode) -> None:
    usages = usages_of(encode(ask("hybrid", stream=True, enable_thinking=True), THOUGHT))

    assert usages == [
        {
            "input_tokens": 9,
            "output_tokens": output,
            "total_tokens": 9 + output,
            "output_tokens_details": {"text_tokens": output - reasoning, "reasoning_tokens": reasoning},
        }
        for output, reasoning in [(2, 2), (4, 4), (5, 4), (6, 4), (7, 4)]
    ]


@pytest.mark.parametrize(
    ("multimodal", "content"), [(False, '"Hello"'), (True, '[{"text":"Hello"}]')], ids=["text", "parts"]
)
def test_a_whole_answer_tells_its_reasoning(ask: Ask, encode: Encode, multimodal: bool, content: str) -> None:
    answer = encode(ask("hybrid", multimodal=multimodal, enable_thinking=True), THOUGHT).decode()

    message = said(content, thought('He said \\"Hi\\".'))
    assert answer == (
        f'{{"output":{{"choices":[{{"finish_reason":"stop","message":{message}}}]}},"usage":{{"input_tokens":9,'
        '"output_tokens":7,"total_tokens":16,"output_tokens_details":{"text_tokens":3,"reasoning_tokens":4}},'
        '"request_id":"00000000-0000-9000-8000-000000000001"}'
    )


def test_thinking_that_brought_nothing_is_an_empty_string(ask: Ask, encode: Encode) -> None:
    whole = json.loads(encode(ask("hybrid", enable_thinking=True), NO_THOUGHT))
    stream = messages_of(encode(ask("hybrid", stream=True, enable_thinking=True), NO_THOUGHT))

    assert whole["output"]["choices"][0]["message"] == {"role": "assistant", "content": "Hi", "reasoning_content": ""}
    assert whole["usage"]["output_tokens_details"] == {"text_tokens": 1, "reasoning_tokens": 0}
    assert stream == [said('"Hi"', thought("")), said('"Hi"', thought(""))]


@pytest.mark.parametrize("parameters", [{}, {"enable_thinking": False}])
def test_without_thinking_there_is_no_word_of_it(ask: Ask, encode: Encode, parameters: dict[str, Any]) -> None:
    answer = encode(ask("hybrid", result_format="message", **parameters), NO_THOUGHT)

    assert b"reasoning" not in answer


def test_an_engine_that_thinks_unasked_is_heard_in_a_message_and_only_counted_in_a_text(
    ask: Ask, encode: Encode
) -> None:
    message = encode(ask(stream=True, result_format="message", incremental_output=True), THOUGHT)
    text = encode(ask(stream=True, incremental_output=True), THOUGHT)

    assert messages_of(message)[0] == said('""', thought('He said \\"Hi\\"'))
    assert messages_of(message)[2:] == [said('"Hel"'), said('"lo"'), said('""')]
    assert [json.loads(frame.partition("data:")[2])["output"] for frame in text.decode().split("\n\n")[:-1]] == [
        {"text": "Hel", "finish_reason": "null"},
        {"text": "lo", "finish_reason": "null"},
        {"text": "", "finish_reason": "stop"},
    ]
    assert usages_of(text)[0]["output_tokens_details"] == {"text_tokens": 1, "reasoning_tokens": 4}


def test_an_incremental_stream_names_a_tool_once(ask: Ask, encode: Encode) -> None:
    def calls(call: str) -> str:
        return said('""', f',"tool_calls":[{call}]')

    transcript = encode(ask(stream=True, tools=TOOLS, incremental_output=True), CALLED)

    assert messages_of(transcript) == [
        calls(WEATHER % ""),
        calls(MORE % CITY),
        calls(TIME),
        calls(MORE % ULM),
        said('""'),
    ]
    assert transcript.decode().count('"finish_reason":"null"') == 4
    assert transcript.decode().count('"finish_reason":"tool_calls"') == 1
    assert [usage["output_tokens"] for usage in usages_of(transcript)] == [3, 5, 9, 11, 12]


def test_a_cumulative_stream_repeats_the_calls_so_far(ask: Ask, encode: Encode) -> None:
    def calls(*so_far: str) -> str:
        return said('""', f',"tool_calls":[{",".join(so_far)}]')

    assert messages_of(encode(ask(stream=True, tools=TOOLS), CALLED)) == [
        calls(WEATHER % ""),
        calls(WEATHER % CITY),
        calls(WEATHER % CITY, TIME),
        calls(WEATHER % (CITY + ULM), TIME),
        calls(WEATHER % (CITY + ULM), TIME),
    ]


@pytest.mark.parametrize(("multimodal", "content"), [(False, '""'), (True, '[{"text":""}]')], ids=["message", "parts"])
def test_a_whole_answer_holds_all_calls(ask: Ask, encode: Encode, multimodal: bool, content: str) -> None:
    answer = encode(ask(multimodal=multimodal, tools=TOOLS), CALLED).decode()

    message = said(content, f',"tool_calls":[{WEATHER % (CITY + ULM)},{TIME}]')
    assert f'{{"choices":[{{"finish_reason":"tool_calls","message":{message}}}]}}' in answer


def test_a_frame_of_parts_that_calls_has_no_part(ask: Ask, encode: Encode) -> None:
    transcript = encode(ask(multimodal=True, stream=True, tools=TOOLS, incremental_output=True), CALLED)

    assert messages_of(transcript)[0] == said("[]", f',"tool_calls":[{WEATHER % ""}]')


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"incremental_output": True}, [f"{TOLD_HE},{TOLD_LLO}", "", ""]),
        ({}, [f"{TOLD_HE},{TOLD_LLO}"] * 3),
    ],
    ids=["incremental", "cumulative"],
)
def test_each_frame_tells_the_log_probabilities_of_its_tokens(
    ask: Ask, encode: Encode, parameters: dict[str, Any], told: list[str]
) -> None:
    messages = messages_of(encode(ask(stream=True, logprobs=True, top_logprobs=1, **parameters), LIKELY))

    assert [message.partition(',"logprobs":')[2] for message in messages] == [
        f'{{"content":[{each}]}}' for each in told
    ]


def test_a_whole_answer_tells_the_log_probabilities_of_all_tokens(ask: Ask, encode: Encode) -> None:
    answer = encode(ask(logprobs=True), LIKELY).decode()

    assert f'{said(chr(34) + "Hello!" + chr(34))},"logprobs":{{"content":[{TOLD_HE},{TOLD_LLO}]}}' in answer


def test_log_probabilities_that_nobody_asked_for_are_left_out(ask: Ask, encode: Encode) -> None:
    assert b"logprobs" not in encode(ask(result_format="message"), LIKELY)


def test_images_and_the_cache_are_told_in_every_usage(ask: Ask, encode: Encode) -> None:
    events: tuple[Event, ...] = (
        Started(served_by="scripted/model", input_tokens=926, cached_tokens=100, image_tokens=754),
        Delta(text="Hi", tokens=72),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage(input_tokens=926, output_tokens=72, cached_tokens=100, image_tokens=754)),
    )
    usage = {
        "input_tokens": 926,
        "output_tokens": 72,
        "total_tokens": 998,
        "image_tokens": 754,
        "input_tokens_details": {"text_tokens": 172, "image_tokens": 754},
        "prompt_tokens_details": {"cached_tokens": 100},
        "output_tokens_details": {"text_tokens": 72},
    }

    assert usages_of(encode(ask(multimodal=True, stream=True), events)) == [usage, usage]
    assert json.loads(encode(ask(multimodal=True), events))["usage"] == usage


def test_two_choices_think_call_and_tell_each_for_itself(ask: Ask, encode: Encode) -> None:
    events: tuple[Event, ...] = (
        Started(served_by="scripted/model", input_tokens=1),
        Reasoning(text="r", choice=1, tokens=2),
        Delta(text="a", choice=0, logprobs=(HE,)),
        Delta(text="b", choice=1, logprobs=(LLO,)),
        ChoiceFinished(reason=FinishReason.LENGTH, choice=0),
        ChoiceFinished(reason=FinishReason.STOP, choice=1),
        Finished(usage=Usage(input_tokens=1, output_tokens=4, reasoning_tokens=2)),
    )
    exchange = ask("hybrid", stream=True, enable_thinking=True, n=2, logprobs=True)
    choices = [
        json.loads(frame.partition("data:")[2]) for frame in encode(exchange, events).decode().split("\n\n")[:-1]
    ]

    told = {"a": [json.loads(TOLD_HE)], "b": [json.loads(TOLD_LLO)]}
    assert [
        (
            choice["index"],
            choice["finish_reason"],
            choice["message"]["content"],
            choice["message"]["reasoning_content"],
            choice["logprobs"]["content"],
            frame["usage"]["output_tokens"],
            frame["usage"]["output_tokens_details"]["reasoning_tokens"],
        )
        for frame in choices
        for choice in frame["output"]["choices"]
    ] == [
        (1, "null", "", "r", [], 2, 2),
        (0, "null", "a", "", told["a"], 1, 0),
        (1, "null", "b", "r", told["b"], 3, 2),
        (0, "length", "a", "", told["a"], 1, 0),
        (1, "stop", "b", "r", told["b"], 3, 2),
    ]

"""Golden transcripts of the OpenAI face: whole answers."""

from __future__ import annotations

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
)
from qwenport.core.usage import Usage
from qwenport.faces.face import Cards, Exchange, Request, WholeAnswer
from qwenport.faces.openai.decode import decode_chat_completion

Ask = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]

ID = "00000000-0000-9000-8000-000000000001"
STARTED = Started(served_by="scripted/model", input_tokens=5)
STOPPED = ChoiceFinished(reason=FinishReason.STOP)
USED = Finished(usage=Usage(input_tokens=5, output_tokens=5))
TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": {"name": "weather"}}]}
IMAGE = [{"role": "user", "content": [{"image": "https://example.com/cat.png"}]}]


def body(choices: str, usage: str) -> str:
    return (
        f'{{"choices":[{choices}],"object":"chat.completion","usage":{usage},"created":1767225600,'
        f'"system_fingerprint":null,"model":"qwen-\\"plus\\"","id":"chatcmpl-{ID}"}}'
    )


USAGE = '{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0}}'


def test_a_whole_answer(ask_openai: Ask) -> None:
    answer: WholeAnswer = ask_openai().answer  # type: ignore[assignment]  # not streamed, so it is whole
    for event in (
        Started(served_by="scripted/model", input_tokens=22, cached_tokens=4),
        Delta(text="你好"),
        Delta(text=""),
        Delta(text=' "Ann"\n', tokens=3),
        STOPPED,
        Finished(usage=Usage(input_tokens=22, output_tokens=6, cached_tokens=4)),
    ):
        answer.add(event)
    reply = answer.reply()

    assert (reply.status, reply.headers) == (200, ((b"content-type", b"application/json"),))
    assert reply.body.decode() == body(
        '{"message":{"content":"你好 \\"Ann\\"\\n","role":"assistant"},"finish_reason":"stop","index":0,'
        '"logprobs":null}',
        '{"prompt_tokens":22,"completion_tokens":6,"total_tokens":28,"prompt_tokens_details":{"cached_tokens":4}}',
    )


def test_a_whole_answer_of_two_choices_is_in_the_order_of_their_index(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        Delta(text="b", choice=1),
        Delta(text="a", choice=0),
        ChoiceFinished(reason=FinishReason.LENGTH, choice=1),
        Delta(text="A", choice=0, tokens=2),
        STOPPED,
        USED,
    )

    assert encode(ask_openai(n=2), events).decode() == body(
        '{"message":{"content":"aA","role":"assistant"},"finish_reason":"stop","index":0,"logprobs":null},'
        '{"message":{"content":"b","role":"assistant"},"finish_reason":"length","index":1,"logprobs":null}',
        USAGE,
    )


def test_a_whole_answer_without_text_is_an_empty_string(ask_openai: Ask, encode: Encode) -> None:
    assert encode(ask_openai(), (STARTED, STOPPED, USED)).decode() == body(
        '{"message":{"content":"","role":"assistant"},"finish_reason":"stop","index":0,"logprobs":null}', USAGE
    )


def test_tool_calls_are_put_together_from_their_pieces(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        ToolCallDelta(index=1, id="call_b", name="clock"),
        ToolCallDelta(index=0, id="call_a", name="weather", arguments='{"city"'),
        ToolCallDelta(index=0, arguments=':"杭州"}'),
        ChoiceFinished(reason=FinishReason.TOOL_CALLS),
        USED,
    )

    assert encode(ask_openai(**TOOLS), events).decode() == body(
        '{"message":{"content":"","role":"assistant","tool_calls":['
        '{"function":{"arguments":"{\\"city\\":\\"杭州\\"}","name":"weather"},"id":"call_a","index":0,'
        '"type":"function"},'
        '{"function":{"arguments":"","name":"clock"},"id":"call_b","index":1,"type":"function"}]},'
        '"finish_reason":"tool_calls","index":0,"logprobs":null}',
        USAGE,
    )


def test_text_before_a_tool_call_stays(ask_openai: Ask, encode: Encode) -> None:
    events = (STARTED, Delta(text="Let me see."), ToolCallDelta(index=0, id="c", name="weather"), STOPPED, USED)

    assert b'{"message":{"content":"Let me see.","role":"assistant","tool_calls":[' in encode(
        ask_openai(**TOOLS), events
    )


def test_what_was_thought_stands_beside_the_answer(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        Reasoning(text="2 + "),
        Reasoning(text="2"),
        Delta(text="4"),
        STOPPED,
        Finished(usage=Usage(input_tokens=5, output_tokens=5, reasoning_tokens=3)),
    )

    assert encode(ask_openai(), events).decode() == body(
        '{"message":{"content":"4","reasoning_content":"2 + 2","role":"assistant"},"finish_reason":"stop","index":0,'
        '"logprobs":null}',
        '{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0},'
        '"completion_tokens_details":{"reasoning_tokens":3}}',
    )


def test_an_answer_that_was_to_be_thought_about_says_so_without_a_thought(ask_openai: Ask, encode: Encode) -> None:
    assert encode(ask_openai(enable_thinking=True), (STARTED, Delta(text="4"), STOPPED, USED)).decode() == body(
        '{"message":{"content":"4","reasoning_content":"","role":"assistant"},"finish_reason":"stop","index":0,'
        '"logprobs":null}',
        '{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0},'
        '"completion_tokens_details":{"reasoning_tokens":0}}',
    )


@pytest.mark.parametrize("vision", [True, False])
def test_a_thinker_that_sees_has_a_place_for_thoughts_in_every_answer(
    make_request: Callable[..., Request], cards: Cards, encode: Encode, vision: bool
) -> None:
    seer = replace(cards["qwen3-max"], capabilities=Capabilities(thinking=Thinking.HYBRID, vision=vision))
    request = make_request({"model": 'qwen-"plus"', "messages": [{"role": "user", "content": "Hi"}]})
    exchange = decode_chat_completion(request, {'qwen-"plus"': seer})
    place = '"reasoning_content":"",' if vision else ""

    assert encode(exchange, (STARTED, Delta(text="4"), STOPPED, USED)).decode() == body(
        f'{{"message":{{"content":"4",{place}"role":"assistant"}},"finish_reason":"stop","index":0,"logprobs":null}}',
        USAGE,
    )


def test_log_probabilities_of_all_pieces_stand_in_one_list(ask_openai: Ask, encode: Encode) -> None:
    events = (
        STARTED,
        Delta(text="a", logprobs=(TokenLogprob(token="a", logprob=-0.5, bytes=(97,)),)),
        Delta(text="b", logprobs=(TokenLogprob(token="b", logprob=-1.5, bytes=(98,)),)),
        STOPPED,
        USED,
    )

    assert encode(ask_openai(logprobs=True), events).decode() == body(
        '{"message":{"content":"ab","role":"assistant"},"finish_reason":"stop","index":0,"logprobs":{"content":['
        '{"token":"a","bytes":[97],"logprob":-0.5,"top_logprobs":[]},'
        '{"token":"b","bytes":[98],"logprob":-1.5,"top_logprobs":[]}]}}',
        USAGE,
    )


def test_an_empty_answer_has_an_empty_list_of_log_probabilities(ask_openai: Ask, encode: Encode) -> None:
    assert b'"logprobs":{"content":[]}' in encode(ask_openai(logprobs=True), (STARTED, STOPPED, USED))


@pytest.mark.parametrize("extra", [{"messages": IMAGE}, {}])
def test_tokens_of_images_are_told_apart(ask_openai: Ask, encode: Encode, extra: dict[str, Any]) -> None:
    usage = Usage(input_tokens=1185, output_tokens=12, image_tokens=1001, reasoning_tokens=2, cached_tokens=7)

    assert (
        '"usage":{"prompt_tokens":1185,"completion_tokens":12,"total_tokens":1197,"prompt_tokens_details":'
        '{"cached_tokens":7,"image_tokens":1001,"text_tokens":184},"completion_tokens_details":'
        '{"reasoning_tokens":2,"text_tokens":10}}'
    ) in encode(ask_openai(**extra), (STARTED, STOPPED, Finished(usage=usage))).decode()

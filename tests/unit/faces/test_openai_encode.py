"""Golden transcripts of the OpenAI face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from qwenport.core.errors import EngineFailed, KeyMissing, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.faces.face import Exchange, Request, StreamedAnswer, WholeAnswer
from qwenport.faces.openai.decode import decode_chat_completion

ID = "00000000-0000-9000-8000-000000000001"
TAIL = (
    '"object":"chat.completion.chunk","usage":null,"created":1767225600,"system_fingerprint":null,'
    f'"model":"qwen-\\"plus\\"","id":"chatcmpl-{ID}"}}\n\n'
)
EVENTS: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=22, cached_tokens=4),
    Delta(text="你好", tokens=1),
    Delta(text="", tokens=1),
    Delta(text=' "Ann"\n', tokens=3),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=22, output_tokens=6, cached_tokens=4)),
)
TWO_CHOICES: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=5),
    Delta(text="b", choice=1, tokens=1),
    Delta(text="a", choice=0, tokens=1),
    ChoiceFinished(reason=FinishReason.LENGTH, choice=1),
    Delta(text="A", choice=0, tokens=2),
    ChoiceFinished(reason=FinishReason.STOP, choice=0, tokens=1),
    Finished(usage=Usage(input_tokens=5, output_tokens=5)),
)


def chunk(delta: str, index: int = 0, reason: str = "null") -> str:
    return f'data: {{"choices":[{{"delta":{delta},"index":{index},"logprobs":null,"finish_reason":{reason}}}],{TAIL}'


@pytest.fixture
def ask(make_request: Callable[..., Request]) -> Callable[..., Exchange]:
    def decode(**extra: Any) -> Exchange:
        body = {"model": 'qwen-"plus"', "messages": [{"role": "user", "content": "Hi"}], **extra}
        return decode_chat_completion(make_request(body), {})

    return decode


Ask = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]


def test_a_whole_answer(ask: Ask) -> None:
    answer: WholeAnswer = ask().answer  # type: ignore[assignment]  # not streamed, so it is whole
    for event in EVENTS:
        answer.add(event)
    reply = answer.reply()

    assert (reply.status, reply.headers) == (200, ((b"content-type", b"application/json"),))
    assert reply.body.decode() == (
        '{"choices":[{"message":{"content":"你好 \\"Ann\\"\\n","role":"assistant"},"finish_reason":"stop","index":0,'
        '"logprobs":null}],"object":"chat.completion","usage":{"prompt_tokens":22,"completion_tokens":6,'
        '"total_tokens":28,"prompt_tokens_details":{"cached_tokens":4}},"created":1767225600,'
        f'"system_fingerprint":null,"model":"qwen-\\"plus\\"","id":"chatcmpl-{ID}"}}'
    )


def test_a_whole_answer_of_two_choices_is_in_the_order_of_their_index(ask: Ask, encode: Encode) -> None:
    assert encode(ask(n=2), TWO_CHOICES).decode() == (
        '{"choices":[{"message":{"content":"aA","role":"assistant"},"finish_reason":"stop","index":0,"logprobs":null},'
        '{"message":{"content":"b","role":"assistant"},"finish_reason":"length","index":1,"logprobs":null}],'
        '"object":"chat.completion","usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10,'
        '"prompt_tokens_details":{"cached_tokens":0}},"created":1767225600,"system_fingerprint":null,'
        f'"model":"qwen-\\"plus\\"","id":"chatcmpl-{ID}"}}'
    )


def test_a_whole_answer_without_text_is_an_empty_string(ask: Ask, encode: Encode) -> None:
    events = (
        Started(served_by="scripted/model", input_tokens=1),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
        Finished(usage=Usage(input_tokens=1, output_tokens=1)),
    )

    assert b'"message":{"content":"","role":"assistant"}' in encode(ask(), events)


def test_a_stream(ask: Ask, encode: Encode) -> None:
    exchange = ask(stream=True)

    assert isinstance(exchange.answer.headers, tuple)  # type: ignore[union-attr]  # streamed
    assert encode(exchange, EVENTS).decode() == (
        chunk('{"content":"","role":"assistant"}')
        + chunk('{"content":"你好"}')
        + chunk('{"content":" \\"Ann\\"\\n"}')
        + chunk('{"content":""}', reason='"stop"')
        + "data: [DONE]\n\n"
    )


def test_a_stream_of_two_choices(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True, n=2), TWO_CHOICES).decode() == (
        chunk('{"content":"","role":"assistant"}')
        + chunk('{"content":"","role":"assistant"}', 1)
        + chunk('{"content":"b"}', 1)
        + chunk('{"content":"a"}')
        + chunk('{"content":""}', 1, '"length"')
        + chunk('{"content":"A"}')
        + chunk('{"content":""}', 0, '"stop"')
        + "data: [DONE]\n\n"
    )


def test_usage_is_told_before_the_end_of_a_stream_that_asked_for_it(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True, stream_options={"include_usage": True}).answer  # type: ignore[assignment]  # streamed
    for event in EVENTS[:-1]:
        answer.frame(event)

    assert answer.frame(EVENTS[-1]).decode() == (
        'data: {"choices":[],"object":"chat.completion.chunk","usage":{"prompt_tokens":22,"completion_tokens":6,'
        '"total_tokens":28,"prompt_tokens_details":{"cached_tokens":4}},"created":1767225600,'
        f'"system_fingerprint":null,"model":"qwen-\\"plus\\"","id":"chatcmpl-{ID}"}}\n\ndata: [DONE]\n\n'
    )


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_usage_is_not_told_unasked(ask: Ask, options: dict[str, Any] | None) -> None:
    answer: StreamedAnswer = ask(stream=True, stream_options=options).answer  # type: ignore[assignment]  # streamed

    assert answer.frame(EVENTS[-1]) == b"data: [DONE]\n\n"


def test_a_stream_opens_as_server_sent_events(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed

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
def test_an_error_in_a_stream_is_wrapped_always(ask: Ask, error: EngineFailed, expected: str) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.failure(error).decode() == expected

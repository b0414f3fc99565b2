"""Golden transcripts of the native face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from qwenport.core.errors import EngineFailed, ModelUnavailable
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.face import Exchange, Request, StreamedAnswer, WholeAnswer

ID = "00000000-0000-9000-8000-000000000001"
EVENTS: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=22),
    Delta(text="你好", tokens=1),
    Delta(text="", tokens=1),
    Delta(text=' "Ann"\n', tokens=3),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=22, output_tokens=6)),
)
TWO_CHOICES: tuple[Event, ...] = (
    Started(served_by="scripted/model", input_tokens=5, cached_tokens=2),
    Delta(text="b", choice=1, tokens=1),
    Delta(text="a", choice=0, tokens=1),
    ChoiceFinished(reason=FinishReason.LENGTH, choice=1),
    Delta(text="A", choice=0, tokens=2),
    ChoiceFinished(reason=FinishReason.STOP, choice=0, tokens=1),
    Finished(usage=Usage(input_tokens=5, output_tokens=5, cached_tokens=2)),
)

Ask = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]


def frame(number: int, output: str, tokens: int, *, prompt: int = 22, details: str = "") -> str:
    return (
        f"id:{number}\nevent:result\n:HTTP_STATUS/200\n"
        f'data:{{"output":{output},"usage":{{"input_tokens":{prompt},"output_tokens":{tokens},'
        f'"total_tokens":{prompt + tokens}{details}}},"request_id":"{ID}"}}\n\n'
    )


def of_text(tokens: int) -> str:
    return f',"output_tokens_details":{{"text_tokens":{tokens}}}'


def text(content: str, reason: str = "null") -> str:
    return f'{{"text":"{content}","finish_reason":"{reason}"}}'


def message(content: str, reason: str = "null") -> str:
    return f'{{"choices":[{{"finish_reason":"{reason}","message":{{"role":"assistant","content":{content}}}}}]}}'


def indexed(index: int, content: str, reason: str = "null") -> str:
    return f'{{"finish_reason":"{reason}","index":{index},"message":{{"role":"assistant","content":{content}}}}}'


@pytest.fixture
def ask(make_request: Callable[..., Request]) -> Ask:
    def decode(*, multimodal: bool = False, stream: bool = False, **parameters: Any) -> Exchange:
        body = {"model": "m", "input": {"prompt": "Hi"}, "parameters": parameters}
        request = make_request(body, headers={"x-dashscope-sse": "enable"} if stream else {})
        return (decode_multimodal_generation if multimodal else decode_text_generation)(request, {})

    return decode


def test_a_whole_text(ask: Ask) -> None:
    answer: WholeAnswer = ask().answer  # type: ignore[assignment]  # not streamed, so it is whole
    for event in EVENTS:
        answer.add(event)
    reply = answer.reply()

    assert (reply.status, reply.headers) == (200, ((b"content-type", b"application/json"),))
    assert reply.body.decode() == (
        '{"output":{"text":"你好 \\"Ann\\"\\n","finish_reason":"stop"},'
        f'"usage":{{"input_tokens":22,"output_tokens":6,"total_tokens":28}},"request_id":"{ID}"}}'
    )


def test_a_whole_message(ask: Ask, encode: Encode) -> None:
    assert encode(ask(result_format="message"), EVENTS).decode() == (
        '{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"你好 \\"Ann\\"\\n"}}]},'
        f'"usage":{{"input_tokens":22,"output_tokens":6,"total_tokens":28}},"request_id":"{ID}"}}'
    )


def test_a_whole_multimodal_message(ask: Ask, encode: Encode) -> None:
    assert encode(ask(multimodal=True), EVENTS).decode() == (
        '{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant",'
        '"content":[{"text":"你好 \\"Ann\\"\\n"}]}}]},'
        f'"usage":{{"input_tokens":22,"output_tokens":6,"total_tokens":28{of_text(6)}}},"request_id":"{ID}"}}'
    )


@pytest.mark.parametrize("parameters", [{"n": 2}, {"n": 2, "result_format": "message"}])
def test_two_whole_choices_carry_their_index(ask: Ask, encode: Encode, parameters: dict[str, Any]) -> None:
    assert encode(ask(**parameters), TWO_CHOICES).decode() == (
        '{"output":{"choices":[' + indexed(0, '"aA"', "stop") + "," + indexed(1, '"b"', "length") + "]},"
        '"usage":{"input_tokens":5,"output_tokens":5,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":2}},'
        f'"request_id":"{ID}"}}'
    )


def test_a_stream_repeats_the_text_so_far_unless_told_otherwise(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True), EVENTS).decode() == (
        frame(1, text("你好"), 1)
        + frame(2, text('你好 \\"Ann\\"\\n'), 5)
        + frame(3, text('你好 \\"Ann\\"\\n', "stop"), 6)
    )


def test_an_incremental_stream_holds_only_what_is_new(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True, incremental_output=True), EVENTS).decode() == (
        frame(1, text("你好"), 1) + frame(2, text(' \\"Ann\\"\\n'), 5) + frame(3, text("", "stop"), 6)
    )


def test_a_stream_of_messages(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True, result_format="message"), EVENTS).decode() == (
        frame(1, message('"你好"'), 1)
        + frame(2, message('"你好 \\"Ann\\"\\n"'), 5)
        + frame(3, message('"你好 \\"Ann\\"\\n"', "stop"), 6)
    )


def test_an_incremental_stream_of_messages(ask: Ask, encode: Encode) -> None:
    assert encode(ask(stream=True, result_format="message", incremental_output=True), EVENTS).decode() == (
        frame(1, message('"你好"'), 1) + frame(2, message('" \\"Ann\\"\\n"'), 5) + frame(3, message('""', "stop"), 6)
    )


@pytest.mark.parametrize(
    ("incremental", "second", "last"),
    [(False, '你好 \\"Ann\\"\\n', '你好 \\"Ann\\"\\n'), (True, ' \\"Ann\\"\\n', "")],
)
def test_a_multimodal_stream_keeps_its_parts_to_the_end(
    ask: Ask, encode: Encode, incremental: bool, second: str, last: str
) -> None:
    assert encode(ask(stream=True, multimodal=True, incremental_output=incremental), EVENTS).decode() == (
        frame(1, message('[{"text":"你好"}]'), 1, details=of_text(1))
        + frame(2, message(f'[{{"text":"{second}"}}]'), 5, details=of_text(5))
        + frame(3, message(f'[{{"text":"{last}"}}]', "stop"), 6, details=of_text(6))
    )


def test_each_frame_of_two_choices_tells_one_of_them_and_its_own_tokens(ask: Ask, encode: Encode) -> None:
    cached = ',"prompt_tokens_details":{"cached_tokens":2}'

    def one(number: int, choice: str, tokens: int) -> str:
        return frame(number, f'{{"choices":[{choice}]}}', tokens, prompt=5, details=cached)

    assert encode(ask(stream=True, n=2), TWO_CHOICES).decode() == (
        one(1, indexed(1, '"b"'), 1)
        + one(2, indexed(0, '"a"'), 1)
        + one(3, indexed(1, '"b"', "length"), 1)
        + one(4, indexed(0, '"aA"'), 3)
        + one(5, indexed(0, '"aA"', "stop"), 4)
    )


def test_a_stream_opens_as_server_sent_events(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.headers == ((b"content-type", b"text/event-stream;charset=UTF-8"),)


def test_an_error_in_a_stream_is_its_last_frame_with_the_errors_own_status(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed
    answer.frame(EVENTS[0])
    answer.frame(EVENTS[1])

    assert answer.failure(EngineFailed("the engine broke off")).decode() == (
        "id:2\nevent:error\n:HTTP_STATUS/500\n"
        f'data:{{"code":"InternalError","message":"the engine broke off","request_id":"{ID}"}}\n\n'
    )


def test_an_error_before_anything_was_said_is_the_first_frame(ask: Ask) -> None:
    answer: StreamedAnswer = ask(stream=True).answer  # type: ignore[assignment]  # streamed

    assert answer.failure(ModelUnavailable("loading")).decode() == (
        "id:1\nevent:error\n:HTTP_STATUS/503\n"
        'data:{"code":"ModelUnavailable","message":"Model is unavailable, please try again later. (loading)",'
        f'"request_id":"{ID}"}}\n\n'
    )

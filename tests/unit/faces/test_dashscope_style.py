"""How native answers look: by the caller's word, else by the model card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.errors import ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.face import Cards, Exchange, Request

MakeRequest = Callable[..., Request]
Encode = Callable[..., bytes]
INPUT: dict[str, Any] = {"prompt": "Hello"}
SSE = {"x-dashscope-sse": "enable"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
EVENTS = (
    Started(served_by="scripted/model", input_tokens=1),
    Delta(text="Hi"),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=1, output_tokens=1)),
)
TEXT = b'{"output":{"text":"Hi",'
MESSAGE = b'{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Hi"}}]}'
PARTS = b'{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":[{"text":"Hi"}]}}]}'


@pytest.fixture
def thinking_cards(cards: Cards) -> Cards:
    card = cards["qwen-turbo"]
    return {
        "qwen-turbo": card,
        "hybrid": replace(card, capabilities=Capabilities(thinking=Thinking.HYBRID)),
        "by_default": replace(card, capabilities=Capabilities(thinking=Thinking.HYBRID, thinks_by_default=True)),
        "always": replace(card, capabilities=Capabilities(thinking=Thinking.ALWAYS)),
    }


def raise_refusal(exchange: Exchange) -> None:
    """Raise what the call is refused for once the model is known."""
    if exchange.call.refusal is not None:
        raise exchange.call.refusal


@pytest.mark.parametrize(
    ("model", "parameters", "start"),
    [
        ("qwen-turbo", {}, TEXT),
        ("qwen-turbo", {"result_format": None}, TEXT),
        ("qwen-turbo", {"result_format": "message"}, MESSAGE),
        ("qwen3-max", {}, MESSAGE),
        ("qwen3-max", {"result_format": "text"}, TEXT),
        ("unheard-of", {}, TEXT),
    ],
)
def test_the_format_is_the_callers_else_the_models(  # noqa: PLR0917 - the columns of the table above
    make_request: MakeRequest, encode: Encode, cards: Cards, model: str, parameters: dict[str, Any], start: bytes
) -> None:
    request = make_request({"model": model, "input": INPUT, "parameters": parameters})

    assert encode(decode_text_generation(request, cards), EVENTS).startswith(start)


@pytest.mark.parametrize("parameters", [{}, {"result_format": "text"}, {"result_format": "message"}])
def test_a_multimodal_answer_is_always_a_list_of_parts(
    make_request: MakeRequest, encode: Encode, cards: Cards, parameters: dict[str, Any]
) -> None:
    request = make_request({"model": "qwen-turbo", "input": INPUT, "parameters": parameters})
    exchange = decode_multimodal_generation(request, cards)

    assert exchange.call.operation == "multimodal-generation"
    assert encode(exchange, EVENTS).startswith(PARTS)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("qwen-turbo", {"n": 2}),
        ("qwen-turbo", {"tools": [WEATHER]}),
        ("qwen-turbo", {"logprobs": True}),
        ("hybrid", {"enable_thinking": True}),
    ],
)
def test_an_answer_that_does_not_fit_into_a_text_is_a_message(
    make_request: MakeRequest, encode: Encode, thinking_cards: Cards, model: str, parameters: dict[str, Any]
) -> None:
    request = make_request({"model": model, "input": INPUT, "parameters": parameters})

    assert encode(decode_text_generation(request, thinking_cards), EVENTS).startswith(b'{"output":{"choices":[')


@pytest.mark.parametrize(
    ("model", "parameters", "words"),
    [
        ("m", {"result_format": "xml"}, "'xml' is not one of ['text', 'message'] - 'result_format'"),
        ("m", {"result_format": 1}, "'result_format' must be String"),
        ("m", {"n": 2}, 'The result_format parameter must be "message" when n is greater than 1'),
        ("m", {"tools": [WEATHER]}, 'The result_format parameter must be "message" when tools are given'),
        ("m", {"logprobs": True}, 'The result_format parameter must be "message" when logprobs is true'),
        (
            "hybrid",
            {"enable_thinking": True},
            'The result_format parameter must be "message" when enable_thinking is true',
        ),
        ("always", {}, 'The result_format parameter must be "message" when enable_thinking is true'),
    ],
)
def test_a_format_that_cannot_be_kept_is_refused(
    make_request: MakeRequest, thinking_cards: Cards, model: str, parameters: dict[str, Any], words: str
) -> None:
    body = {"model": model, "input": INPUT, "parameters": {"result_format": "text"} | parameters}

    with pytest.raises(ParameterInvalid) as caught:
        raise_refusal(decode_text_generation(make_request(body), thinking_cards))

    assert (caught.value.parameter, caught.value.message) == ("result_format", words)


@pytest.mark.parametrize("decode", [decode_text_generation, decode_multimodal_generation])
@pytest.mark.parametrize(
    ("model", "parameters", "streams", "is_refused"),
    [
        ("hybrid", {"enable_thinking": True}, True, True),
        ("by_default", {}, True, True),
        ("always", {}, True, True),
        ("hybrid", {"enable_thinking": False}, True, False),
        ("by_default", {"enable_thinking": False}, True, False),
        ("hybrid", {}, True, False),
        ("qwen-turbo", {"enable_thinking": True}, True, False),
        ("hybrid", {"enable_thinking": True}, False, False),
    ],
)
def test_thinking_is_not_repeated_in_a_stream(  # noqa: PLR0917 - the columns of the table above
    make_request: MakeRequest,
    thinking_cards: Cards,
    decode: Callable[[Request, Cards], Exchange],
    model: str,
    parameters: dict[str, Any],
    streams: bool,
    is_refused: bool,
) -> None:
    body = {"model": model, "input": INPUT, "parameters": {"incremental_output": False} | parameters}
    refusal = decode(make_request(body, headers=SSE if streams else {}), thinking_cards).call.refusal

    words = 'The incremental_output parameter must be "true" when enable_thinking is true'
    assert (refusal.message if refusal is not None else None) == (words if is_refused else None)


@pytest.mark.parametrize(
    ("model", "parameters", "last"),
    [
        ("qwen-turbo", {}, "Hi"),
        ("qwen-turbo", {"incremental_output": None}, "Hi"),
        ("qwen-turbo", {"incremental_output": False}, "Hi"),
        ("qwen-turbo", {"incremental_output": True}, ""),
        ("hybrid", {"enable_thinking": True}, "Hi"),
        ("always", {}, ""),
    ],
)
def test_frames_repeat_the_answer_unless_the_caller_or_the_model_has_it_otherwise(  # noqa: PLR0917 - a table's columns
    make_request: MakeRequest,
    encode: Encode,
    thinking_cards: Cards,
    model: str,
    parameters: dict[str, Any],
    last: str,
) -> None:
    request = make_request({"model": model, "input": INPUT, "parameters": parameters}, headers=SSE)
    frames = encode(decode_multimodal_generation(request, thinking_cards), EVENTS).decode().split("\n\n")

    assert f'[{{"text":"{last}"}}]' in frames[-2]

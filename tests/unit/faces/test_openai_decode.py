from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenport.core.call import Call, JsonSchema, Message, Role, Sampling
from qwenport.core.errors import BodyNotJson, ModelMissing, ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.faces.face import Exchange, Request
from qwenport.faces.openai.decode import decode_chat_completion
from qwenport.faces.openai.encode import StreamedCompletion, WholeCompletion

MakeRequest = Callable[..., Request]
HELLO = {"role": "user", "content": "Hello"}


def test_a_full_body_becomes_a_call(make_request: MakeRequest) -> None:
    body = {
        "model": "qwen-plus",
        "messages": [{"role": "developer", "content": "Be brief."}, HELLO],
        "temperature": 0.5,
        "top_p": 1,
        "n": 2,
        "seed": 7,
        "max_completion_tokens": 9,
        "presence_penalty": 1.5,
        "stop": "END",
        "top_k": 5,
        "repetition_penalty": 1.1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "row", "schema": {}}},
        "frequency_penalty": "ignored",
    }

    exchange = decode_chat_completion(make_request(body), {})

    assert exchange.call == Call(
        id=RequestId("00000000-0000-9000-8000-000000000001"),
        face="openai",
        operation="chat.completions",
        model="qwen-plus",
        messages=(Message(role=Role.SYSTEM, content="Be brief."), Message(role=Role.USER, content="Hello")),
        sampling=Sampling(
            temperature=0.5,
            top_p=1.0,
            top_k=5,
            repetition_penalty=1.1,
            presence_penalty=1.5,
            seed=7,
            max_tokens=9,
            stop=("END",),
            choices=2,
        ),
        json=JsonSchema(name="row", schema=b"{}"),
        streams=True,
    )


def raise_refusal(exchange: Exchange) -> None:
    """Raise what the call is refused for once the model is known."""
    if exchange.call.refusal is not None:
        raise exchange.call.refusal


@pytest.mark.parametrize(
    ("extra", "streams", "encoder"),
    [
        ({}, False, WholeCompletion),
        ({"stream": None}, False, WholeCompletion),
        ({"stream": False, "stream_options": {"include_usage": True}}, False, WholeCompletion),
        ({"stream": True}, True, StreamedCompletion),
    ],
)
def test_the_body_says_whether_the_answer_streams(
    make_request: MakeRequest, extra: dict[str, Any], streams: bool, encoder: type
) -> None:
    exchange = decode_chat_completion(make_request({"model": "m", "messages": [HELLO], **extra}), {})

    assert (exchange.call.streams, type(exchange.answer)) == (streams, encoder)


def test_the_native_stream_header_means_nothing_here(make_request: MakeRequest) -> None:
    request = make_request({"model": "m", "messages": [HELLO]}, headers={"x-dashscope-sse": "enable"})

    assert decode_chat_completion(request, {}).call.streams is False


@pytest.mark.parametrize("model", [{}, {"model": None}, {"model": ""}])
def test_a_body_without_a_model_is_refused(make_request: MakeRequest, model: dict[str, Any]) -> None:
    with pytest.raises(ModelMissing):
        decode_chat_completion(make_request({**model, "messages": [HELLO]}), {})


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ({}, "'messages' is a required property"),
        ({"messages": None}, "'messages' is a required property"),
        ({"messages": []}, "[] is too short - 'messages'"),
        ({"messages": "Hello"}, "'messages' must be Array"),
    ],
)
def test_a_body_without_messages_is_refused(make_request: MakeRequest, messages: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        raise_refusal(decode_chat_completion(make_request({"model": "m", **messages}), {}))

    assert (caught.value.parameter, caught.value.message) == ("messages", words)


def test_a_body_that_is_no_object_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(BodyNotJson):
        decode_chat_completion(make_request(b"[1]"), {})

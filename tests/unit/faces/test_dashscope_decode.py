from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenport.core.call import AnyJson, Call, Message, Role, Sampling
from qwenport.core.errors import AsynchronousRefused, BodyNotJson, InputMissing, ModelMissing, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.dashscope.encode import StreamedGeneration, WholeGeneration
from qwenport.faces.face import Cards, Exchange, Request

MakeRequest = Callable[..., Request]
Encode = Callable[..., bytes]
HELLO = {"role": "user", "content": "Hello"}
INPUT: dict[str, Any] = {"messages": [HELLO]}
EVENTS = (
    Started(served_by="scripted/model", input_tokens=1),
    Delta(text="Hi"),
    ChoiceFinished(reason=FinishReason.STOP),
    Finished(usage=Usage(input_tokens=1, output_tokens=1)),
)
TEXT = b'{"output":{"text":"Hi",'
MESSAGE = b'{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Hi"}}]}'
PARTS = b'{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":[{"text":"Hi"}]}}]}'


def user(content: str) -> Message:
    return Message(role=Role.USER, content=content)


def test_a_full_body_becomes_a_call(make_request: MakeRequest) -> None:
    body = {
        "model": "qwen-plus",
        "input": INPUT,
        "parameters": {
            "result_format": "message",
            "incremental_output": True,
            "temperature": 0.5,
            "top_p": 1,
            "top_k": 101,
            "repetition_penalty": 1.1,
            "presence_penalty": -1,
            "max_tokens": 5,
            "seed": 3,
            "stop": ["a"],
            "n": 2,
            "response_format": {"type": "json_object"},
            "enable_search": True,
        },
        "resources": [],
    }

    exchange = decode_text_generation(make_request(body), {})

    assert exchange.call == Call(
        id=RequestId("00000000-0000-9000-8000-000000000001"),
        face="dashscope",
        operation="text-generation",
        model="qwen-plus",
        messages=(user("Hello"),),
        sampling=Sampling(
            temperature=0.5,
            top_p=1.0,
            top_k=0,
            repetition_penalty=1.1,
            presence_penalty=-1.0,
            max_tokens=5,
            seed=3,
            stop=("a",),
            choices=2,
        ),
        json=AnyJson(),
        streams=False,
    )


def raise_refusal(exchange: Exchange) -> None:
    """Raise what the call is refused for once the model is known."""
    if exchange.call.refusal is not None:
        raise exchange.call.refusal


@pytest.mark.parametrize("decode", [decode_text_generation, decode_multimodal_generation])
def test_both_services_take_strings_and_parts(
    make_request: MakeRequest, decode: Callable[[Request, Cards], Exchange]
) -> None:
    messages = [HELLO, {"role": "user", "content": [{"text": "An"}, {"type": "text", "text": "n"}]}]

    call = decode(make_request({"model": "m", "input": {"messages": messages}, "parameters": None}), {}).call

    assert call.messages == (user("Hello"), user("Ann"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt": "Hi"}, (user("Hi"),)),
        ({"prompt": "Hi", "messages": None, "history": None}, (user("Hi"),)),
        ({"prompt": "Hi", "messages": []}, (user("Hi"),)),
        ({"prompt": "Hi", "messages": [HELLO]}, (user("Hello"), user("Hi"))),
        (
            {"prompt": "Hi", "history": [{"user": "a", "bot": "b"}, {"user": "c"}, {"bot": ""}]},
            (user("a"), Message(role=Role.ASSISTANT, content="b"), user("c"), user("Hi")),
        ),
        ({"prompt": "Hi", "messages": [HELLO], "history": [{"user": "a"}]}, (user("Hello"), user("Hi"))),
    ],
)
def test_a_prompt_is_the_last_thing_the_user_says(
    make_request: MakeRequest, given: dict[str, Any], expected: tuple[Message, ...]
) -> None:
    call = decode_text_generation(make_request({"model": "m", "input": given}), {}).call

    assert call.messages == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, 'Either "prompt" or "messages" must exist and cannot both be none'),
        (
            {"prompt": None, "history": [{"user": "a"}]},
            'Either "prompt" or "messages" must exist and cannot both be none',
        ),
        ({"messages": []}, "[] is too short - 'messages'"),
        ({"prompt": ""}, "Role must be user or assistant and Content length must be greater than 0"),
        ({"messages": [{"role": "user", "content": 5}]}, "input content must be a string."),
        (
            {"messages": [{"role": "user", "content": [{"image": "a"}]}]},
            (
                "Unexpected item type in content: 'image' is not served by this model, only text is"
                " - 'messages[0].content[0]'"
            ),
        ),
    ],
)
def test_an_input_that_says_nothing_is_refused(make_request: MakeRequest, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        raise_refusal(decode_text_generation(make_request({"model": "m", "input": given}), {}))

    assert (caught.value.parameter, caught.value.message) == ("messages", words)


@pytest.mark.parametrize("given", [{}, {"input": None}])
def test_a_body_without_input_is_refused(make_request: MakeRequest, given: dict[str, Any]) -> None:
    with pytest.raises(InputMissing):
        decode_text_generation(make_request({"model": "m", **given}), {})


@pytest.mark.parametrize("given", [{}, {"model": None}, {"model": ""}])
def test_a_body_without_a_model_is_refused(make_request: MakeRequest, given: dict[str, Any]) -> None:
    with pytest.raises(ModelMissing):
        decode_text_generation(make_request({"input": INPUT, **given}), {})


def test_a_body_that_is_no_object_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(BodyNotJson):
        decode_text_generation(make_request(b"nothing"), {})


@pytest.mark.parametrize("decode", [decode_text_generation, decode_multimodal_generation])
def test_an_asynchronous_task_is_refused(
    make_request: MakeRequest, decode: Callable[[Request, Cards], Exchange]
) -> None:
    request = make_request({"model": "m", "input": INPUT}, headers={"x-dashscope-async": "Enable"})

    with pytest.raises(AsynchronousRefused):
        decode(request, {})


@pytest.mark.parametrize(
    ("headers", "body", "streams"),
    [
        ({}, {}, False),
        ({"x-dashscope-sse": "enable"}, {}, True),
        ({"x-dashscope-sse": "ENABLE"}, {}, True),
        ({"x-dashscope-sse": "disable", "x-dashscope-async": "disable"}, {}, False),
        ({"accept": "text/event-stream"}, {"stream": True}, False),
    ],
)
def test_one_header_alone_makes_it_stream(
    make_request: MakeRequest, headers: dict[str, str], body: dict[str, Any], streams: bool
) -> None:
    exchange = decode_text_generation(make_request({"model": "m", "input": INPUT, **body}, headers=headers), {})

    encoder = StreamedGeneration if streams else WholeGeneration
    assert (exchange.call.streams, type(exchange.answer)) == (streams, encoder)


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
    ("parameters", "words"),
    [
        ({"result_format": "xml"}, "'xml' is not one of ['text', 'message'] - 'result_format'"),
        (
            {"result_format": "text", "n": 2},
            'The result_format parameter must be "message" when n is greater than 1',
        ),
        ({"result_format": 1}, "'result_format' must be String"),
    ],
)
def test_a_format_that_cannot_be_kept_is_refused(
    make_request: MakeRequest, parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        raise_refusal(
            decode_text_generation(make_request({"model": "m", "input": INPUT, "parameters": parameters}), {})
        )

    assert (caught.value.parameter, caught.value.message) == ("result_format", words)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwenport.core.call import AnyJson, Call, ChatInput, Sampling
from qwenport.core.content import ImagePart, Message, Role, TextPart
from qwenport.core.errors import AsynchronousRefused, BodyNotJson, InputMissing, ModelMissing, ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.core.tools import Tool, ToolCall, ToolChoice, ToolUse
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.dashscope.encode import StreamedGeneration, WholeGeneration
from qwenport.faces.face import Cards, Exchange, Request

MakeRequest = Callable[..., Request]
HELLO = {"role": "user", "content": "Hello"}
INPUT: dict[str, Any] = {"messages": [HELLO]}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def user(content: str) -> Message:
    return Message(role=Role.USER, content=content)


def chat_of(exchange: Exchange) -> ChatInput:
    assert isinstance(exchange.call.input, ChatInput)
    return exchange.call.input


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
            "max_completion_tokens": 9,
            "logprobs": True,
            "top_logprobs": 2,
            "response_format": {"type": "json_object"},
            "tools": [WEATHER],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "parallel_tool_calls": True,
            "enable_thinking": False,
            "thinking_budget": 7,
            "vl_high_resolution_images": True,
            "vl_enable_image_hw_output": False,
            "ocr_options": None,
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
        input=ChatInput(
            messages=(user("Hello"),),
            tools=(Tool(name="weather", parameters=b'{"type": "object"}'),),
            tool_choice=ToolChoice(use=ToolUse.NAMED, name="weather"),
            parallel_tool_calls=True,
            json=AnyJson(),
            thinking=False,
            thinking_budget=7,
            high_resolution=True,
        ),
        sampling=Sampling(
            temperature=0.5,
            top_p=1.0,
            top_k=0,
            repetition_penalty=1.1,
            presence_penalty=-1.0,
            max_tokens=5,
            seed=3,
            stop=("a",),
            max_completion_tokens=9,
            logprobs=2,
            choices=2,
        ),
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

    exchange = decode(make_request({"model": "m", "input": {"messages": messages}, "parameters": None}), {})

    assert chat_of(exchange).messages == (user("Hello"), user("Ann"))


@pytest.mark.parametrize("decode", [decode_text_generation, decode_multimodal_generation])
def test_a_whole_conversation_is_understood(
    make_request: MakeRequest, decode: Callable[[Request, Cards], Exchange]
) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": [{"image": "oss://a", "max_pixels": 9}, {"text": "What is this?"}]},
        {"role": "assistant", "content": "", "reasoning_content": "Hm.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "assistant", "content": "It is", "partial": True},
    ]

    exchange = decode(make_request({"model": "m", "input": {"messages": messages}}), {})

    assert chat_of(exchange).messages == (
        Message(role=Role.USER, content=(ImagePart(url="oss://a", max_pixels=9), TextPart(text="What is this?"))),
        Message(
            role=Role.ASSISTANT, reasoning="Hm.", tool_calls=(ToolCall(id="call_1", name="weather", arguments="{}"),)
        ),
        Message(role=Role.TOOL, content="rain", tool_call_id="call_1"),
        Message(role=Role.ASSISTANT, content="It is", is_partial=True),
    )


@pytest.mark.parametrize(("headers", "resolves"), [({}, False), ({"x-dashscope-ossresourceresolve": "enable"}, True)])
def test_uploads_are_looked_up_where_a_header_allows_it(
    make_request: MakeRequest, headers: dict[str, str], resolves: bool
) -> None:
    exchange = decode_multimodal_generation(make_request({"model": "m", "input": INPUT}, headers=headers), {})

    assert exchange.call.resolves_uploads is resolves


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt": "Hi"}, (user("Hi"),)),
        ({"prompt": "Hi", "messages": None, "history": None}, (user("Hi"),)),
        ({"prompt": "Hi", "messages": []}, (user("Hi"),)),
        ({"prompt": "", "messages": [HELLO]}, (user("Hello"),)),
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
    exchange = decode_text_generation(make_request({"model": "m", "input": given}), {})

    assert chat_of(exchange).messages == expected


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
            {"prompt": "", "history": [{"user": "a"}]},
            "Role must be user or assistant and Content length must be greater than 0",
        ),
        (
            {"prompt": "Hi", "messages": [{"role": "assistant", "content": "It is", "partial": True}]},
            "'messages[0].partial' can be true on the last message only, and only of the assistant",
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


@pytest.mark.parametrize("decode", [decode_text_generation, decode_multimodal_generation])
def test_an_encrypted_call_is_refused_by_name(
    make_request: MakeRequest, decode: Callable[[Request, Cards], Exchange]
) -> None:
    request = make_request({"model": "m", "input": "c2VjcmV0"}, headers={"x-dashscope-encryptionkey": "{}"})

    with pytest.raises(ParameterInvalid, match="Encrypted calls are not supported"):
        decode(request, {})


def test_what_would_change_the_shape_of_the_answer_is_refused_by_name(make_request: MakeRequest) -> None:
    body = {"model": "m", "input": INPUT, "parameters": {"vl_enable_image_hw_output": True}}

    with pytest.raises(ParameterInvalid) as caught:
        raise_refusal(decode_multimodal_generation(make_request(body), {}))
    assert (caught.value.parameter, caught.value.message) == (
        "vl_enable_image_hw_output",
        "The vl_enable_image_hw_output parameter is not supported by this model.",
    )


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


def test_the_first_thing_that_is_wrong_is_said(make_request: MakeRequest) -> None:
    body = {"model": "m", "input": {"messages": []}, "parameters": {"result_format": "xml"}}

    with pytest.raises(ParameterInvalid, match="too short"):
        raise_refusal(decode_text_generation(make_request(body), {}))

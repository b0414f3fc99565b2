from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from qwenport.core.call import Call, ChatInput, JsonSchema, Sampling
from qwenport.core.content import ImagePart, Message, Role, TextPart
from qwenport.core.errors import BodyNotJson, ModelMissing, ParameterInvalid, Refused
from qwenport.core.ids import RequestId
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.faces.face import Exchange, Request
from qwenport.faces.messages import WireMessage
from qwenport.faces.openai.decode import decode_chat_completion
from qwenport.faces.openai.encode import WholeCompletion
from qwenport.faces.openai.schema import ChatCompletionRequest
from qwenport.faces.openai.stream import StreamedCompletion
from qwenport.faces.parts import WirePart

MakeRequest = Callable[..., Request]
HELLO = {"role": "user", "content": "Hello"}
PART_FIELDS = [*WirePart.__struct_fields__, "url"]
MESSAGE_FIELDS = [*WireMessage.__struct_fields__[1:], "id", "function", "name", "arguments"]
ROLES = ["system", "user", "assistant", "tool", "robot"]
WORDS = ["text", "image_url", "function", "auto", "required", "search", "json_schema", "fileid://a", *ROLES]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(WORDS)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PART_FIELDS + MESSAGE_FIELDS), inner),
    max_leaves=12,
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(ROLES)}, optional=dict.fromkeys(MESSAGE_FIELDS, JSON)),
    max_size=3,
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": MESSAGES | JSON},
    optional={field: JSON for field in ChatCompletionRequest.__struct_fields__ if field not in {"model", "messages"}},
)


def test_a_full_body_becomes_a_call(make_request: MakeRequest) -> None:
    body = {
        "model": "qwen-plus",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": "oss://a"}],
            },
        ],
        "temperature": 0.5,
        "top_p": 1,
        "n": 2,
        "seed": 7,
        "max_tokens": 8,
        "max_completion_tokens": 9,
        "logprobs": True,
        "top_logprobs": 2,
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": "required",
        "parallel_tool_calls": True,
        "enable_thinking": True,
        "thinking_budget": 5,
        "vl_high_resolution_images": True,
        "presence_penalty": 1.5,
        "stop": "END",
        "top_k": 5,
        "repetition_penalty": 1.1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "row", "schema": {}}},
        "frequency_penalty": "ignored",
    }

    request = make_request(body, headers={"x-dashscope-ossresourceresolve": "Enable"})

    assert decode_chat_completion(request, {}).call == Call(
        id=RequestId("00000000-0000-9000-8000-000000000001"),
        face="openai",
        operation="chat.completions",
        model="qwen-plus",
        input=ChatInput(
            messages=(
                Message(role=Role.SYSTEM, content="Be brief."),
                Message(role=Role.USER, content=(TextPart(text="See"), ImagePart(url="oss://a"))),
            ),
            tools=(Tool(name="f"),),
            tool_choice=ToolChoice(use=ToolUse.REQUIRED),
            parallel_tool_calls=True,
            json=JsonSchema(name="row", schema=b"{}"),
            thinking=True,
            thinking_budget=5,
            high_resolution=True,
        ),
        sampling=Sampling(
            temperature=0.5,
            top_p=1.0,
            top_k=5,
            repetition_penalty=1.1,
            presence_penalty=1.5,
            seed=7,
            max_tokens=8,
            max_completion_tokens=9,
            stop=("END",),
            choices=2,
            logprobs=2,
        ),
        streams=True,
        resolves_uploads=True,
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


def test_uploads_are_resolved_only_where_the_header_says_so(make_request: MakeRequest) -> None:
    request = make_request({"model": "m", "messages": [HELLO]}, headers={"x-dashscope-ossresourceresolve": "no"})

    assert decode_chat_completion(request, {}).call.resolves_uploads is False


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


@pytest.mark.parametrize(
    ("extra", "parameter"),
    [
        ({"tools": []}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"top_logprobs": 1}, "top_logprobs"),
        ({"stop": ["a", 1]}, "stop"),
        ({"response_format": {}}, "response_format"),
    ],
)
def test_what_is_wrong_with_the_content_is_left_in_the_call(
    make_request: MakeRequest, extra: dict[str, Any], parameter: str
) -> None:
    call = decode_chat_completion(make_request({"model": "m", "messages": [HELLO], **extra}), {}).call

    assert call.refusal is not None
    assert (call.refusal.parameter, call.input) == (parameter, ChatInput(messages=()))


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"temperature": "0.5"}, "'temperature' must be Float"),
        ({"seed": "1"}, "'seed' must be Integer"),
        ({"tools": "f"}, "'tools' must be Array"),
        ({"tools": [{"function": {"name": 5}}]}, "'tools[0].function.name' must be String"),
        ({"tool_choice": 1}, "'tool_choice' must be String or Object"),
        ({"logprobs": 1}, "'logprobs' must be Boolean"),
        ({"thinking_budget": "much"}, "'thinking_budget' must be Integer"),
        ({"messages": [{"role": "user", "content": 5}]}, "input content must be a string."),
        (
            {"messages": [{"role": "user", "content": [{"image_url": 5}]}]},
            "'messages[0].content[0].image_url' must be String or Object",
        ),
    ],
)
def test_a_field_of_a_wrong_type_is_refused_in_words(
    make_request: MakeRequest, extra: dict[str, Any], words: str
) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        decode_chat_completion(make_request({"model": "m", "messages": [HELLO], **extra}), {})

    assert caught.value.message == words


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"\\udc00\\ud800"}]}',
        b'{"model":"m","messages":[],"tools":[{"function":{"name":"\\udfff"}}]}',
        b'{"model":"m","messages":[],"tools":[{"function":{"name":"f","parameters":{"title":"\\ud800"}}}]}',
        b'{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"schema":{"a":"\\ud800"}}}}',
    ],
)
def test_a_lone_surrogate_is_no_json(make_request: MakeRequest, body: bytes) -> None:
    with pytest.raises(BodyNotJson):
        decode_chat_completion(make_request(body), {})


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES)
def test_any_body_is_a_call_or_a_refusal_that_can_be_said(make_request: MakeRequest, body: dict[str, Any]) -> None:
    try:
        call = decode_chat_completion(make_request(body), {}).call
    except Refused as refused:
        said = refused.message
    else:
        said = call.refusal.message if call.refusal is not None else encode(call).decode()

    assert said.encode()

"""What every face keeps, whatever protocol it speaks."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qwenport.core.errors as tree
from qwenport.core.call import Call, ChatInput, EmbeddingInput, NativeInput, PromptInput, RerankInput, Sampling
from qwenport.core.content import Message, Role
from qwenport.core.errors import BodyNotJson, QwenportError, Refused
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.face import (
    CallOperation,
    Exchange,
    Face,
    LookupOperation,
    Operation,
    QueryOperation,
    Request,
    UploadOperation,
)
from qwenport.faces.registry import FACES
from qwenport.testing.plain_call import PlainCall, every_plain_call

ID = RequestId("00000000-0000-9000-8000-000000000001")
OPERATIONS = [(face, operation) for face in FACES for operation in face.operations]
CALLS = [call for call in every_plain_call(FACES) if not call.streams]
CHATS = [call for call in CALLS if call.operation.name in {"chat.completions", "text-generation", "messages"}]
MODEL_LOOKUPS = [
    operation
    for _, operation in OPERATIONS
    if isinstance(operation, LookupOperation) and operation.name.startswith("models.")
]

CARD = ModelCard(
    name="qwen-turbo",
    description="Fast.",
    family="qwen-turbo",
    released=date(2024, 9, 19),
    context_tokens=1000,
    max_input_tokens=1000,
    max_output_tokens=100,
)

FIELDS = st.sampled_from(
    [
        *("model", "messages", "input", "parameters", "prompt", "history", "user", "bot", "role", "content", "text"),
        *("type", "image_url", "stream", "stream_options", "include_usage", "n", "seed", "stop", "temperature"),
        *("top_k", "tools", "logprobs", "enable_thinking", "response_format", "json_schema", "schema", "name"),
        *("result_format", "incremental_output", "max_tokens", "modalities", "partial", "tool_calls", "strict"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=5)
    | st.sampled_from(["user", "system", "assistant", "tool", "text", "json_schema", "message", "qwen-turbo"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)
GARBAGE = [
    b"",
    b"\x00",
    b"null",
    b"true",
    b"[]",
    b"{",
    b"}",
    b'"text"',
    b"1",
    b"NaN",
    b'{"model":NaN}',
    b'{"model":"\\ud800"}',
    b'{"model":"\xff"}',
    b'{"unknown":"\xff"}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"unknown":' + b"[" * 100_000,
    b'{"messages":[{"content":[{"unknown":' + b"[" * 100_000,
]


def make_request(body: bytes = b"", path_parameters: Mapping[str, str] | None = None) -> Request:
    return Request(
        id=ID,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        headers={},
        query={},
        path_parameters=path_parameters or {},
        body=body,
    )


def good_body(call: PlainCall, **extra: Any) -> bytes:
    """Return a body of the call with further fields, wherever the envelope may have them."""
    content: dict[str, Any] = {**call.content}
    for place in ("parameters", "input"):
        if isinstance(content.get(place), dict):
            content[place] = {**content[place], **extra}
    if isinstance(content.get("messages"), list):
        content["messages"] = [{**content["messages"][0], **extra}]
    return json.dumps({**content, **extra}).encode()


def decode(call: PlainCall, body: bytes, cards: Mapping[str, ModelCard] | None = None) -> Call:
    exchange = call.operation.decode(make_request(body), cards or {})
    assert isinstance(exchange, Exchange)
    return exchange.call


def every_error_class() -> Iterator[type[QwenportError]]:
    found = [QwenportError]
    while found:
        kind = found.pop()
        yield kind
        found += [below for below in kind.__subclasses__() if below.__module__ == tree.__name__]


def an_error(kind: type[QwenportError]) -> QwenportError:
    """Return an error of this class; arguments are made up from the names that the constructor gives them."""
    made_up: dict[str, Any] = {
        "message": "words",
        "reason": "a reason",
        "model": "qwen-turbo",
        "method": "GET",
        "allowed": ("POST",),
        "limit_bytes": 1,
        "limit_tokens": 1,
        "seconds": 1.0,
        "response_id": "resp_1",
        "bill": tree.Bill.NOT_PURCHASED,
    }
    parameters = inspect.signature(kind).parameters.values()
    # An error without words of its own is raised with some; the rest have what no caller may leave out.
    needed = {one.name for one in parameters if one.default is one.empty or (one.name == "message" and not kind.words)}
    return kind(**{name: made_up[name] for name in needed})


ERRORS = [an_error(kind) for kind in every_error_class()]


def name_of(value: object) -> str:
    if isinstance(value, Face):
        return value.name
    if isinstance(value, PlainCall):
        return value.name
    if isinstance(value, CallOperation | LookupOperation | QueryOperation | UploadOperation):
        return f"{value.method} {value.path}"
    return type(value).__name__


@pytest.mark.parametrize("face", FACES, ids=name_of)
@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_every_error_has_a_status_and_a_body(face: Face, error: QwenportError) -> None:
    reply = face.encode_error(error, ID)
    body = json.loads(reply.body)

    assert reply.status in (range(400, 500) if isinstance(error, Refused) else range(500, 600))
    assert dict(reply.headers)[b"content-type"] == b"application/json"
    assert body["request_id"] == ID
    assert body.get("message") or body["error"]["message"]


@pytest.mark.parametrize("face", FACES, ids=name_of)
def test_an_error_that_nobody_foresaw_takes_the_words_of_its_nearest_kind(face: Face) -> None:
    class Later(tree.Throttled):
        code = "later"

    assert face.encode_error(Later("slow down"), ID) == face.encode_error(tree.Throttled("slow down"), ID)


@pytest.mark.parametrize(("face", "operation"), OPERATIONS, ids=name_of)
def test_an_operation_lies_below_one_of_its_faces_prefixes(face: Face, operation: Operation) -> None:
    assert any(operation.path.startswith(f"{prefix}/") for prefix in face.prefixes)


def test_no_two_operations_have_the_same_address() -> None:
    addresses = [(operation.method, operation.path) for _, operation in OPERATIONS]

    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize("call", CHATS, ids=name_of)
def test_a_plain_chat_says_the_same_on_every_face(call: PlainCall) -> None:
    decoded = decode(call, good_body(call))

    assert (decoded.id, decoded.operation, decoded.model, decoded.streams, decoded.refusal) == (
        ID,
        call.operation.name,
        "qwen-plus",
        False,
        None,
    )
    assert isinstance(decoded.input, ChatInput)
    assert decoded.input.messages == (Message(role=Role.USER, content="Hi"),)
    # The Anthropic protocol has a bound in every request, and offers several tool calls unless it is told not to.
    bound = 64 if call.face.name == "anthropic" else None
    assert decoded.sampling == Sampling(max_tokens=bound, max_completion_tokens=bound)
    assert decoded.input.parallel_tool_calls is (call.face.name == "anthropic")


@pytest.mark.parametrize("call", CALLS, ids=name_of)
@given(name=st.text(min_size=1).map(lambda name: f"x_{name}"), value=VALUES)
def test_unknown_fields_are_ignored(call: PlainCall, name: str, value: Any) -> None:
    plain = decode(call, good_body(call))

    assert decode(call, good_body(call, **{name: _without_odd_numbers(value)})) == plain


def _without_odd_numbers(value: Any) -> Any:
    """Return the value with its NaN and Infinity, which are no JSON, written as text."""
    return json.loads(json.dumps(value), parse_constant=str)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:20]))
def test_garbage_is_no_json_body(call: PlainCall, body: bytes) -> None:
    with pytest.raises(BodyNotJson):
        decode(call, body)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
@given(body=st.binary())
def test_any_bytes_are_refused(call: PlainCall, body: bytes) -> None:
    with pytest.raises(Refused):
        decode(call, body)


@pytest.mark.parametrize("call", CALLS, ids=name_of)
@given(value=VALUES, envelope=st.booleans(), field=FIELDS)
def test_any_json_is_a_call_or_refused(call: PlainCall, value: Any, envelope: bool, field: str) -> None:
    body = good_body(call, **{field: value}) if envelope else json.dumps(value).encode()
    try:
        decoded = call.operation.decode(make_request(body), {call.model: CARD})
    except Refused:
        return

    if isinstance(decoded, Exchange):
        assert decoded.call.model
        assert decoded.call.refusal is not None or _says_something(decoded.call)


def _says_something(call: Call) -> bool:
    match call.input:
        case ChatInput(messages=messages):
            return bool(messages)
        case PromptInput():
            return True
        case EmbeddingInput(texts=texts):
            return bool(texts)
        case RerankInput(documents=documents):
            return bool(documents)
        case NativeInput(body=body):
            return bool(body)


@pytest.mark.parametrize("operation", MODEL_LOOKUPS, ids=name_of)
def test_a_look_up_of_models_answers_in_json(operation: LookupOperation) -> None:
    reply = operation.respond(make_request(path_parameters={"model": "qwen-turbo"}), {"qwen-turbo": CARD})

    assert (reply.status, dict(reply.headers)[b"content-type"]) == (200, b"application/json")
    assert b'"qwen-turbo"' in reply.body

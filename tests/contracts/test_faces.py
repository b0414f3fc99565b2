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
from qwenport.core.call import Message, Role, Sampling
from qwenport.core.errors import BodyNotJson, QwenportError, Refused
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.face import CallOperation, Face, LookupOperation, Operation, Request
from qwenport.faces.registry import FACES

ID = RequestId("00000000-0000-9000-8000-000000000001")
OPERATIONS = [(face, operation) for face in FACES for operation in face.operations]
CALLS = [operation for _, operation in OPERATIONS if isinstance(operation, CallOperation)]
LOOKUPS = [operation for _, operation in OPERATIONS if isinstance(operation, LookupOperation)]

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
    b'{"messages":[{"content":[{"image":' + b"[" * 100_000,
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


def good_body(operation: CallOperation, **extra: Any) -> dict[str, Any]:
    """Return a body that either envelope can be read from."""
    messages = [{"role": "user", "content": "Hi", **extra}]
    return {
        "model": "qwen-turbo",
        "messages": messages,
        "input": {"messages": messages, **extra},
        "parameters": dict(extra),
        **extra,
    }


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
    }
    parameters = inspect.signature(kind).parameters.values()
    return kind(**{one.name: made_up[one.name] for one in parameters if one.default is one.empty})


ERRORS = [an_error(kind) for kind in every_error_class()]


def name_of(value: object) -> str:
    if isinstance(value, Face):
        return value.name
    if isinstance(value, CallOperation | LookupOperation):
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


@pytest.mark.parametrize("operation", CALLS, ids=name_of)
def test_a_plain_call_says_the_same_on_every_face(operation: CallOperation) -> None:
    call = operation.decode(make_request(json.dumps(good_body(operation)).encode()), {}).call

    assert (call.id, call.operation, call.model, call.streams) == (ID, operation.name, "qwen-turbo", False)
    assert call.messages == (Message(role=Role.USER, content="Hi"),)
    assert call.sampling == Sampling()


@pytest.mark.parametrize("operation", CALLS, ids=name_of)
@given(name=st.text(min_size=1).map(lambda name: f"x_{name}"), value=VALUES)
def test_unknown_fields_are_ignored(operation: CallOperation, name: str, value: Any) -> None:
    plain = operation.decode(make_request(json.dumps(good_body(operation)).encode()), {}).call
    body = json.dumps(good_body(operation, **{name: _without_odd_numbers(value)})).encode()

    assert operation.decode(make_request(body), {}).call == plain


def _without_odd_numbers(value: Any) -> Any:
    """Return the value with its NaN and Infinity, which are no JSON, written as text."""
    return json.loads(json.dumps(value), parse_constant=str)


@pytest.mark.parametrize("operation", CALLS, ids=name_of)
@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:20]))
def test_garbage_is_no_json_body(operation: CallOperation, body: bytes) -> None:
    with pytest.raises(BodyNotJson):
        operation.decode(make_request(body), {})


@pytest.mark.parametrize("operation", CALLS, ids=name_of)
@given(body=st.binary())
def test_any_bytes_are_refused(operation: CallOperation, body: bytes) -> None:
    with pytest.raises(Refused):
        operation.decode(make_request(body), {})


@pytest.mark.parametrize("operation", CALLS, ids=name_of)
@given(value=VALUES, envelope=st.booleans(), field=FIELDS)
def test_any_json_is_a_call_or_refused(operation: CallOperation, value: Any, envelope: bool, field: str) -> None:
    body = good_body(operation, **{field: value}) if envelope else value
    try:
        call = operation.decode(make_request(json.dumps(body).encode()), {"qwen-turbo": CARD}).call
    except Refused:
        return

    assert call.model
    assert bool(call.messages) is (call.refusal is None)


@pytest.mark.parametrize("operation", LOOKUPS, ids=name_of)
def test_a_look_up_answers_in_json(operation: LookupOperation) -> None:
    reply = operation.respond(make_request(path_parameters={"model": "qwen-turbo"}), {"qwen-turbo": CARD})

    assert (reply.status, dict(reply.headers)[b"content-type"]) == (200, b"application/json")
    assert b'"qwen-turbo"' in reply.body

"""The page of parameters quotes what the faces and the gate really say, and knows every field that they read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import Caller
from qwenport.core.errors import Refused
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.faces.dashscope.schema import GenerationInput, GenerationParameters
from qwenport.faces.face import CallOperation, Request
from qwenport.faces.openai.schema import ChatCompletionRequest
from qwenport.faces.registry import FACES
from qwenport.gate.permit import permit

Prose = Callable[[Path], str]

CODE = re.compile(r"`([^`]+)`")
CATALOG = Catalog.load()
CALLER = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY", models=())
CHAT = "/v1/chat/completions"
TEXT = "/api/v1/services/aigc/text-generation/generation"
HELLO = [{"role": "user", "content": "Hello."}]

ON_BOTH: list[dict[str, Any]] = [
    {"temperature": 2},
    {"top_p": 0},
    {"top_k": -1},
    {"repetition_penalty": 0},
    {"presence_penalty": 3},
    {"max_tokens": 0},
    {"max_completion_tokens": 8193},
    {"seed": "one"},
    {"stop": ["x"] * 65},
    {"stop": "x" * 1025},
    {"n": 5},
    {"tools": [{}]},
    {"functions": [{}]},
    {"logprobs": True},
    {"top_logprobs": 1},
    {"modalities": ["audio"]},
    {"enable_thinking": True},
    {"response_format": {}},
    {"response_format": {"type": "xml"}},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema"}},
    {"response_format": {"type": "json_schema", "json_schema": {}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": []}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"title": "x" * 65_536}}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"a": msgspec.Raw(b"[" * 65 + b"]" * 65)}}}},
]
"""Parameters that are refused, in the words of the page."""

MESSAGES: list[list[dict[str, Any]]] = [
    [],
    [{"content": "x"}],
    [{"role": "robot", "content": "x"}],
    [{"role": "tool", "content": "x"}],
    [{"role": "assistant", "content": "", "tool_calls": [{}]}],
    [{"role": "assistant", "content": "x", "partial": True}],
    [{"role": "user"}],
    [{"role": "user", "content": 1}],
    [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
    [{"role": "user", "content": [{}]}],
    [{"role": "user", "content": ""}],
]

pytestmark = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def quoted(language: str, root: Path, prose: Prose) -> set[str]:
    """Return everything in code type on the page."""
    return set(CODE.findall(prose(root / "docs" / language / "parameters.md")))


def words(path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> str:
    """Return how the call is refused."""
    operation = next(each for face in FACES for each in face.operations if each.path == path and each.method == "POST")
    assert isinstance(operation, CallOperation)
    request = Request(
        id=RequestId("7a076862-72a9-9097-29b3-dfc1300526a4"),
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
        headers=headers or {},
        query={},
        path_parameters={},
        body=msgspec.json.encode(body),
    )
    with pytest.raises(Refused) as refused:
        permit(CALLER, CATALOG.resolve("qwen-plus"), operation.decode(request, CATALOG.cards).call)
    return refused.value.message


@pytest.mark.parametrize("parameters", ON_BOTH, ids="-".join)
def test_a_refused_parameter_is_quoted(parameters: dict[str, Any], quoted: set[str]) -> None:
    native = {"model": "qwen-plus", "input": {"messages": HELLO}, "parameters": parameters}

    assert words(CHAT, {"model": "qwen-plus", "messages": HELLO, **parameters}) in quoted
    assert words(TEXT, native) in quoted


@pytest.mark.parametrize("messages", MESSAGES, ids=range(len(MESSAGES)))
def test_refused_messages_are_quoted(messages: list[dict[str, Any]], quoted: set[str]) -> None:
    assert words(CHAT, {"model": "qwen-plus", "messages": messages}) in quoted
    assert words(TEXT, {"model": "qwen-plus", "input": {"messages": messages}}) in quoted


def test_what_only_one_face_refuses_is_quoted(quoted: set[str]) -> None:
    refused = [
        words(CHAT, {"model": "qwen-plus"}),
        words(TEXT, {"model": "qwen-plus", "input": {}}),
        words(TEXT, {"model": "qwen-plus", "input": {"prompt": ""}}),
        words(TEXT, {"model": "qwen-plus", "input": {"prompt": "x"}}, {"x-dashscope-async": "enable"}),
        words(TEXT, {"model": "qwen-plus", "input": {"prompt": "x"}, "parameters": {"n": 2, "result_format": "text"}}),
        words(TEXT, {"model": "qwen-plus", "input": {"prompt": "x"}, "parameters": {"seed": -1}}),
    ]

    assert set(refused) <= quoted


def test_every_field_that_a_face_reads_is_on_the_page(quoted: set[str]) -> None:
    native = {f"input.{field}" for field in GenerationInput.__struct_fields__}
    own = set(GenerationParameters.__struct_fields__) - set(ChatCompletionRequest.__struct_fields__)

    assert quoted >= {*ChatCompletionRequest.__struct_fields__, *native, *(f"parameters.{field}" for field in own)}

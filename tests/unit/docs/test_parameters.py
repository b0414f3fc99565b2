"""The page of parameters quotes what the faces and the gate really say, and knows every field that they read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import Caller
from qwenport.core.capabilities import misfit
from qwenport.core.errors import Refused
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.ocr import OcrTask
from qwenport.engines.llama.engine import TEXT_CAPABILITIES
from qwenport.faces.anthropic.schema import CountTokensRequest, MessagesRequest
from qwenport.faces.dashscope.embeddings import WireInput as Texts
from qwenport.faces.dashscope.embeddings import WireParameters as EmbeddingParameters
from qwenport.faces.dashscope.schema import GenerationInput, GenerationParameters
from qwenport.faces.face import CallOperation, Pending, QueryOperation, Request
from qwenport.faces.openai.completions import CompletionRequest
from qwenport.faces.openai.embeddings import EmbeddingsRequest
from qwenport.faces.openai.reranks import RerankRequest
from qwenport.faces.openai.responses.schema import ResponsesRequest
from qwenport.faces.openai.schema import ChatCompletionRequest
from qwenport.faces.parts import WirePart
from qwenport.faces.registry import FACES
from qwenport.gate.permit import Permit
from qwenport.testing.clock import FakeClock

Prose = Callable[[Path], str]
Json = dict[str, Any]

CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
"""One backtick at each end, or more where the words hold some themselves."""
CATALOG = Catalog.load()
CALLER = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY", models=())
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
RERANKS = "/compatible-api/v1/reranks"
MESSAGES = "/apps/anthropic/v1/messages"
TEXT = "/api/v1/services/aigc/text-generation/generation"
MULTIMODAL = "/api/v1/services/aigc/multimodal-generation/generation"
TEXT_EMBEDDING = "/api/v1/services/embeddings/text-embedding/text-embedding"
HELLO = [{"role": "user", "content": "Hello."}]
STREAM = {"x-dashscope-sse": "enable"}
TOOL = {"type": "function", "function": {"name": "weather"}}
NAMED = {"type": "function", "function": {"name": "weather"}}
CALLED = {"role": "assistant", "content": "", "tool_calls": [{"id": "call_1", "function": {"name": "weather"}}]}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def functions(*names: str | None, **fields: object) -> Json:
    """Return `tools` with these functions."""
    return {"tools": [{"type": "function", "function": {"name": name, **fields}} for name in names]}


ON_BOTH: list[Json] = [
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
    {"stop": ["x", 1]},
    {"stop": [[1] * 1025]},
    {"stop": [-1]},
    {"n": 5},
    {"functions": [{}]},
    {"function_call": "auto"},
    {"logprobs": True, "top_logprobs": 6},
    {"top_logprobs": 1},
    {"modalities": ["audio"]},
    {"enable_thinking": True},
    {"tools": []},
    {"tools": [TOOL] * 129},
    {"tools": [{"type": "web_search"}]},
    {"tools": [{"type": "function"}]},
    functions(None),
    functions("x" * 65),
    functions("get weather"),
    functions("search"),
    functions("weather", "weather"),
    functions("weather", parameters=[]),
    functions("weather", parameters={"type": "array"}),
    functions("weather", parameters={"title": "x" * 65_536}),
    functions(*(f"f{n}" for n in range(5)), parameters={"title": "x" * 60_000}),
    {"tools": [TOOL], "tool_choice": "any"},
    {"tools": [TOOL], "tool_choice": "required"},
    {"tool_choice": "required"},
    {"tools": [TOOL], "tool_choice": {"type": "x"}},
    {"tools": [TOOL], "tool_choice": {"type": "function"}},
    {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "time"}}},
    {"tools": [TOOL], "n": 2},
    {"response_format": {}},
    {"response_format": {"type": "xml"}},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema"}},
    {"response_format": {"type": "json_schema", "json_schema": {}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": []}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"title": "x" * 65_536}}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"a": msgspec.Raw(b"[" * 65 + b"]" * 65)}}}},
]
"""Parameters that `qwen-plus` is refused, on both faces."""

THINKING: list[Json] = [
    {"thinking_budget": 0},
    {"response_format": {"type": "json_object"}},
    {"tools": [TOOL], "tool_choice": NAMED},
]
"""The same in a stream of a model that thinks."""

CARDS: list[tuple[str, Json]] = [
    ("qwen-max", {"enable_thinking": True}),
    ("qwen-max", {"n": 2}),
    ("qwq-plus", {}),
    ("qwen-vl-ocr", {"tools": [TOOL]}),
    ("qwen-vl-ocr-2024-10-28", {"logprobs": True}),
    ("text-embedding-v4", {}),
]
"""What other model cards refuse on the OpenAI face."""

CONVERSATIONS: list[list[Json]] = [
    [],
    [{"content": "x"}],
    [{"role": "robot", "content": "x"}],
    [{"role": "tool", "content": "x"}],
    [{"role": "tool", "content": "x", "tool_call_id": "call_1"}],
    [*HELLO, CALLED],
    [*HELLO, {**CALLED, "tool_calls": [{}]}],
    [*HELLO, {**CALLED, "tool_calls": [{"id": "call_1"}]}],
    [{"role": "user", "content": "x", "partial": True}],
    [{"role": "user"}],
    [{"role": "user", "content": 1}],
    [{"role": "user", "content": [{}]}],
    [{"role": "user", "content": ""}],
    [{"role": "user", "content": [{"type": "input_audio"}]}],
    [{"role": "user", "content": [{"type": "text", "text": "x", "image": "y"}]}],
    [{"role": "user", "content": [{"type": "image_url"}]}],
    [{"role": "user", "content": [{"type": "file"}]}],
    [{"role": "user", "content": [{"type": "file", "file": {}}]}],
    [{"role": "user", "content": [{"type": "file", "file": {"file_data": "JVBERi0="}}]}],
    [{"role": "user", "content": [{"type": "file", "file": {"file_id": "../1"}}]}],
    [{"role": "user", "content": [{**IMAGE, "min_pixels": 0}]}],
    [{"role": "user", "content": [IMAGE]}],
    [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}]}],
    [{"role": "system", "content": [IMAGE]}, *HELLO],
    [{"role": "system", "content": "fileid://file-fe-1"}, *HELLO],
    [{"role": "system", "content": "fileid://file-fe-1 and more"}, *HELLO],
    [{"role": "system", "content": ",".join(["fileid://file-fe-1"] * 101)}, *HELLO],
]
"""Messages that `qwen-plus` is refused, on both faces."""

NO_PDF = {"type": "base64", "media_type": "text/plain", "data": ""}

ANTHROPIC_BODIES: list[Json] = [
    {"max_tokens": None},
    {"messages": []},
    {"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}, *HELLO]},
    {"messages": [{"role": "robot", "content": "x"}]},
    {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
    {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "disk"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "document", "source": NO_PDF}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "disk"}}]}]},
    {"tools": [{"name": "weather"}]},
    {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    {"tool_choice": {"type": "x"}},
    {"thinking": {"type": "x"}},
    {"thinking": {"type": "enabled"}},
    {"output_config": {"format": {"type": "x"}}},
    {"temperature": 2},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}},
]
"""What the Anthropic face adds to a body with one message, and is refused."""

RESPONSES_BODIES: list[Json] = [
    {"input": None},
    {"input": []},
    {"input": [{"type": "web_search_call"}]},
    {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]},
    {"input": [{"role": "user", "content": [{"type": "input_file"}]}]},
    {"background": True},
    {"conversation": "conv_1"},
    {"prompt": {"id": "p"}},
    {"metadata": {str(n): "x" for n in range(17)}},
    {"metadata": {"x": "y" * 513}},
    {"tools": [{"type": "web_search"}]},
]

COMPLETIONS_BODIES: list[Json] = [
    {"prompt": None},
    {"prompt": []},
    {"prompt": ""},
    {"prompt": [1, 2]},
    {"prompt": ["a", "b"]},
    {"echo": True, "logprobs": 1},
    {"best_of": 2},
]

EMBEDDINGS_BODIES: list[Json] = [
    {"input": None},
    {"input": []},
    {"input": [1, 2]},
    {"input": ["x"] * 11},
    {"encoding_format": "int8"},
    {"dimensions": 100, "model": "multilingual-e5-small"},
]

RERANKS_BODIES: list[Json] = [
    {"query": ""},
    {"documents": None},
    {"documents": []},
    {"documents": ["x"] * 501},
    {"top_n": 0},
]

QUERIES: list[tuple[str, str, Mapping[str, str]]] = [
    ("GET", "/v1/files", {"purpose": "vision"}),
    ("GET", "/v1/files", {"order": "up"}),
    ("GET", "/v1/files", {"limit": "0"}),
    ("GET", "/v1/files", {"create_after": "1"}),
    ("GET", "/api/v1/files", {"page_size": "101"}),
    ("GET", "/api/v1/uploads", {}),
    ("GET", "/v1/responses/{response_id}", {"stream": "true"}),
    ("GET", "/v1/responses/{response_id}/input_items", {"limit": "0"}),
    ("GET", "/v1/responses/{response_id}/input_items", {"order": "up"}),
]
"""Questions whose query is refused: method, address, query."""

SCHEMA = "key_information_extraction"
OCR_OPTIONS: list[Json] = [
    {},
    {"task": "read"},
    {"task": SCHEMA, "task_config": {"result_schema": []}},
    {"task": SCHEMA, "task_config": {"result_schema": {"a": {"b": {"c": {"d": ""}}}}}},
    {"task": SCHEMA, "task_config": {"result_schema": {"a": "x" * 65_536}}},
    {"task": "table_parsing", "task_config": {"result_schema": {"a": ""}}},
]
"""Built-in tasks that no model is asked for."""

pytestmark = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def quoted(language: str, root: Path, prose: Prose) -> set[str]:
    """Return everything in code type on the page."""
    return {code.strip() for _, code in CODE.findall(prose(root / "docs" / language / "parameters.md"))}


def request(
    body: bytes = b"", headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> Request:
    """Return a request with these parts."""
    return Request(
        id=RequestId("7a076862-72a9-9097-29b3-dfc1300526a4"),
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
        headers=headers or {},
        query=query or {},
        path_parameters={"response_id": "resp_1", "file_id": "file-fe-1"},
        body=body,
    )


def words(path: str, body: Json, headers: Mapping[str, str] | None = None) -> str:
    """Return how the face of an address says that the call is refused: by itself, by the card, or by the engine."""
    face, operation = next(
        (face, each) for face in FACES for each in face.operations if each.path == path and each.method == "POST"
    )
    assert isinstance(operation, CallOperation)
    asked = request(msgspec.json.encode(body), headers)
    with pytest.raises(Refused) as refused:
        run(operation, asked)
    return said(face.encode_error(refused.value, asked.id).body)


def run(operation: CallOperation, asked: Request) -> None:
    """Go the way of a call as far as the choice of an engine, which is the stand-in."""
    exchange = operation.decode(asked, CATALOG.cards)
    assert not isinstance(exchange, Pending)
    card = CATALOG.resolve(exchange.call.model)
    Permit(lambda *_: False, FakeClock())(CALLER, card, exchange.call)
    reason = misfit(exchange.call, TEXT_CAPABILITIES, card.route[0])
    if reason is not None:
        raise reason


def said(body: bytes) -> str:
    """Return the message of an error in any face's shape."""
    error = msgspec.json.decode(body)
    return str(error.get("error", error)["message"]).strip()


@pytest.mark.parametrize("parameters", ON_BOTH, ids=range(len(ON_BOTH)))
def test_a_refused_parameter_is_quoted(parameters: Json, quoted: set[str]) -> None:
    native = {"model": "qwen-plus", "input": {"messages": HELLO}, "parameters": parameters}

    assert words(CHAT, {"model": "qwen-plus", "messages": HELLO, **parameters}) in quoted
    assert words(TEXT, native) in quoted


@pytest.mark.parametrize("parameters", THINKING, ids=range(len(THINKING)))
def test_what_does_not_go_with_thinking_is_quoted(parameters: Json, quoted: set[str]) -> None:
    thinking = {"enable_thinking": True, **parameters}
    native = {"model": "qwen-plus", "input": {"messages": HELLO}, "parameters": thinking}

    assert words(CHAT, {"model": "qwen-plus", "messages": HELLO, "stream": True, **thinking}) in quoted
    assert words(TEXT, native, STREAM) in quoted


@pytest.mark.parametrize(("model", "parameters"), CARDS, ids=range(len(CARDS)))
def test_what_a_model_card_refuses_is_quoted(model: str, parameters: Json, quoted: set[str]) -> None:
    assert words(CHAT, {"model": model, "messages": HELLO, **parameters}) in quoted


@pytest.mark.parametrize("messages", CONVERSATIONS, ids=range(len(CONVERSATIONS)))
def test_refused_messages_are_quoted(messages: list[Json], quoted: set[str]) -> None:
    assert words(CHAT, {"model": "qwen-plus", "messages": messages}) in quoted
    assert words(TEXT, {"model": "qwen-plus", "input": {"messages": messages}}) in quoted


@pytest.mark.parametrize(
    ("path", "whole", "change"),
    [
        pytest.param(path, whole, change, id=f"{path}-{number}")
        for path, whole, changes in (
            (MESSAGES, {"model": "qwen-max", "max_tokens": 9, "messages": HELLO}, ANTHROPIC_BODIES),
            (RESPONSES, {"model": "qwen-plus", "input": "Hello."}, RESPONSES_BODIES),
            (COMPLETIONS, {"model": "qwen-coder-turbo", "prompt": "x = "}, COMPLETIONS_BODIES),
            (EMBEDDINGS, {"model": "text-embedding-v4", "input": "x"}, EMBEDDINGS_BODIES),
            (RERANKS, {"model": "qwen3-rerank", "query": "x", "documents": ["y"]}, RERANKS_BODIES),
        )
        for number, change in enumerate(changes)
    ],
)
def test_what_an_operation_refuses_is_quoted(path: str, whole: Json, change: Json, quoted: set[str]) -> None:
    assert words(path, {**whole, **change}) in quoted


@pytest.mark.parametrize(("method", "path", "query"), QUERIES, ids=range(len(QUERIES)))
def test_a_refused_query_is_quoted(method: str, path: str, query: Mapping[str, str], quoted: set[str]) -> None:
    operation = next(each for face in FACES for each in face.operations if (each.method, each.path) == (method, path))
    assert isinstance(operation, QueryOperation)
    with pytest.raises(Refused) as refused:
        operation.decode(request(query=query), CATALOG.cards)

    assert refused.value.message in quoted


def test_what_only_the_native_face_refuses_is_quoted(quoted: set[str]) -> None:
    def native(headers: Mapping[str, str] | None = None, model: str = "qwen-plus", **parameters: object) -> str:
        return words(TEXT, {"model": model, "input": {"prompt": "x"}, "parameters": parameters}, headers)

    refused = [
        words(TEXT, {"model": "qwen-plus", "input": {}}),
        words(TEXT, {"model": "qwen-plus", "input": {"prompt": ""}}),
        native({"x-dashscope-async": "enable"}),
        native({"x-dashscope-encryptionkey": "{}"}),
        native(n=2, result_format="text"),
        native(result_format="xml"),
        native(STREAM, enable_thinking=True, incremental_output=False),
        native(seed=-1),
        native(ocr_options={"task": "text_recognition"}),
        native(vl_enable_image_hw_output=True),
        words(
            TEXT_EMBEDDING, {"model": "text-embedding-v4", "input": {"texts": "x"}, "parameters": {"text_type": "y"}}
        ),
        words(
            TEXT_EMBEDDING,
            {"model": "text-embedding-v4", "input": {"texts": "x"}, "parameters": {"output_type": "sparse"}},
        ),
    ]

    assert set(refused) <= quoted


@pytest.mark.parametrize("options", OCR_OPTIONS, ids=range(len(OCR_OPTIONS)))
def test_a_refused_task_is_quoted(options: Json, quoted: set[str]) -> None:
    assert ocr_words("qwen-vl-ocr", [{"image": "https://example.com/a.png"}], options) in quoted


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("qwen-vl-ocr", {"text": "no image"}),
        ("qwen-vl-plus", {"image": "https://example.com/a.png"}),
        ("qwen-vl-ocr-2024-10-28", {"image": "https://example.com/a.png"}),
    ],
)
def test_a_task_that_cannot_be_done_is_quoted(model: str, part: Json, quoted: set[str]) -> None:
    assert ocr_words(model, [part], {"task": "table_parsing"}) in quoted


def ocr_words(model: str, content: list[Json], options: Json) -> str:
    messages = [{"role": "user", "content": content}]
    return words(MULTIMODAL, {"model": model, "input": {"messages": messages}, "parameters": {"ocr_options": options}})


def test_every_task_is_on_the_page(quoted: set[str]) -> None:
    assert quoted >= {task.value for task in OcrTask}


def test_what_only_the_openai_face_refuses_is_quoted(quoted: set[str]) -> None:
    refused = [
        words(CHAT, {"model": "qwen-plus"}),
        words(CHAT, {"model": "qwen-plus", "messages": HELLO, "seed": -1}),
        words(CHAT, {"model": "qwen3-vl-plus", "messages": [{"role": "user", "content": [IMAGE]}]}),
    ]

    assert set(refused) <= quoted


def test_every_field_that_a_face_reads_is_on_the_page(quoted: set[str]) -> None:
    bodies = (
        ChatCompletionRequest,
        ResponsesRequest,
        CompletionRequest,
        EmbeddingsRequest,
        RerankRequest,
        MessagesRequest,
        CountTokensRequest,
        EmbeddingParameters,
    )
    native = {f"input.{field}" for kind in (GenerationInput, Texts) for field in kind.__struct_fields__}
    own = set(GenerationParameters.__struct_fields__) - set(ChatCompletionRequest.__struct_fields__)
    top = {field for body in bodies for field in body.__struct_fields__}

    assert quoted >= top | native | {f"parameters.{field}" for field in own} | set(WirePart.__struct_fields__)

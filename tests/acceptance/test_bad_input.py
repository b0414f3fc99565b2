"""What is asked wrongly is refused in the documented words on both of Model Studio's chat faces, and runs nothing.

The words are those of https://www.alibabacloud.com/help/en/model-studio/error-code, on which callers match.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted
    from tests.conftest import Server

Body = dict[str, Any]
Case = tuple[Body, str]
Seen = tuple[int, Any, str]
CHAT = "/compatible-mode/v1/chat/completions"
GENERATION = "/api/v1/services/aigc/text-generation/generation"
MULTIMODAL = "/api/v1/services/aigc/multimodal-generation/generation"
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
THINKING: Body = {"stream": True, "enable_thinking": True}
CALLED: list[Any] = [
    {"role": "user", "content": "Hi"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
]


def says(content: Any, role: str = "user") -> Body:
    return {"messages": [{"role": role, "content": content}]}


def tools(*names: str, **more: Any) -> Body:
    return {"tools": [{"type": "function", "function": {"name": name}} for name in names], **more}


def shaped(schema: Any) -> Body:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "shape", "schema": schema}}}


def nested(depth: int) -> Body:
    schema: Body = {"type": "object"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def image(url: str, model: str = "qwen-vl-max") -> Body:
    return {"model": model, **says([{"type": "image_url", "image_url": {"url": url}}])}


NAMED = {"type": "function", "function": {"name": "f"}}
STEMS: dict[str, Case] = {
    "max_tokens": ({"max_tokens": 0}, "Range of max_tokens should be [1, 8192]"),
    "temperature": ({"temperature": 2}, "Temperature should be in [0.0, 2.0)"),
    "top_p": ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
    "top_k": ({"top_k": -1}, "Parameter top_k be greater than or equal to 0"),
    "repetition_penalty": ({"repetition_penalty": 0}, "Repetition_penalty should be greater than 0.0"),
    "presence_penalty": ({"presence_penalty": 3}, "Presence_penalty should be in [-2.0, 2.0]"),
    "n": ({"n": 5}, "Range of n should be [1, 4]"),
    "top_logprobs": ({"logprobs": True, "top_logprobs": 6}, "Range of top_logprobs should be [0, 5]"),
    "a number as a string": ({"temperature": "0.5"}, "'temperature' must be Float"),
    "stop of two kinds": ({"stop": ["a", 1]}, 'The "stop" parameter must be of type "str", "list[str]", "list[int]"'),
    "thinking, whole": (
        {"enable_thinking": True},
        "parameter.enable_thinking must be set to false for non-streaming calls",
    ),
    "a model that thinks, whole": ({"model": "qwq-plus"}, "parameter.enable_thinking only support stream call"),
    "a model that thinks, told not to": (
        {"model": "qwq-plus", "stream": True, "enable_thinking": False},
        "The value of the enable_thinking parameter is restricted to True.",
    ),
    "a model that cannot think": (
        {"model": "qwen-max", **THINKING},
        "The model qwen-max does not support enable_thinking.",
    ),
    "thinking_budget": (
        {**THINKING, "thinking_budget": 0},
        "The thinking_budget parameter must be a positive integer and not greater than 8192",
    ),
    "JSON unasked": (
        {"response_format": {"type": "json_object"}},
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    ),
    "JSON and thinking": (
        {**THINKING, **says("json"), "response_format": {"type": "json_object"}},
        "Json mode response is not supported when enable_thinking is true",
    ),
    "a tool named search": (tools("search"), "Tool names are not allowed to be [search]"),
    "a tool with a control character": (tools("a\0b"), "does not match '^[a-zA-Z0-9_-]+$'"),
    "a tool of a long name": (tools("a" * 200), "The length of the tool name cannot exceed 64."),
    "10,000 tools": (
        tools(*(f"f{n}" for n in range(10_000))),
        "maximum length 128, but got an array with length 10000",
    ),
    "tool_choice required": (
        tools("f", tool_choice="required"),
        'tool_choice is one of the strings that should be ["none", "auto"]',
    ),
    "tool_choice and thinking": (
        {**tools("f", tool_choice=NAMED), **THINKING},
        "The tool_choice parameter does not support being set to required or object in thinking mode",
    ),
    "a result without a call": (
        {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": "x"}]},
        'messages with role "tool" must be a response to a preceding message with "tool_calls"',
    ),
    "a call without a result": (
        {"messages": [*CALLED, *HELLO]},
        'An assistant message with "tool_calls" must be followed by tool messages responding to each "tool_call_id"',
    ),
    "content of another type": (says(5), "input content must be a string."),
    "no content": ({"messages": [{"role": "user"}]}, "The content field is a required field."),
    "empty content": (says(""), "Role must be user or assistant and Content length must be greater than 0"),
    "no messages": ({"messages": []}, "[] is too short"),
    "an unknown role": (says("x", "boss"), "'boss' is not one of ['system', 'user', 'assistant', 'tool']"),
    "an unknown part": (says([{"type": "smell", "smell": "x"}]), "Unexpected item type in content"),
    "an image for a text model": (
        image("data:image/png;base64,AAAA", "qwen-plus"),
        "An error during model pre-process.",
    ),
    "no image": (image("data:image/png;base64,AAAA"), "The image format is illegal and cannot be opened"),
    "an upload without its header": (
        image("oss://instant/a.png"),
        "The provided URL does not appear to be valid. Ensure it is correctly formatted.",
    ),
    "a schema that is none": (shaped("x"), "'response_format.json_schema.schema' must be Object"),
    "a deep schema": (shaped(nested(300)), "The schema of response_format may be nested at most 64 deep."),
    "a huge schema": (
        shaped({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5000)}}),
        "The schema of response_format may hold at most 65536 bytes.",
    ),
}
CODES = {
    "a model that cannot think": "InvalidParameter.NotSupportEnableThinking",
}
"""Codes of the native face that are not its usual one."""


@pytest.fixture
def post(scripted: Scripted) -> Callable[..., Seen]:
    """Give a sender of a body; returns status, code and words."""

    def send(path: str, body: bytes | Body, **headers: str) -> Seen:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = {"Authorization": f"Bearer {scripted.key}"}
        answer = httpx.post(f"{scripted.url}{path}", content=content, headers=key | headers, timeout=60)
        if answer.status_code == 200:
            return 200, None, ""
        said = answer.json()
        said = said.get("error", said)
        return answer.status_code, said.get("code"), said["message"]

    return send


def native(case: Body) -> tuple[str, Body, dict[str, str]]:
    """Return where and how the native face is asked."""
    parameters = dict(case)
    model, messages = parameters.pop("model", "qwen-plus"), parameters.pop("messages", HELLO)
    headers = {"X-DashScope-SSE": "enable"} if parameters.pop("stream", False) else {}
    path = MULTIMODAL if model.startswith("qwen-vl") else GENERATION
    return path, {"model": model, "input": {"messages": messages}, "parameters": parameters}, headers


@pytest.mark.parametrize("name", STEMS)
def test_it_is_refused_in_the_same_words_on_both_faces(
    scripted: Scripted, post: Callable[..., Seen], name: str
) -> None:
    case, stem = STEMS[name]
    path, body, headers = native(case)
    first = post(path, body, **headers)
    second = post(CHAT, {"model": "qwen-plus", "messages": HELLO, **case})

    assert (first[:2], second[:2]) == (
        (400, CODES.get(name, "InvalidParameter")),
        (400, "invalid_parameter_error"),
    )
    assert stem in first[2]
    assert stem in second[2]
    assert scripted.chat.calls == []


@pytest.mark.parametrize(
    ("value", "native_words", "compatible_words"),
    [
        (-1, "Range of seed should be [0, 9223372036854775807]", "-1 is lesser than the minimum of 0 - 'seed'"),
        (
            1 << 63,
            "Range of seed should be [0, 9223372036854775807]",
            "9223372036854775808 is greater than the maximum of 9223372036854775807 - 'seed'",
        ),
        ("1", "'seed' must be Integer", "'seed' must be Integer"),
        (1.5, "'seed' must be Integer", "'seed' must be Integer"),
    ],
)
def test_seeds_have_words_of_their_own(
    post: Callable[..., Seen], value: object, native_words: str, compatible_words: str
) -> None:
    path, body, _ = native({"seed": value})

    assert post(path, body) == (400, "InvalidParameter", native_words)
    assert post(CHAT, {"model": "qwen-plus", "messages": HELLO, "seed": value}) == (
        400,
        "invalid_value",
        compatible_words,
    )


NATIVE_ONLY: dict[str, tuple[Any, dict[str, str], Seen]] = {
    "thinking and snapshots": (
        native({"enable_thinking": True, "incremental_output": False})[1],
        {"X-DashScope-SSE": "enable"},
        (400, "InvalidParameter", 'The incremental_output parameter must be "true" when enable_thinking is true'),
    ),
    "thinking and text": (
        native({"enable_thinking": True, "result_format": "text"})[1],
        {"X-DashScope-SSE": "enable"},
        (400, "InvalidParameter", 'The result_format parameter must be "message" when enable_thinking is true'),
    ),
    "no input": (
        {"model": "qwen-plus"},
        {},
        (400, "BadRequest.EmptyInput", "Required input parameter missing from request."),
    ),
    "no model": (
        {"input": {"messages": HELLO}},
        {},
        (400, "BadRequest.EmptyModel", 'Required parameter "model" missing from request.'),
    ),
    "input of another type": (
        {"model": "qwen-plus", "input": "Hi"},
        {},
        (400, "BadRequest.IllegalInput", "The input parameter requires json format."),
    ),
    "neither prompt nor messages": (
        {"model": "qwen-plus", "input": {}},
        {},
        (400, "InvalidParameter", 'Either "prompt" or "messages" must exist and cannot both be none'),
    ),
    "a task": (
        native({})[1],
        {"X-DashScope-Async": "enable"},
        (403, "AccessDenied", "current user api does not support asynchronous calls."),
    ),
}


@pytest.mark.parametrize("name", NATIVE_ONLY)
def test_the_native_envelope_has_words_of_its_own(scripted: Scripted, post: Callable[..., Seen], name: str) -> None:
    body, headers, expected = NATIVE_ONLY[name]

    assert post(GENERATION, body, **headers) == expected
    assert scripted.chat.calls == []


@pytest.mark.parametrize("path", [CHAT, GENERATION, "/apps/anthropic/v1/messages"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b'{"model":"\\ud800"}', b'{"model":"qwen-plus"', b"[" * 50_000],
    ids=["nothing", "broken", "a list", "no UTF-8", "a lone surrogate", "cut off", "deep"],
)
def test_a_body_that_is_no_json_object_is_refused(post: Callable[..., Seen], path: str, body: bytes) -> None:
    status, _, words = post(path, body)

    assert (status, words) == (400, "Required body invalid, please check the request body format.")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/compatible-mode/v1/embeddings", {"input": ["a"] * 11}),
        ("/api/v1/services/embeddings/text-embedding/text-embedding", {"input": {"texts": ["a"] * 11}}),
    ],
)
def test_more_texts_than_the_model_takes_are_refused(
    scripted: Scripted, post: Callable[..., Seen], path: str, asked: Body
) -> None:
    status, _, words = post(path, {"model": "text-embedding-v4", **asked})

    assert status == 400
    assert "Value error, batch size is invalid, it should not be larger than 10." in words
    assert scripted.vectors.calls == []


@pytest.mark.parametrize("declared", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""])
def test_the_declared_type_of_a_json_body_is_not_looked_at(
    scripted: Scripted, post: Callable[..., Seen], declared: str
) -> None:
    body = {"model": "qwen-plus", "messages": HELLO}

    assert post(CHAT, body, **{"Content-Type": declared}) == (200, None, "")
    assert len(scripted.chat.calls) == 1


def test_of_keys_that_are_repeated_the_last_one_holds(scripted: Scripted, post: Callable[..., Seen]) -> None:
    body = b'{"model":"gpt-4","model":"qwen-plus","messages":[{"role":"user","content":"Hi"}]}'

    assert post(CHAT, body) == (200, None, "")
    assert scripted.asked.model == "qwen-plus"


def test_the_small_model_refuses_schemas_that_mean_nothing_and_follows_recursive_ones(live: Server) -> None:
    def ask(schema: Any) -> httpx.Response:
        body = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 60, "top_k": 1, **shaped(schema)}
        return httpx.post(f"{live.url}{CHAT}", json=body, headers=live.bearer, timeout=60)

    nonsense = ask({"type": "nonsense"})
    tree = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 1}},
        "required": ["a"],
        "additionalProperties": False,
    }
    recursive = ask({"$defs": {"tree": tree}, "$ref": "#/$defs/tree"})

    assert (nonsense.status_code, nonsense.json()["error"]["code"]) == (400, "invalid_parameter_error")
    assert "unrecognized type nonsense" in nonsense.json()["error"]["message"]
    assert recursive.status_code == 200
    assert "".join(recursive.json()["choices"][0]["message"]["content"].split()).startswith('{"a":[')

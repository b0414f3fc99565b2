"""The bytes of each face as a client without a library sees them; only what differs from call to call is masked."""

from __future__ import annotations

import http.client
import re
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.conftest import Server

MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-9[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r'"created":\d{10}\b', '"created":<time>'),
    (r'"(content|text)":"[^"]+"', r'"\1":"<text>"'),
    (r'"prompt_tokens_details":\{"cached_tokens":\d+\}', '"prompt_tokens_details":<cached>'),
    (r'"(prompt|input)_tokens":\d+', r'"\1_tokens":<input>'),
    (r'"total_tokens":\d+', '"total_tokens":<total>'),
)
CHUNK_END = (
    '"object":"chat.completion.chunk","usage":null,"created":<time>,"system_fingerprint":null,'
    '"model":"qwen-plus","id":"chatcmpl-<id>"}\n\n'
)
OPENAI_STREAM = (
    'data: {"choices":[{"delta":{"content":"","role":"assistant"},"index":0,"logprobs":null,"finish_reason":null}],'
    + CHUNK_END
    + 'data: {"choices":[{"delta":{"content":"<text>"},"index":0,"logprobs":null,"finish_reason":null}],'
    + CHUNK_END
    + 'data: {"choices":[{"delta":{"content":""},"index":0,"logprobs":null,"finish_reason":"length"}],'
    + CHUNK_END
    + 'data: {"choices":[],"object":"chat.completion.chunk","usage":{"prompt_tokens":<input>,"completion_tokens":1,'
    '"total_tokens":<total>,"prompt_tokens_details":<cached>},"created":<time>,"system_fingerprint":null,'
    '"model":"qwen-plus","id":"chatcmpl-<id>"}\n\n'
    "data: [DONE]\n\n"
)
OPENAI_WHOLE = (
    '{"choices":[{"message":{"content":"<text>","role":"assistant"},"finish_reason":"length","index":0,'
    '"logprobs":null}],"object":"chat.completion","usage":{"prompt_tokens":<input>,"completion_tokens":1,'
    '"total_tokens":<total>,"prompt_tokens_details":<cached>},"created":<time>,"system_fingerprint":null,'
    '"model":"qwen-plus","id":"chatcmpl-<id>"}'
)
NATIVE_USAGE = (
    '"usage":{"input_tokens":<input>,"output_tokens":1,"total_tokens":<total>,"prompt_tokens_details":<cached>},'
    '"request_id":"<id>"}'
)
NATIVE_STREAM = (
    'id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"text":"<text>","finish_reason":"null"},'
    + NATIVE_USAGE
    + "\n\n"
    + 'id:2\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{"text":"<text>","finish_reason":"length"},'
    + NATIVE_USAGE
    + "\n\n"
)
NATIVE_WHOLE = '{"output":{"text":"<text>","finish_reason":"length"},' + NATIVE_USAGE
CHAT = "/compatible-mode/v1/chat/completions"
GENERATION = "/api/v1/services/aigc/text-generation/generation"
MESSAGES = '"messages":[{"role":"user","content":"Say hello."}]'
OPENAI_BODY = '{"model":"qwen-plus",%s,"max_tokens":1,"top_k":1,"stream":%s,"stream_options":{"include_usage":true}}'
NATIVE_BODY = '{"model":"qwen-plus","input":{%s},"parameters":{"max_tokens":1,"top_k":1}}'
SSE = {"X-DashScope-SSE": "enable"}


def masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text


class Seen(NamedTuple):
    """A response with its variable parts masked."""

    status: int
    headers: dict[str, str]
    text: str


def post(live: Server, path: str, body: str, headers: dict[str, str]) -> Seen:
    with closing(http.client.HTTPConnection("127.0.0.1", live.port, timeout=60)) as connection:
        connection.request("POST", path, body.encode(), headers)
        with connection.getresponse() as response:
            return Seen(response.status, headers_of(response), masked(response.read().decode()))


def headers_of(response: http.client.HTTPResponse) -> dict[str, str]:
    changing = {"date", "content-length"}
    return {name.lower(): masked(value) for name, value in response.getheaders() if name.lower() not in changing}


@pytest.mark.parametrize(
    ("path", "body", "extra", "expected"),
    [
        pytest.param(CHAT, OPENAI_BODY % (MESSAGES, "false"), {}, OPENAI_WHOLE, id="openai"),
        pytest.param(GENERATION, NATIVE_BODY % MESSAGES, {}, NATIVE_WHOLE, id="native"),
    ],
)
def test_a_whole_answer(live: Server, path: str, body: str, extra: dict[str, str], expected: str) -> None:
    # Asked twice, so that a part of the prompt is cached and the usage has all its fields.
    post(live, path, body, live.bearer | extra)
    response = post(live, path, body, live.bearer | extra)

    assert response.text == expected
    assert response.headers == {
        "content-type": "application/json",
        "x-qwenport-served-by": "llama/smollm2-135m-instruct; stand-in",
        "x-request-id": "<id>",
    }


@pytest.mark.parametrize(
    ("path", "body", "extra", "expected"),
    [
        pytest.param(CHAT, OPENAI_BODY % (MESSAGES, "true"), {}, OPENAI_STREAM, id="openai"),
        pytest.param(GENERATION, NATIVE_BODY % MESSAGES, SSE, NATIVE_STREAM, id="native"),
    ],
)
def test_a_stream(live: Server, path: str, body: str, extra: dict[str, str], expected: str) -> None:
    post(live, path, body, live.bearer | extra)
    response = post(live, path, body, live.bearer | extra)

    assert response.text == expected
    assert response.headers == {
        "content-type": "text/event-stream;charset=UTF-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "x-qwenport-served-by": "llama/smollm2-135m-instruct; stand-in",
        "x-request-id": "<id>",
        "transfer-encoding": "chunked",
    }


NO_KEY = '{"code":"InvalidApiKey","message":"No API-key provided.","request_id":"<id>"}'
WRONG_KEY = (
    '{"error":{"message":"Incorrect API key provided. ","type":"invalid_request_error","param":null,'
    '"code":"invalid_api_key"},"request_id":"<id>"}'
)
NATIVE_WRONG_KEY = '{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"<id>"}'
NOT_FOUND = '{"code":"NotFound","message":"Not found!","request_id":"<id>"}'
NOT_JSON = (
    '{"error":{"message":"Required body invalid, please check the request body format.",'
    '"type":"invalid_request_error","param":null,"code":null},"request_id":"<id>"}'
)
NATIVE_NO_INPUT = (
    '{"code":"BadRequest.EmptyInput","message":"Required input parameter missing from request.","request_id":"<id>"}'
)
NATIVE_NO_MODEL = (
    '{"code":"BadRequest.EmptyModel","message":"Required parameter \\"model\\" missing from request.",'
    '"request_id":"<id>"}'
)
ASYNCHRONOUS = (
    '{"code":"AccessDenied","message":"current user api does not support asynchronous calls.","request_id":"<id>"}'
)
NOBODY = {"Authorization": ""}
WRONG = {"Authorization": "Bearer sk-0123456789abcdef"}


@pytest.mark.parametrize(
    ("path", "body", "headers", "expected"),
    [
        pytest.param(CHAT, "{}", NOBODY, (401, NO_KEY), id="openai no key"),
        pytest.param(GENERATION, "{}", NOBODY, (401, NO_KEY), id="native no key"),
        pytest.param("/nowhere", "{}", NOBODY, (401, NO_KEY), id="a stranger learns of no address"),
        pytest.param(CHAT, "{}", WRONG, (401, WRONG_KEY), id="openai wrong key"),
        pytest.param(GENERATION, "{}", WRONG, (401, NATIVE_WRONG_KEY), id="native wrong key"),
        pytest.param("/compatible-mode/v1/nowhere", "{}", {}, (404, NOT_FOUND), id="openai unknown address"),
        pytest.param("/api/v1/nowhere", "{}", {}, (404, NOT_FOUND), id="native unknown address"),
        pytest.param(CHAT, "{", {}, (400, NOT_JSON), id="openai broken JSON"),
        pytest.param(GENERATION, "{}", {}, (400, NATIVE_NO_MODEL), id="native no model"),
        pytest.param(GENERATION, '{"model":"qwen-plus"}', {}, (400, NATIVE_NO_INPUT), id="native no input"),
        pytest.param(
            GENERATION,
            NATIVE_BODY % MESSAGES,
            {"X-DashScope-Async": "enable"},
            (403, ASYNCHRONOUS),
            id="native asynchronous",
        ),
    ],
)
def test_a_refusal(live: Server, path: str, body: str, headers: dict[str, str], expected: tuple[int, str]) -> None:
    response = post(live, path, body, live.bearer | headers)

    assert (response.status, response.text) == expected
    assert response.headers["content-type"] == "application/json"


def test_the_key_may_stand_in_another_header(live: Server) -> None:
    post(live, GENERATION, NATIVE_BODY % MESSAGES, live.bearer)
    response = post(live, GENERATION, NATIVE_BODY % MESSAGES, {"x-api-key": live.key})

    assert (response.status, response.text) == (200, NATIVE_WHOLE)


def test_a_connection_serves_many_requests(live: Server) -> None:
    bodies = (OPENAI_BODY % (MESSAGES, "true"), '{"model":"gpt-4",' + MESSAGES + "}", OPENAI_BODY % (MESSAGES, "false"))
    statuses = []
    with closing(http.client.HTTPConnection("127.0.0.1", live.port, timeout=60)) as connection:
        connection.connect()
        first = connection.sock
        for body in bodies:
            connection.request("POST", CHAT, body.encode(), live.bearer)
            with connection.getresponse() as response:
                response.read()
                statuses.append((response.status, connection.sock is first))

    assert statuses == [(200, True), (404, True), (200, True)]

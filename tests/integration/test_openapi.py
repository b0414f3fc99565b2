"""What the document says, held against what the server answers; and the page that shows it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # stubs would be one more dependency

from qwenport.core.call import EmbeddingInput, RerankInput
from qwenport.core.errors import EngineFailed, QwenportError
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Ranked,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
    TopToken,
)
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tokens import Tokens
from qwenport.core.usage import Usage
from qwenport.faces.face import CallOperation, Face, Operation, QueryOperation, Reply, Request
from qwenport.faces.registry import FACES
from qwenport.server.openapi import listed_operations, openapi_document
from qwenport.testing.gateway import KEY, Gateway, Plan, bearer, running_gateway
from qwenport.testing.plain_call import FIRST_ID, START
from qwenport.testing.raw_client import Answer
from qwenport.testing.scripted_engine import ScriptedEngine, Step

pytestmark = pytest.mark.anyio


def is_plain_call(operation: Operation) -> bool:
    """Tell calls apart from services that are handed on, whose answers are not ours."""
    return isinstance(operation, CallOperation) and "{" not in operation.path


DOCUMENT = json.loads(openapi_document(FACES))
TARGETS = ("llama/smollm2-135m-instruct", "embed/multilingual-e5-small")
CALLS = [(face, operation) for face in FACES for operation in listed_operations(face) if is_plain_call(operation)]
STARTED = Started(served_by=TARGETS[0], input_tokens=9, cached_tokens=2, image_tokens=3)
SURE = TokenLogprob(
    token="Hi", logprob=-0.25, bytes=(72, 105), top=(TopToken(token="Ho", logprob=float("-inf"), bytes=(72, 111)),)
)
TEXT: tuple[Event, ...] = (
    STARTED,
    Reasoning(text="So"),
    Delta(text="Hi", logprobs=(SURE,)),
    Delta(text=" there", choice=0, tokens=2),
    ChoiceFinished(reason=FinishReason.LENGTH, tokens=1),
    Finished(usage=Usage(input_tokens=9, output_tokens=5, cached_tokens=2, reasoning_tokens=1, image_tokens=3)),
)
TOOLS: tuple[Event, ...] = (
    STARTED,
    Delta(text="Let me look."),
    ToolCallDelta(index=0, id="call_1", name="weather"),
    ToolCallDelta(index=0, arguments='{"city":'),
    ToolCallDelta(index=0, arguments='"Ulm"}'),
    ToolCallDelta(index=1, id="call_2", name="time", arguments="{}"),
    ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=1),
    Finished(usage=Usage(input_tokens=9, output_tokens=9)),
)
NOTHING: tuple[Event, ...] = (
    STARTED,
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=9, output_tokens=1)),
)
ANSWERS: dict[str, Sequence[Step]] = {"text": TEXT, "tools": TOOLS, "nothing": NOTHING}
MORE: list[dict[str, Any]] = [
    {},
    {"logprobs": True, "top_logprobs": 1, "result_format": "message", "include": ["message.output_text.logprobs"]},
    {"incremental_output": True, "encoding_format": "base64", "stream_options": {"include_usage": True}},
    {"return_documents": True, "enable_thinking": True, "result_format": "message", "stream": True},
]
"""Parameters that change the shape of an answer; operations pass over those that they do not know."""

SWAGGER_UI = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}
"""SHA-256 of the files in swagger-ui-dist 5.35.0."""


def name_of(value: object) -> str:
    if isinstance(value, Face):
        return value.name
    return value.path if isinstance(value, CallOperation | QueryOperation) else str(value)


def assert_described(kind: Any, content: bytes) -> None:
    """The content has every member that its type says and no other, and is valid by the document's schema."""
    value = json.loads(content)
    assert again(msgspec.json.decode(content, type=kind)) == value
    schema = {**schema_of(kind), "components": DOCUMENT["components"]}
    faults = Draft202012Validator(schema).iter_errors(value)
    assert [fault.message for fault in faults] == []


def again(value: object) -> Any:
    """Return what was decoded as the JSON that it would become: all of it that its type knows."""
    return json.loads(msgspec.json.encode(value))


def schema_of(kind: Any) -> Any:
    """Return the schema that the document has for a type which it names somewhere."""
    for face in FACES:
        for operation in listed_operations(face):
            responses = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
            answers = responses.get("200", {}).get("content", {})
            if operation.description.answer is kind:
                return answers["application/json"]["schema"]
            if operation.description.piece is kind:
                return answers["text/event-stream"]["schema"]
    raise LookupError(kind)


def pieces(stream: bytes) -> list[bytes]:
    """Return the data of each event."""
    lines = [line for line in stream.split(b"\n") if line.startswith(b"data:")]
    return [line.removeprefix(b"data:").strip() for line in lines if line.strip() != b"data: [DONE]"]


def script(steps: Sequence[Step]) -> Callable[[PreparedCall], Sequence[Step]]:
    def follow(prepared: PreparedCall) -> Sequence[Step]:
        match prepared.call.input:
            case EmbeddingInput(texts=texts):
                said: list[Step] = [Embedded(index=at, vector=struct.pack("<2f", 1, 0.5)) for at in range(len(texts))]
            case RerankInput(documents=documents):
                said = [Ranked(index=at, score=0.5) for at in range(len(documents))]
            case _:
                return steps
        return [STARTED, *said, Finished(usage=Usage(input_tokens=9))]

    return follow


class House:
    """A gateway whose engines can be told what to say."""

    def __init__(self, gateway: Gateway, engines: Sequence[ScriptedEngine]) -> None:
        self._gateway = gateway
        self._engines = engines

    async def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        async with self._gateway.client() as client:
            return await client.ask(method, path, {**bearer(KEY), **(headers or {})}, body)

    async def call(self, operation: CallOperation, more: dict[str, Any], *, streams: bool = False) -> Answer:
        """Send the operation's example with more parameters."""
        is_native = operation.path.startswith("/api/")
        body = {**operation.description.example, **({"parameters": more} if is_native else {**more, "stream": streams})}
        if operation.name == "completions" and "logprobs" in body:
            body["logprobs"] = 1
        if "enable_thinking" in more and body["model"] == "qwen-vl-plus":
            body["model"] = "qwen3.5-plus"  # the one of the example does not think
        headers = {"x-dashscope-sse": "enable"} if streams else {}
        return await self.ask("POST", operation.path, msgspec.json.encode(body), headers)

    def say(self, steps: Sequence[Step]) -> None:
        for engine in self._engines:
            engine.script = script(steps)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    engines = [ScriptedEngine(script(TEXT), target=target) for target in TARGETS]
    async with running_gateway(tmp_path, Plan(engines=engines)) as gateway:
        yield House(gateway, engines)


@pytest.mark.parametrize("more", MORE, ids=lambda more: "-".join(more) or "plain")
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize(("face", "operation"), CALLS, ids=name_of)
async def test_every_answer_is_of_the_described_type(
    house: House, face: Face, operation: CallOperation, kind: str, more: dict[str, Any]
) -> None:
    house.say(ANSWERS[kind])
    if "enable_thinking" not in more:
        whole = await house.call(operation, more)
        assert whole.status == 200, whole.body
        assert_described(operation.description.answer, whole.body)
    if operation.streams:
        streamed = await house.call(operation, more, streams=True)
        assert streamed.status == 200, streamed.body
        assert pieces(streamed.body)
        for piece in pieces(streamed.body):
            assert_described(operation.description.piece, piece)


@pytest.mark.parametrize(("face", "operation"), CALLS, ids=name_of)
async def test_an_error_in_a_stream_is_one_of_the_faces_shapes(
    house: House, face: Face, operation: CallOperation
) -> None:
    if not operation.streams:
        return
    house.say((*TEXT[:3], EngineFailed("it broke off")))
    streamed = await house.call(operation, {}, streams=True)
    *said, last = pieces(streamed.body)

    for piece in said:
        assert_described(operation.description.piece, piece)
    if operation.name == "responses":
        assert_described(operation.description.piece, last)
    else:
        assert is_error(face, last)


def is_error(face: Face, content: bytes) -> bool:
    """Tell whether content is exactly one of the shapes that the face's errors have."""
    for shape in face.errors:
        try:
            value: object = msgspec.json.decode(content, type=shape)
        except msgspec.ValidationError:
            continue
        if again(value) == json.loads(content):
            return True
    return False


def every_error() -> list[QwenportError]:
    """Return an error of each class that can be made without a word."""
    found: list[QwenportError] = []
    kinds: list[type[QwenportError]] = [QwenportError]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        try:
            found.append(kind())
        except TypeError:
            continue
    return found


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("face", FACES, ids=name_of)
def test_every_error_has_a_described_shape(face: Face, error: QwenportError) -> None:
    assert is_error(face, face.encode_error(error, FIRST_ID).body)


async def answers_of_the_house(house: House) -> dict[tuple[str, str], bytes]:
    """Store what can be stored and return what the operations that no model runs for answer, by name and path."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--b\r\nContent-Disposition: form-data; name="%b"; filename="a.jsonl"\r\n\r\n{}\r\n--b--\r\n'
    )
    kind = {"content-type": "multipart/form-data; boundary=b"}
    found: dict[tuple[str, str], bytes] = {}

    async def ask(name: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        answer = await house.ask(method, path, body, headers)
        assert answer.status == 200, answer.body
        found[name, path.rpartition("/v1/")[0]] = answer.body
        return json.loads(answer.body)

    for base in ("/compatible-mode/v1", "/v1"):
        file = await ask("files.create", "POST", f"{base}/files", form % b"file", kind)
        await ask("files.list", "GET", f"{base}/files")
        await ask("files.retrieve", "GET", f"{base}/files/{file['id']}")
        await ask("files.delete", "DELETE", f"{base}/files/{file['id']}")
        await ask("models.list", "GET", f"{base}/models")
        await ask("models.retrieve", "GET", f"{base}/models/qwen-plus")
        kept = await ask("responses", "POST", f"{base}/responses", b'{"model":"qwen-plus","input":"Hi"}')
        await ask("responses.retrieve", "GET", f"{base}/responses/{kept['id']}")
        await ask("responses.input_items", "GET", f"{base}/responses/{kept['id']}/input_items")
        await ask("responses.delete", "DELETE", f"{base}/responses/{kept['id']}")
    uploaded = await ask("files.upload", "POST", "/api/v1/files", form % b"files", kind)
    file_id = uploaded["data"]["uploaded_files"][0]["file_id"]
    await ask("files.list", "GET", "/api/v1/files")
    await ask("files.get", "GET", f"/api/v1/files/{file_id}")
    await ask("files.delete", "DELETE", f"/api/v1/files/{file_id}")
    await ask("models.list", "GET", "/api/v1/models")
    await ask("uploads.grant", "GET", "/api/v1/uploads?action=getPolicy&model=qwen-vl-plus")
    for base in ("/api/v1", "/api-task/v1"):
        await ask("tasks.list", "GET", f"{base}/tasks")
        await ask("tasks.get", "GET", f"{base}/tasks/none")
    return found


def with_vocabulary(operation: Operation, tokens: object) -> bytes:
    """Return what an operation says of tokens, which a gateway without the vocabulary cannot count."""
    assert isinstance(operation, QueryOperation)
    request = Request(id=FIRST_ID, received_at=START, headers={}, query={}, path_parameters={}, body=b"")
    reply = operation.encode(request, tokens)
    assert isinstance(reply, Reply)
    return reply.body


async def test_what_no_model_runs_for_is_of_the_described_type(house: House) -> None:
    found = await answers_of_the_house(house)
    tokens = {
        "tokenizer": Tokens(ids=(1, 2), texts=("a", "b")),
        "messages.count_tokens": 7,
        "tasks.cancel": None,
    }
    unheld = []
    for face in FACES:
        for operation in listed_operations(face):
            content = found.get((operation.name, operation.path.rpartition("/v1/")[0]))
            if operation.name in tokens:
                content = with_vocabulary(operation, tokens[operation.name])
            if content is not None:
                assert_described(operation.description.answer, content)
            elif operation.description.answer not in {None, bytes} and not isinstance(operation, CallOperation):
                unheld.append(operation.name)

    assert unheld == []


async def test_the_document_is_served_to_anyone(house: House) -> None:
    answer = await house.ask("GET", "/openapi.json", headers={"authorization": ""})

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == DOCUMENT


@pytest.mark.parametrize("name", SWAGGER_UI)
async def test_the_page_is_made_of_what_swagger_ui_publishes(house: House, name: str) -> None:
    plain = await house.ask("GET", f"/docs/{name}")
    packed = await house.ask("GET", f"/docs/{name}", headers={"accept-encoding": "br, gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 3
    assert hashlib.sha256(plain.body).hexdigest() == SWAGGER_UI[name]
    assert gzip.decompress(packed.body) == plain.body


async def test_the_page_asks_nobody_else_and_nobody_may_frame_it(house: House) -> None:
    page = await house.ask("GET", "/docs", headers={"authorization": ""})
    parts = re.findall(r'(?:src|href)="(docs/[^"?]*)', page.body.decode())
    served = [await house.ask("GET", f"/{part}", headers={"authorization": ""}) for part in parts]

    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert sorted(parts) == ["docs/docs.js", "docs/swagger-ui-bundle.js", "docs/swagger-ui.css"]
    assert [part.status for part in served] == [200, 200, 200]
    assert b"//" not in page.body
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert {part.headers["x-content-type-options"] for part in (page, *served)} == {"nosniff"}

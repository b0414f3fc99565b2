"""Every POST of every face with an `Idempotency-Key`: done once, and given again byte for byte."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import openai
import pytest
from starlette.routing import Route, Router

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.vocabulary import QWEN_VOCABULARY
from qwenport.catalog.weights import WeightsStore
from qwenport.core.events import ChoiceFinished, Delta, Embedded, Finished, FinishReason, Ranked, Started
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.faces.face import CallOperation, Operation, QueryOperation
from qwenport.faces.registry import FACES
from qwenport.server.public import UPLOAD_HOST
from qwenport.settings.configuration_file import RouteTable
from qwenport.testing.gateway import KEY, Gateway, Plan, bearer, running_gateway
from qwenport.testing.native_upstream import NativeUpstream, Said, running_upstream, task
from qwenport.testing.plain_call import every_plain_call
from qwenport.testing.raw_client import Answer
from qwenport.testing.scripted_engine import ScriptedEngine, Step

pytestmark = pytest.mark.anyio

CHAT_TARGET, VECTOR_TARGET = "llama/smollm2-135m-instruct", "embed/multilingual-e5-small"
CARD = """
name = "pictures"
description = "A model of tests that makes pictures."
family = "test"
released = 2025-01-01
context_tokens = 8192
max_input_tokens = 8000
max_output_tokens = 4096

[capabilities]
abilities = ["native"]
native_services = ["aigc/text2image/image-synthesis", "aigc/multimodal-generation/generation"]

[[prices]]
region = "beijing"
currency = "CNY"
input = "0.001"
output = "0.002"
per_tokens = 1000
since = 2025-01-01
source = "made up for a test"
units = { characters = "0.0001" }
most_units = { characters = 600 }
"""
PICTURES = "/api/v1/services/aigc/text2image/image-synthesis"
SPEECH = "/api/v1/services/aigc/multimodal-generation/generation"
VOCABULARY = Path(str(files("dashscope") / "resources" / "qwen.tiktoken"))

POSTS = [(face, operation) for face in FACES for operation in face.operations if operation.method == "POST"]
CALLS = {call.operation.path: call for call in every_plain_call(FACES) if not call.streams}
CANCELS = [operation for _, operation in POSTS if operation.name == "tasks.cancel"]
UPLOADS = [operation for _, operation in POSTS if not isinstance(operation, CallOperation | QueryOperation)]

ONCE = (200, "true", True, 400)
"""Status of the first answer, header and sameness of the second, status of another request with the same key."""
REFUSED = (404, None, False, 404)
"""What was not done and cost nothing is forgotten, and refused anew."""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A request, another sending of it, and one that asks for something else."""

    path: str
    body: bytes
    other: bytes
    again: bytes = b""
    """Empty where it is sent as it was before."""
    headers: dict[str, str] = field(default_factory=dict)
    headers_again: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class House:
    """A gateway, its engines, and what is upstream of it."""

    gateway: Gateway
    engines: Sequence[ScriptedEngine]
    upstream: NativeUpstream

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        async with self.gateway.client() as client:
            return await client.ask("POST", path, {**bearer(), **headers}, body)

    async def three_times(self, name: str, posted: Posted) -> tuple[int, str | None, bool, int]:
        """Send a request, send it again, and another one, all with one key; return what tells how they were taken."""
        key = {"idempotency-key": name}
        first = await self.post(posted.path, posted.body, posted.headers | key)
        again = posted.headers | posted.headers_again | key
        second = await self.post(posted.path, posted.again or posted.body, again)
        other = await self.post(posted.path, posted.other, posted.headers | key)
        return first.status, second.headers.get("idempotent-replayed"), second.body == first.body, other.status


def script(prepared: PreparedCall) -> Sequence[Step]:
    started, finished = Started(served_by="engine/model", input_tokens=7), Finished(usage=Usage(input_tokens=7))
    if "rerank" in prepared.call.operation:
        return started, Ranked(index=0, score=0.5), finished
    if "embedding" in prepared.call.operation:
        return started, Embedded(index=0, vector=struct.pack("<2f", 0.5, -0.5)), finished
    return started, Delta(text="Hello"), ChoiceFinished(reason=FinishReason.STOP, tokens=1), finished


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Run a gateway that answers every POST there is."""
    cards, models, data = tmp_path / "cards", tmp_path / "data" / "models", tmp_path / "data"
    cards.mkdir()
    models.mkdir(parents=True)
    (cards / "pictures.toml").write_text(CARD)
    WeightsStore(models).path(QWEN_VOCABULARY).symlink_to(VOCABULARY)
    catalog = Catalog.load(cards).with_routes([RouteTable(model="pictures", to=("studio/there",))], {"studio": ()})
    native = NativeUpstream()
    engines = [ScriptedEngine(script, target=target) for target in (CHAT_TARGET, VECTOR_TARGET)]
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(running_upstream(native))
        plan = Plan(
            engines=[*engines, upstream.engine("there", catalog.resolve("pictures"))],
            catalog=catalog,
            task_homes={"studio": upstream},
        )
        gateway = await stack.enter_async_context(running_gateway(data, plan))
        yield House(gateway=gateway, engines=engines, upstream=native)


async def with_tasks(house: House, task_ids: Sequence[str]) -> None:
    """Have the upstream make tasks, which wait, and one more when it is asked the next time."""
    house.upstream.said = [Said(body=task(each, "PENDING")) for each in (*task_ids, "t-next")]
    house.upstream.tasks = {each: task(each, "PENDING") for each in task_ids}
    for each in task_ids:
        posted = picture(each)
        assert (await house.post(posted.path, posted.body, posted.headers)).status == 200


def picture(prompt: str) -> Posted:
    def body(text: str) -> bytes:
        return json.dumps({"model": "pictures", "input": {"prompt": text}, "parameters": {}}).encode()

    return Posted(path=PICTURES, body=body(prompt), other=body("a dog"), headers={"x-dashscope-async": "enable"})


def tokens(path: str) -> Posted:
    def body(text: str) -> bytes:
        messages = [{"role": "user", "content": text}]
        return json.dumps({"model": "qwen-plus", "messages": messages, "input": {"messages": messages}}).encode()

    return Posted(path=path, body=body("Hi"), other=body("Ho"))


def form(path: str, content: bytes = b"one") -> Posted:
    """Return a form that is sent again as clients do it: with another line between its parts."""

    def body(boundary: bytes, text: bytes) -> bytes:
        part = b"--%s\r\nContent-Disposition: form-data; name=" % boundary
        name = b"files" if path == "/api/v1/files" else b"file"
        purpose = part + b'"purpose"\r\n\r\nfile-extract\r\n'
        return purpose + part + b'"%s"; filename="a.txt"\r\n\r\n%s\r\n--%s--\r\n' % (name, text, boundary)

    return Posted(
        path=path,
        body=body(b"edge", content),
        again=body(b"shore", content),
        other=body(b"edge", b"two"),
        headers={"content-type": "multipart/form-data; boundary=edge"},
        headers_again={"content-type": "multipart/form-data; boundary=shore"},
    )


def posted(operation: Operation) -> Posted:
    """Return how an operation is asked for; a new one has to be entered here."""
    path = operation.path
    if path in CALLS:
        call = CALLS[path]
        other = call.body.replace(b"Hi", b"Ho")
        return Posted(path=path, body=call.body, other=other, headers=call.headers(KEY))
    return {
        "native-service": lambda: picture("a cat"),
        "tokenizer": lambda: tokens(path),
        "messages.count_tokens": lambda: tokens(path),
        "tasks.cancel": lambda: Posted(path=path.format(task_id=task_of(operation)), body=b"", other=b"{}"),
        "responses.cancel": lambda: Posted(path=path.format(response_id="resp_none"), body=b"", other=b"{}"),
        "files.create": lambda: form(path),
        "files.upload": lambda: form(path),
    }[operation.name]()


def task_of(operation: Operation) -> str:
    return f"t-{CANCELS.index(operation)}"


async def test_every_post_of_every_face_is_done_once_for_each_key(house: House) -> None:
    await with_tasks(house, [task_of(operation) for operation in CANCELS])
    told = {operation.path: await house.three_times(operation.path, posted(operation)) for _, operation in POSTS}

    assert told == {operation.path: REFUSED if operation.name == "responses.cancel" else ONCE for _, operation in POSTS}
    assert sum(len(engine.calls) for engine in house.engines) == len(CALLS)
    assert house.upstream.cancels == [task_of(operation) for operation in CANCELS]
    assert len(house.upstream.made) == len(CANCELS) + 1
    stored = [path for path in (house.gateway.folder / "files").rglob("file-fe-*") if path.is_file()]
    assert len(stored) == len(UPLOADS)


async def test_no_other_address_takes_a_post(house: House) -> None:
    """All but the upload host, which replaces nothing, and `/admin/v1`, an application of its own.

    Its POSTs are the operator's and bill nothing; a credit and a debit have a field for a key of their own.
    """
    assert isinstance(house.gateway.application, Router)
    paths = {route.path for route in house.gateway.application.routes if isinstance(route, Route)}
    others = paths - {operation.path for _, operation in POSTS}
    told = {path: (await house.post(path, b"{}", {})).status for path in others}

    assert {path for path, status in told.items() if status not in {401, 405}} == {UPLOAD_HOST}


async def test_a_task_whose_answer_was_lost_is_not_made_again(house: House) -> None:
    house.upstream.said = [Said(body=task("t-1", "PENDING"))]
    asked = picture("a cat")
    headers = asked.headers | {"idempotency-key": "once"}
    first = await house.post(asked.path, asked.body, headers)
    await house.gateway.keeper.post()
    with house.gateway.database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE idempotent_requests SET status = 0")
    again = await house.post(asked.path, asked.body, headers)

    assert (first.status, again.status, len(house.upstream.made)) == (200, 409, 1)


BROKEN = {"code": "InternalError", "message": "The speaker is hoarse."}


@pytest.mark.parametrize("end", [{"output": {"audio": {"data": "2"}}, "usage": {"characters": 2}}, BROKEN])
async def test_a_stream_that_is_handed_on_and_billed_by_characters_is_given_again_as_it_was(
    house: House, end: dict[str, object]
) -> None:
    house.upstream.said = [Said(pieces=[{"output": {"audio": {"data": "1"}}, "usage": {"characters": 1}}, end])]
    body = json.dumps({"model": "pictures", "input": {"text": "hello"}}).encode()
    headers = {"x-dashscope-sse": "enable", "idempotency-key": "once"}
    first, second = [await house.post(SPEECH, body, headers) for _ in range(2)]

    assert (first.status, first.body.count(b"data:"), b"hoarse" in first.body) == (200, 2, end is BROKEN)
    assert (second.body, second.headers["idempotent-replayed"], len(house.upstream.made)) == (first.body, "true", 1)


async def test_the_official_client_stores_a_file_once(house: House) -> None:
    url = f"http://127.0.0.1:{house.gateway.port}/compatible-mode/v1"
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as client:

        async def create(content: bytes, purpose: Any = "file-extract") -> openai.types.FileObject:
            return await client.files.create(
                file=("a.txt", content),
                purpose=purpose,
                extra_headers={"Idempotency-Key": "letter"},
            )

        stored = [await create(b"Dear all") for _ in range(2)]
        for other in (create(b"Dear both"), create(b"Dear all", "batch")):
            with pytest.raises(openai.BadRequestError, match="was used before with another request"):
                await other
        found = [each.id async for each in client.files.list()]

    assert stored[0] == stored[1]
    assert found == [stored[0].id]

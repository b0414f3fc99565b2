"""The recipes of ARCHITECTURE.md: a face, an engine, a model and a limit, each added without a change elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel
from qwenport.core.call import Call, ChatInput
from qwenport.core.capabilities import Capabilities
from qwenport.core.content import Message, Role
from qwenport.core.errors import BodyNotJson, QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, Engine, EngineState, HostCommand, Site
from qwenport.engines.registry import GROUP, collect
from qwenport.faces.face import CallOperation, Cards, Exchange, Face, Reply, Request
from qwenport.faces.registry import FACES
from qwenport.metering.reports import CallQuery, Reports
from qwenport.testing.calls import said
from qwenport.testing.gateway import KEY, OPERATOR_TOKEN, Gateway, Plan, bearer, running_gateway
from qwenport.testing.plain_call import every_plain_call
from qwenport.testing.raw_client import Answer
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
PLAIN = every_plain_call(FACES)[0]


async def ask(gateway: Gateway, method: str, path: str, body: bytes = b"", token: str = KEY) -> Answer:
    async with gateway.client() as client:
        return await client.ask(method, path, bearer(token), body)


async def history(gateway: Gateway) -> list[tuple[str, str, str, str, int]]:
    await gateway.idle()
    await gateway.keeper.post()
    calls = Reports(gateway.database).calls(CallQuery())
    return [(call.face, call.model, call.served_by, call.outcome, call.output_tokens) for call in calls]


# A face: a protocol that takes a line of text and answers with one.


class ShoutedAnswer:
    """The toy face's answer: all of it in capitals."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, event: Event) -> None:
        if isinstance(event, Delta):
            self._text += event.text.upper()

    def reply(self) -> Reply:
        return Reply(status=200, headers=((b"content-type", b"text/plain"),), body=self._text.encode())


def decode_shout(request: Request, cards: Cards) -> Exchange:
    try:
        text = request.body.decode()
    except UnicodeDecodeError as error:
        raise BodyNotJson("this is no text") from error
    message = Message(role=Role.USER, content=text)
    asked = ChatInput(messages=(message,))
    call = Call(id=request.id, face="shout", operation="shout", model="qwen-plus", input=asked)
    return Exchange(call=call, answer=ShoutedAnswer())


def shouted_error(error: QwenportError, request_id: RequestId) -> Reply:
    return Reply(status=418, headers=(), body=f"{error.code} {request_id}".encode())


SHOUT = Face(
    name="shout",
    prefixes=("/shout",),
    operations=(CallOperation(name="shout", method="PUT", path="/shout/{room}", decode=decode_shout),),
    encode_error=shouted_error,
)


async def test_a_face_is_one_value_in_the_list_of_faces(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda _: answer("hello ", "you", served_by=TARGET), target=TARGET)
    async with running_gateway(tmp_path, Plan(engines=[engine], faces=[*FACES, SHOUT])) as gateway:
        shouted = await ask(gateway, "PUT", "/shout/hall", b"Hi")
        unreadable = await ask(gateway, "PUT", "/shout/hall", b"\xff")
        wrong_way = await ask(gateway, "GET", "/shout/hall")
        nowhere = await ask(gateway, "PUT", "/shout/hall/door")
        stranger = await ask(gateway, "PUT", "/shout/hall", token="sk-unknown")

        assert (shouted.status, shouted.body) == (200, b"HELLO YOU")
        assert [each.body.split()[0] for each in (unreadable, wrong_way, nowhere, stranger)] == [
            b"body_not_json",
            b"method_not_allowed",
            b"path_not_found",
            b"key_invalid",
        ]
        assert await history(gateway) == [("shout", "qwen-plus", TARGET, "finished", 2)]


# An engine: a kind, found by its entry point, and the gateway's side of it.


class EchoEngine:
    """Says the last message again, word by word."""

    def __init__(self, target: str, slots: int) -> None:
        self.target = target
        self.slots = slots
        self.capabilities = Capabilities()

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        words = said(prepared.call).split()
        yield Started(served_by=self.target, input_tokens=len(words))
        for word in words:
            yield Delta(text=word)
        yield ChoiceFinished(reason=FinishReason.STOP)
        yield Finished(usage=Usage(input_tokens=len(words), output_tokens=len(words)))

    def condition(self) -> Condition:
        return Condition(state=EngineState.READY)

    async def close(self) -> None:
        """Hold nothing."""


class EchoKind:
    """The kind of engine that a package would offer."""

    name = "echo"

    def connect(self, model: EngineModel, site: Site) -> Engine:
        return EchoEngine(model.target, model.slots)

    def host_command(self, model: EngineModel, site: Site) -> HostCommand | None:
        return None

    async def is_ready(self, model: EngineModel, site: Site) -> bool:
        return True


MODEL = """
name = "parrot-1"
description = "Says again what it is told"
family = "parrot"
released = 2026-01-01
context_tokens = 1_000
max_input_tokens = 500
max_output_tokens = 500

[[prices]]
region = "beijing"
currency = "CNY"
input = "1"
output = "2"
per_tokens = 1_000
since = 2025-01-01
source = "a test"

[weights]
source = "file:/nowhere"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
size_bytes = 1
licence = "none"

[engine]
kind = "echo"
context_tokens = 1_000
slots = 2
"""


def catalog_with_parrot(folder: Path) -> Catalog:
    folder.mkdir()
    (folder / "parrot-1.toml").write_text(MODEL, "utf-8")
    return Catalog.load(folder)


async def test_an_engine_is_a_kind_with_an_entry_point_and_a_model_is_one_file(tmp_path: Path) -> None:
    catalog = catalog_with_parrot(tmp_path / "catalog")
    kinds = collect([EntryPoint(name="echo", value=f"{__name__}:EchoKind", group=GROUP)])
    model = catalog.engine_models["echo/parrot-1"]
    engine = kinds[model.kind].connect(model, Site(runtime_dir=tmp_path, models_dir=tmp_path, secret=""))
    call = replace(PLAIN, model="parrot-1", text="one two three")
    async with running_gateway(tmp_path, Plan(engines=[engine], catalog=catalog)) as gateway:
        async with gateway.client() as client:
            await client.send(call.request(KEY))
            completion = await client.answer()
        listed = await ask(gateway, "GET", "/v1/models/parrot-1")
        status = await ask(gateway, "GET", "/admin/v1/status", token=OPERATOR_TOKEN.reveal())

        assert json.loads(completion.body)["choices"][0]["message"]["content"] == "onetwothree"
        assert completion.headers["x-qwenport-served-by"] == "echo/parrot-1"
        assert json.loads(listed.body)["owned_by"] == "qwenport"
        assert json.loads(status.body)["engines"]["echo/parrot-1"]["state"] == "ready"
        assert await history(gateway) == [("openai", "parrot-1", "echo/parrot-1", "finished", 3)]


# A limit: no code, but a row that says what is counted, over which time and for whom.


async def test_a_limit_is_data_that_the_operator_writes(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda _: answer("a", "b", "c", served_by=TARGET), target=TARGET)
    call = replace(PLAIN, parameters={"max_tokens": 8})
    limit = {"unit": "output_tokens", "window": "day", "cap": 10, "per": ["key", "model"]}
    answers: Sequence[Answer] = []
    async with running_gateway(tmp_path, Plan(engines=[engine])) as gateway:
        async with gateway.operator_client() as operator:
            made = await operator.ask("POST", "/admin/v1/limits", {}, json.dumps(limit).encode())
        async with gateway.client() as client:
            for _ in range(2):
                await client.send(call.request(KEY))
                answers = [*answers, await client.answer()]
                await gateway.idle()

        assert made.status == 201
        assert [each.status for each in answers] == [200, 429]
        assert json.loads(answers[1].body)["error"]["code"] == "insufficient_quota"
        assert [row[3] for row in await history(gateway)] == ["finished"]

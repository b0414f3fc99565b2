"""The fuzzer would see what it looks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fuzz.asked import Answered, Asked
from fuzz.books import faults_of_books
from fuzz.client import ask
from fuzz.codecs import Codecs
from fuzz.engine import Engines
from fuzz.judge import Judge
from fuzz.mutations import mutate_json
from fuzz.requests import Requests
from fuzz.run import Outcome, Run

from qwenport.core.ids import RequestId
from qwenport.faces.anthropic import ANTHROPIC
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.face import CallOperation, Cards, Exchange, Face, Operation, Request
from qwenport.faces.openai import OPENAI
from qwenport.server.asgi import ASGIApp, Receive, Scope, Send
from qwenport.testing.gateway import Plan, running_gateway

pytestmark = pytest.mark.anyio

ID = "00000000-0000-9000-8000-000000000001"
TASK = b'{"request_id":"%b","output":{"task_id":"1","task_status":"UNKNOWN"}}'
ERROR = b'{"code":"InternalError","message":"words","request_id":"%b"}'
PIECE = (
    b'data:{"output":{"text":"a","finish_reason":"stop"},'
    b'"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2},"request_id":"1"}\n\n'
)


def operation(face: Face, name: str) -> Operation:
    return next(each for each in face.operations if each.name == name)


def asked(name: str = "tasks.get", **more: Any) -> Asked:
    return Asked(face=DASHSCOPE, operation=operation(DASHSCOPE, name), method="GET", path="/api/v1/tasks/1", **more)


def answered(status: int, body: bytes, *, kind: str = "application/json", request_id: str = ID) -> Answered:
    headers = {"content-type": kind, "x-request-id": request_id}
    return Answered(status=status, headers=headers, body=bytearray(body), is_whole=True)


@pytest.mark.parametrize(
    ("asked", "answered", "faults"),
    [
        (asked(), answered(200, TASK % ID.encode()), []),
        (asked(), answered(200, b"{}"), ["the answer is not of the described type"]),
        (asked(), answered(200, TASK % b"1", request_id=""), ["the answer has no x-request-id"]),
        (asked(), answered(400, ERROR % ID.encode()), []),
        (asked(), answered(400, ERROR % b"other"), ["the error's request_id is not that of the header"]),
        (asked(), answered(400, b"no"), ["the error is not in the face's shape"]),
        (asked(), answered(500, ERROR % ID.encode()), ["status 500, though no engine was told to fail"]),
        (asked(), answered(500, ERROR % b"failed", request_id="failed"), []),
        (asked(), Answered(status=200), ["there is no whole answer"]),
        (asked(), Answered(), ["there is no whole answer"]),
        (asked(leaves="in the answer"), Answered(status=200), []),
        (asked("text-generation"), answered(200, PIECE, kind="text/event-stream"), []),
        (
            asked("text-generation"),
            answered(200, PIECE[:-1], kind="text/event-stream"),
            ["the stream does not end with an empty line"],
        ),
        (
            asked("text-generation"),
            answered(200, b"data:{}\n\n", kind="text/event-stream"),
            ["an event is not of the described type: b'{}'"],
        ),
        (asked(), answered(200, PIECE, kind="text/event-stream"), ["an event is not of the described type"]),
    ],
)
def test_the_judge_tells_good_answers_from_bad(asked: Asked, answered: Answered, faults: list[str]) -> None:
    found = list(Judge(DASHSCOPE, {"failed"}.__contains__).faults(asked, answered))

    assert [fault[: len(expected)] for fault, expected in zip(found, faults, strict=True)] == faults


def test_the_same_seed_makes_the_same_requests() -> None:
    one, again, other = Requests(OPENAI, 1), Requests(OPENAI, 1), Requests(OPENAI, 2)

    assert [one.make(number) for number in range(50)] == [again.make(number) for number in range(50)]
    assert one.make(7) != one.make(8)
    assert one.make(7) != other.make(7)


def test_a_mutation_leaves_the_good_body_as_it_is() -> None:
    good = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}]}
    mutated = {mutate_json(Random(number), good) for number in range(200)}

    assert good == {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}]}
    assert len(mutated) > 100


def broken(face: Face, fault: Callable[[Request, Cards], Exchange]) -> Face:
    """Return a face whose operations that run a model all have a fault."""
    operations = tuple(
        replace(each, decode=fault) if isinstance(each, CallOperation) else each for each in face.operations
    )
    return replace(face, operations=operations)


async def run(face: Face, folder: Path, requests: int = 60) -> Outcome:
    engines = Engines(1)
    async with running_gateway(folder, Plan(engines=engines.scripted, faces=[face])) as gateway:
        return await Run(face, 1, gateway, engines)(range(requests))


async def test_a_decoder_that_breaks_is_found(tmp_path: Path) -> None:
    def decode(request: Request, cards: Cards) -> Exchange:
        raise KeyError("model")

    outcome = await run(broken(ANTHROPIC, decode), tmp_path)

    assert "status 500, though no engine was told to fail" in "\n".join(outcome.findings)
    assert outcome.requests == 60


async def test_an_answer_that_the_description_does_not_know_is_found(tmp_path: Path) -> None:
    described = operation(ANTHROPIC, "messages.count_tokens").description
    operations = tuple(
        replace(each, description=replace(each.description, answer=described.answer)) for each in ANTHROPIC.operations
    )
    outcome = await run(replace(ANTHROPIC, operations=operations), tmp_path)

    assert "the answer is not of the described type" in "\n".join(outcome.findings)


async def test_a_call_that_is_in_no_book_is_found(tmp_path: Path) -> None:
    engines = Engines(1)
    async with running_gateway(tmp_path, Plan(engines=engines.scripted)) as gateway:
        assert await faults_of_books(gateway, engines) == []
        engines.ran += [RequestId("unbilled"), RequestId("unbilled")]
        faults = await faults_of_books(gateway, engines)

    assert faults == [
        "calls reached an engine more than once: ['unbilled']",
        "1 calls that ran are not in the books, such as ['unbilled']",
    ]


async def test_a_slot_that_is_not_given_back_is_found(tmp_path: Path) -> None:
    engines = Engines(1)
    async with running_gateway(tmp_path, Plan(engines=engines.scripted)) as gateway:
        next(iter(gateway.router.rooms.values())).free -= 1
        engines.scripted[0].open_runs += 1
        faults = await faults_of_books(gateway, engines)

    assert faults == ["1 runs of engines were not closed", "slots of engines were not given back"]


async def test_the_client_leaves_when_it_is_told_to() -> None:
    heard: list[str] = []

    def application(name: str) -> ASGIApp:
        async def listen(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            while (message := await receive())["type"] != "http.disconnect":
                heard.append(f"{name} {message['body'].decode()} {message['more_body']}")
            with pytest.raises(OSError, match="the client has left"):
                await send({"type": "http.response.body", "body": b"b", "more_body": False})

        return listen

    async with asyncio.timeout(10):
        in_answer = await ask(application("answer"), asked(body=b"abcd", pieces=2, leaves="in the answer"))
        in_body = await ask(application("body"), asked(body=b"abcd", pieces=2, leaves="in the body"))

    assert heard == ["answer abc True", "answer d False", "body abc True", "body d True"]
    assert [(each.status, bytes(each.body), each.is_whole) for each in (in_answer, in_body)] == [(200, b"a", False)] * 2


@pytest.mark.parametrize("face", [OPENAI, DASHSCOPE, ANTHROPIC], ids=lambda face: face.name)
def test_every_good_body_is_read(face: Face) -> None:
    codecs = Codecs(face)
    for seed in codecs.seeds():
        codecs.run(seed)

    with pytest.raises(AttributeError):
        Codecs(broken(face, lambda request, cards: request.nothing)).run(codecs.seeds()[0])  # type: ignore[attr-defined]  # the fault

"""No address without a key, and no secret where it does not belong."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount, Route, Router

from qwenport.core.errors import EngineFailed
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started
from qwenport.core.secret import Secret
from qwenport.core.usage import Usage
from qwenport.faces.registry import FACES
from qwenport.observability.log import JsonFormatter
from qwenport.server.admin.application import _Identified
from qwenport.server.operator import OperatorOnly
from qwenport.server.public import PUBLIC, UPLOAD_HOST
from qwenport.testing.calls import said
from qwenport.testing.gateway import KEY, OPERATOR_TOKEN, Plan, bearer, running_gateway
from qwenport.testing.plain_call import every_generating_call
from qwenport.testing.scripted_engine import ScriptedEngine, Step

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
PROMPT = "the-prompt-that-nobody-may-keep"
REPLY = "the-answer-that-nobody-may-keep"
ENGINE_SECRET = Secret("the-secret-between-gateway-and-engine")
WRONG_KEY = "sk-a-wrong-key-is-a-secret-too"
SECRETS = (KEY, OPERATOR_TOKEN.reveal(), ENGINE_SECRET.reveal(), WRONG_KEY, PROMPT, REPLY)


def addresses(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Yield the path of every route, those of mounted applications with their prefix."""
    for route in routes:
        if isinstance(route, Mount):
            inner = route.app
            while isinstance(inner, OperatorOnly | _Identified):
                inner = inner._application
            assert isinstance(inner, Router)
            yield from addresses(inner.routes, prefix + route.path)
        else:
            assert isinstance(route, Route)
            yield prefix + re.sub(r"\{[^}]*\}", "x", route.path)


async def test_every_address_but_the_public_ones_needs_a_key_or_the_token(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda _: [], target=TARGET)
    async with running_gateway(tmp_path, Plan(engines=[engine])) as gateway:
        assert isinstance(gateway.application, Router)
        paths = set(addresses(gateway.application.routes))
        assert len(paths) > 15
        assert paths >= PUBLIC
        answers = {}
        for path in paths:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
                async with gateway.client() as client:
                    answers[method, path] = (await client.ask(method, path)).status

    assert {path for (_, path), status in answers.items() if status != 401} == PUBLIC
    assert {answers["GET", path] for path in PUBLIC - {UPLOAD_HOST}} == {200}


class Chatty(ScriptedEngine):
    """An engine that holds a secret, as the embedded one does."""

    secret = ENGINE_SECRET


def good_answer() -> list[Step]:
    return [
        Started(served_by=TARGET, input_tokens=7),
        Delta(text=REPLY),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
        Finished(usage=Usage(input_tokens=7, output_tokens=2)),
    ]


async def test_no_secret_and_no_prompt_is_in_logs_errors_journal_or_books(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scripts: dict[str, list[Step]] = {
        "good": good_answer(),
        "broken": [*good_answer()[:2], EngineFailed("the engine broke off")],
        "defect": [LookupError("a defect")],
    }
    engine = Chatty(lambda prepared: scripts.get(said(prepared.call).partition(" ")[0], good_answer()), target=TARGET)
    refused: list[tuple[str, dict[str, object]]] = [(WRONG_KEY, {}), (KEY, {"temperature": 9}), (KEY, {"seed": PROMPT})]
    errors: list[bytes] = []
    async with running_gateway(tmp_path, Plan(engines=[engine])) as gateway:
        for call in every_generating_call(FACES):
            for kind in scripts:
                asked = replace(call, text=f"{kind} {PROMPT}")
                async with gateway.client() as client:
                    await client.send(asked.request(KEY))
                    answer = await client.answer()
                errors += [answer.body] if kind != "good" and answer.status != 200 else []
            for key, parameters in refused:
                async with gateway.client() as client:
                    await client.send(replace(call, text=PROMPT, parameters=parameters).request(key))
                    answer = await client.answer()
                # A face that knows no such parameter ignores it and answers.
                errors += [answer.body] if answer.status != 200 else []
        async with gateway.client() as client:
            for path in ("/admin/v1/keys", "/admin/v1/calls", "/admin/v1/status", "/metrics"):
                errors.append((await client.ask("GET", path, bearer(OPERATOR_TOKEN.reveal()))).body)
        await gateway.idle()
        journal = b"".join(path.read_bytes() for path in (tmp_path / "journal").iterdir())
    connection = sqlite3.connect(tmp_path / "qwenport.db")
    books = "\n".join(connection.iterdump())
    connection.close()
    formatter = JsonFormatter()
    logs = "\n".join(formatter.format(record) for record in caplog.records)

    assert "finished" in logs
    assert "met a defect" in logs
    assert b"finished" in journal
    assert "finished" in books
    everything = {"logs": logs, "errors": b"\n".join(errors).decode(), "journal": journal.decode(), "books": books}
    found = [(place, secret) for place, text in everything.items() for secret in SECRETS if secret in text]
    assert found == []

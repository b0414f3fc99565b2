"""Requests that are refused while their bodies are on the way: the refusal arrives, and what follows is thrown away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwenport.testing.gateway import Plan, bearer, running_gateway
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

LENGTH = 8 << 20
"""More than the buffers of both sides hold."""


@pytest.mark.parametrize("key", ["sk-of-nobody", ""], ids=["refused for its key", "refused for its length"])
async def test_a_client_that_goes_on_sending_can_read_why_it_was_refused(key: str, tmp_path: Path) -> None:
    plan = Plan(engines=[ScriptedEngine(lambda _: answer("a"))])
    async with running_gateway(tmp_path, plan) as gateway, gateway.client() as client:
        shown = bearer(key) if key else bearer()
        lines = {"host": "h", "content-length": str(LENGTH), **shown}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await client.send(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode())
        for _ in range(LENGTH >> 16):
            await client.send(bytes(1 << 16))
        status, headers = await client.head()
        said = await client.rest()

    assert (status, headers["connection"]) == (401 if key else 400, "close")
    assert json.loads(said)["error"]["message"]

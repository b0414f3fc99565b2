"""Which pages in browsers may call what."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenport.server.routes import Access
from qwenport.testing.gateway import OPERATOR_TOKEN, Gateway, Plan, bearer, running_gateway
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

PAGE = "https://chat.example.com"
PREFLIGHT = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-dashscope-sse",
}
CHAT = "/compatible-mode/v1/chat/completions"
NATIVE = "/api/v1/services/aigc/text-generation/generation"
CLOSED = ("/admin/v1/keys", "/console", "/metrics", "/healthz")


def plan(*origins: str) -> Plan:
    engine = ScriptedEngine(lambda _: answer("Hi"))
    return Plan(engines=[engine], access=Access(operator_token=OPERATOR_TOKEN, cors_origins=origins))


async def headers_of(gateway: Gateway, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    async with gateway.client() as client:
        reply = await client.ask(method, path, headers)
        return reply.status, {name: text for name, text in reply.headers.items() if name.startswith("access-control")}


@pytest.mark.parametrize("path", [CHAT, "/v1/chat/completions", NATIVE])
async def test_a_page_that_is_named_may_call_the_faces(tmp_path: Path, path: str) -> None:
    async with running_gateway(tmp_path, plan(PAGE)) as gateway:
        status, headers = await headers_of(gateway, "OPTIONS", path, PREFLIGHT)

    assert (status, headers["access-control-allow-origin"]) == (200, PAGE)
    assert headers["access-control-allow-headers"] == PREFLIGHT["access-control-request-headers"]
    assert "access-control-allow-credentials" not in headers


async def test_its_answers_can_be_read_also_where_they_are_errors(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, plan(PAGE)) as gateway:
        good = await headers_of(gateway, "GET", "/v1/models", {"origin": PAGE, **bearer()})
        bad = await headers_of(gateway, "GET", "/v1/models", {"origin": PAGE})

    allowed = {
        "access-control-allow-origin": PAGE,
        "access-control-expose-headers": "x-request-id, x-qwenport-served-by, retry-after, x-should-retry",
    }
    assert (good, bad) == ((200, allowed), (401, allowed))


async def test_another_page_may_not(tmp_path: Path) -> None:
    elsewhere = {**PREFLIGHT, "origin": "https://evil.example"}
    async with running_gateway(tmp_path, plan(PAGE)) as gateway:
        status, headers = await headers_of(gateway, "OPTIONS", CHAT, elsewhere)

    assert (status, "access-control-allow-origin" in headers) == (400, False)


@pytest.mark.parametrize("path", CLOSED)
async def test_nothing_but_the_faces_is_open_to_pages(tmp_path: Path, path: str) -> None:
    token = {"authorization": f"Bearer {OPERATOR_TOKEN.reveal()}"}
    async with running_gateway(tmp_path, plan("*")) as gateway:
        asked = await headers_of(gateway, "OPTIONS", path, PREFLIGHT)
        read = await headers_of(gateway, "GET", path, {"origin": PAGE, **token})

    assert (asked[1], read[1]) == ({}, {})


async def test_without_origins_no_page_may_call_anything(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, plan()) as gateway:
        status, headers = await headers_of(gateway, "OPTIONS", CHAT, {**PREFLIGHT, **bearer()})

    assert (status, headers) == (405, {})

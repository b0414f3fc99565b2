"""The door before an engine host: who is let in, what is passed on, and what is said when nobody is behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from qwenport.app.engine_door import EngineDoor
from qwenport.core.secret import Secret
from qwenport.engines.connections import Connections
from qwenport.engines.host_address import host_peer
from qwenport.testing.llama_host import FakeLlamaHost, Reply, answer, piece, progress
from qwenport.testing.scripted_engine import Wait

pytestmark = pytest.mark.anyio
CHAT = "/v1/chat/completions"
KNOWN = {"authorization": "Bearer outside"}


@asynccontextmanager
async def door(socket: Path, secret: Secret | None = Secret("outside")) -> AsyncIterator[aiohttp.ClientSession]:  # noqa: B008 - it does not change
    """Give a client of a door before the host on this socket, whose own secret is another one."""
    connections = Connections(host_peer("http://llama", socket=socket, secret="inside", keeps_connections=False))
    runner = EngineDoor(connections, secret).runner(drain_s=1)
    await runner.setup()
    try:
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            yield session
    finally:
        await connections.close()
        await runner.cleanup()


@pytest.fixture
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d") / "s"


async def test_a_call_reaches_the_host_with_the_host_s_own_secret(socket: Path) -> None:
    async with FakeLlamaHost(answer("Hello"), secret="inside").listening(socket) as host, door(socket) as session:
        async with session.post(CHAT, data=b'{"a":1}', headers=KNOWN) as response:
            content = await response.read()
        async with session.get("/health") as health:
            healthy = health.status

    assert (response.status, response.headers["content-type"], healthy) == (200, "text/event-stream", 200)
    assert content.endswith(b"data: [DONE]\n\n")
    assert (host.paths, host.requests) == ([CHAT], [{"a": 1}])


@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/chat/completions/input_tokens", "/embed", "/read"])
async def test_what_gateways_ask_is_passed_on(socket: Path, path: str) -> None:
    host = FakeLlamaHost(answer("Hello"), text_tokens=7)
    async with (
        host.listening(socket),
        door(socket) as session,
        session.post(path, data=b"{}", headers=KNOWN) as response,
    ):
        await response.read()

    assert (response.status, host.paths) == (200, [path])


@pytest.mark.parametrize(
    "path", ["/slots/0?action=erase", "/v1/chat/completions/control", "/lora-adapters", "/tokenize", "/health", "/"]
)
async def test_what_no_gateway_asks_is_not_passed_on(socket: Path, path: str) -> None:
    host = FakeLlamaHost(answer("Hello"))
    async with host.listening(socket), door(socket) as session:
        async with session.post(path, data=b"{}", headers=KNOWN) as response:
            told = await response.json()
        async with session.post(path, data=b"{}") as stranger:
            pass

    assert (response.status, told["error"]["type"], stranger.status) == (404, "not_found_error", 401)
    assert host.paths == []


async def test_an_address_is_passed_on_as_it_is_known_and_without_a_query(socket: Path) -> None:
    host = FakeLlamaHost(answer("Hello"))
    async with host.listening(socket), door(socket) as session:
        url = URL("/v1/chat%2Fcompletions", encoded=True)
        async with session.post(f"{CHAT}?model=x", data=b"{}", headers=KNOWN) as response:
            await response.read()
        async with session.post(url, data=b"{}", headers=KNOWN) as twisted:
            await twisted.read()

    assert (response.status, host.paths[0]) == (200, CHAT)
    assert (twisted.status, len(host.paths)) == (404, 1)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer inside"}, {**KNOWN, "origin": "http://evil.test"}])
async def test_strangers_and_web_pages_are_not_let_in(socket: Path, headers: dict[str, str]) -> None:
    async with FakeLlamaHost(answer("Hello")).listening(socket) as host, door(socket) as session:
        response = await session.post(CHAT, data=b"{}", headers=headers)

    assert (response.status, host.paths) == (401, [])


async def test_a_door_without_a_secret_is_open_to_programs_and_closed_to_web_pages(socket: Path) -> None:
    async with FakeLlamaHost(answer("Hello")).listening(socket), door(socket, None) as session:
        async with session.post(CHAT, data=b"{}") as program:
            await program.read()
        async with session.post(CHAT, data=b"{}", headers={"origin": "null"}) as page:
            pass

    assert (program.status, page.status) == (200, 401)


async def test_who_is_let_in_may_ask_what_is_served_by_which_a_gateway_knows_the_dialect(socket: Path) -> None:
    async with FakeLlamaHost(answer("Hello")).listening(socket), door(socket) as session:
        async with session.get("/v1/models", headers=KNOWN) as known:
            told = await known.read()
        async with session.get("/v1/models") as stranger:
            pass

    assert (known.status, stranger.status) == (200, 401)
    assert told.endswith(b"data: [DONE]\n\n")


async def test_nobody_behind_the_door_is_a_503(socket: Path) -> None:
    async with door(socket) as session:
        async with session.post(CHAT, data=b"{}", headers=KNOWN) as response:
            told = await response.json()
        async with session.get("/health") as health:
            pass

    assert (response.status, health.status) == (503, 503)
    assert told["error"]["type"] == "unavailable_error"


async def test_an_answer_that_breaks_off_does_not_look_whole(socket: Path) -> None:
    reply = Reply(steps=[progress(7), piece("Hel", 1)], breaks_off=True)
    async with FakeLlamaHost(reply).listening(socket), door(socket) as session:
        response = await session.post(CHAT, data=b"{}", headers=KNOWN)
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_gateway_that_leaves_stops_the_host(socket: Path) -> None:
    reply = Reply(steps=[progress(7), piece("Hel", 1), Wait()])
    async with FakeLlamaHost(reply).listening(socket) as host, door(socket) as session:
        async with session.post(CHAT, data=b"{}", headers=KNOWN) as response:
            await response.content.readany()
            response.close()
        await host.left.wait()

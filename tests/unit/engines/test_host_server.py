"""The server that hosts in Python have in common, over a real socket, before a service that repeats words."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from qwenport.engines.connections import Connections
from qwenport.engines.host_address import host_peer
from qwenport.engines.host_server import HostServer, Service

pytestmark = pytest.mark.anyio


class Repeating:
    """Says a word twice; keeps those that it was asked."""

    path = "/repeat"
    most_bytes = 100
    decode = staticmethod(msgspec.json.Decoder(str).decode)

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, order: str, _: web.Request) -> web.StreamResponse:
        self.asked.append(order)
        return web.Response(text=order + order)


class Waiting(Repeating):
    """Answers nothing, and notes when its caller leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = asyncio.Event()
        self.is_left = asyncio.Event()

    async def answer(self, order: str, _: web.Request) -> web.StreamResponse:
        self.has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.is_left.set()
        return web.Response(text=order)


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


@asynccontextmanager
async def gateway_of(service: Service[str], socket: Path, *, shown: str = "s") -> AsyncIterator[Connections]:
    runner = HostServer(service, "s").runner()
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    connections = Connections(host_peer("http://host", socket=socket, secret=shown, keeps_connections=False))
    try:
        yield connections
    finally:
        await connections.close()
        await runner.cleanup()


async def reply(gateway: Connections, body: bytes) -> tuple[int, bytes]:
    answer = await gateway.post("/repeat", body, {}, status_s=10)
    try:
        return answer.status, await answer.whole(limit_bytes=1_000, limit_s=10)
    finally:
        answer.close()


async def test_the_service_answers_its_gateway(socket: Path) -> None:
    async with gateway_of(Repeating(), socket) as gateway:
        assert await reply(gateway, b'"red"') == (200, b"redred")


@pytest.mark.parametrize("shown", ["", "another", "s\u00e9"])
async def test_whoever_does_not_show_the_secret_learns_only_that_the_host_is_there(socket: Path, shown: str) -> None:
    service = Repeating()
    async with gateway_of(service, socket, shown=shown) as gateway:
        health = await gateway.get("/health", status_s=10)
        health.close()

        assert (health.status, await reply(gateway, b'"red"'), service.asked) == (200, (401, b""), [])


@pytest.mark.parametrize("body", [b"?", b'"\xff"', b"[1]", b""])
async def test_what_is_no_order_is_refused_with_the_reason(socket: Path, body: bytes) -> None:
    service = Repeating()
    async with gateway_of(service, socket) as gateway:
        status, reason = await reply(gateway, body)

        assert (status, bool(reason), service.asked) == (400, True, [])


async def test_a_body_that_is_larger_than_any_call_is_not_taken(socket: Path) -> None:
    service = Repeating()
    async with gateway_of(service, socket) as gateway:
        status, _ = await reply(gateway, b'"%b"' % bytes(99))

        assert (status, service.asked) == (413, [])


async def test_a_caller_who_leaves_ends_the_work(socket: Path) -> None:
    service = Waiting()
    async with gateway_of(service, socket) as gateway:
        asked = asyncio.create_task(reply(gateway, b'"red"'))
        await service.has_begun.wait()
        asked.cancel()

        async with asyncio.timeout(10):
            await service.is_left.wait()

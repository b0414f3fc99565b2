"""HTTPS served by the gateway itself, to the official clients and to those that are not meant."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anthropic
import dashscope
import openai
import pytest

from qwenport.app.tls import Tls
from qwenport.testing.certificates import Authority
from qwenport.testing.gateway import KEY, Gateway, Plan, bearer, running_gateway
from qwenport.testing.raw_client import RawClient, request_bytes
from qwenport.testing.scripted_engine import ScriptedEngine, answer

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def gateway(authority: Authority, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with secured(authority, tmp_path) as (gateway, _):
        yield gateway


@asynccontextmanager
async def secured(authority: Authority, folder: Path) -> AsyncIterator[tuple[Gateway, Tls]]:
    tls = Tls(*authority.issue("first"))
    engine = ScriptedEngine(lambda _: answer("Hel", "lo", served_by=TARGET), target=TARGET)
    async with running_gateway(folder, Plan(engines=[engine], tls=tls.context)) as gateway:
        yield gateway, tls


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


async def test_openai(gateway: Gateway, authority: Authority) -> None:
    url = f"https://localhost:{gateway.port}/v1"
    async with (
        openai.DefaultAsyncHttpxClient(verify=trusting(authority)) as http,
        openai.AsyncOpenAI(base_url=url, api_key=KEY, http_client=http, max_retries=0) as client,
    ):
        whole = await client.chat.completions.create(model="qwen-plus", messages=HELLO)
        stream = await client.chat.completions.create(model="qwen-plus", messages=HELLO, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]

    assert (whole.choices[0].message.content, "".join(pieces)) == ("Hello", "Hello")


async def test_anthropic(gateway: Gateway, authority: Authority) -> None:
    url = f"https://localhost:{gateway.port}/apps/anthropic"
    async with (
        anthropic.DefaultAsyncHttpxClient(verify=trusting(authority)) as http,
        anthropic.AsyncAnthropic(base_url=url, api_key=KEY, http_client=http, max_retries=0) as client,
    ):
        said = await client.messages.create(model="qwen-plus", messages=HELLO, max_tokens=10)

    assert [block.text for block in said.content if block.type == "text"] == ["Hello"]


async def test_dashscope(gateway: Gateway, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashscope, "base_http_api_url", f"https://localhost:{gateway.port}/api/v1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))

    said: Any = await asyncio.to_thread(
        dashscope.Generation.call, model="qwen-plus", messages=HELLO, api_key=KEY, result_format="message"
    )

    assert (said.status_code, said.output.choices[0].message.content) == (200, "Hello")


async def test_plain_http_gets_no_answer(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.send(request_bytes("GET", "/healthz"))
        assert await client.rest() == b""


async def test_a_client_that_knows_only_tls_1_1_is_turned_away(gateway: Gateway, authority: Authority) -> None:
    old = trusting(authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("localhost", gateway.port, ssl=old)


async def test_the_operators_socket_stays_plain(gateway: Gateway) -> None:
    async with gateway.operator_client() as client:
        assert (await client.ask("GET", "/healthz")).status == 200


async def test_an_open_connection_goes_on_when_the_certificate_changes(authority: Authority, tmp_path: Path) -> None:
    async with secured(authority, tmp_path) as (gateway, tls):
        first = await connected(gateway, authority)
        authority.issue("second")
        await tls.look()
        second = await connected(gateway, authority)
        statuses = [(await client.ask("GET", "/v1/models", bearer())).status for _, client in (first, second)]
        for _, client in (first, second):
            await client.close()

    assert ([name for name, _ in (first, second)], statuses) == (["first", "second"], [200, 200])


async def connected(gateway: Gateway, authority: Authority) -> tuple[str, RawClient]:
    """Return the common name that the server shows, and a connection to it."""
    connection = socket.create_connection(("127.0.0.1", gateway.port))
    connection.setblocking(False)  # noqa: FBT003 - as sockets have it
    reader, writer = await asyncio.open_connection(
        sock=connection, ssl=trusting(authority), server_hostname="localhost"
    )
    shown = writer.get_extra_info("peercert")
    return dict(pair for (pair,) in shown["subject"])["commonName"], RawClient(reader, writer)


async def test_a_connection_in_waiting_does_not_hold_up_the_end(authority: Authority, tmp_path: Path) -> None:
    async with secured(authority, tmp_path) as (gateway, _):
        client = await asyncio.to_thread(in_waiting, gateway.port, authority)
        before = len(gateway.public.server_state.connections)
    client.close()

    assert (before, len(gateway.public.server_state.connections)) == (1, 0)


def in_waiting(port: int, authority: Authority) -> ssl.SSLSocket:
    """Return a connection that has served a request, and that nobody reads any more. Blocking."""
    client = trusting(authority).wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    client.sendall(request_bytes("GET", "/healthz"))
    assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
    return client

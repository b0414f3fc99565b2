"""What is left of a connection when it is closed: nothing that garbage collection would have to find."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from qwenport.app.http_server import HttpServer
from qwenport.engines.connections.connection import Connection
from qwenport.server.asgi import Receive, Scope, Send
from qwenport.server.response import Patience

REQUEST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n"


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Only counting frees what nobody holds."""
    gc.disable()
    yield
    gc.enable()


async def answer(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[HttpServer, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = HttpServer(answer, listener, patience=Patience())
        running = asyncio.create_task(server.serve_listener())
        await until(lambda: server.started)
        yield server, listener.getsockname()[1]
        server.should_exit = True
        await running


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("requests", [0, 1, 2])
def test_nothing_holds_a_clients_connection_that_was_closed(requests: int) -> None:
    async def close() -> object:
        async with served() as (server, port), asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(requests):
                writer.write(REQUEST + b"hi")
                await reader.readuntil(b"ok")
            await until(lambda: bool(server.server_state.connections))
            (connection,) = (weakref.ref(each) for each in server.server_state.connections)
            writer.close()
            await until(lambda: not server.server_state.connections)
            await asyncio.sleep(0)  # the loop lets go of what it called
            return connection()

    assert asyncio.run(close()) is None


@pytest.mark.usefixtures("no_collection")
def test_nothing_holds_a_clients_connection_on_which_a_doubtful_request_was_refused() -> None:
    async def close() -> object:
        async with served() as (server, port), asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await until(lambda: bool(server.server_state.connections))
            (connection,) = (weakref.ref(each) for each in server.server_state.connections)
            writer.write(REQUEST.replace(b"host: a", b"x: a") + b"hi")
            await reader.read(-1)
            writer.close()
            await until(lambda: not server.server_state.connections)
            await asyncio.sleep(0)
            return connection()

    assert asyncio.run(close()) is None


@pytest.mark.usefixtures("no_collection")
def test_nothing_holds_a_connection_to_an_upstream_that_was_closed() -> None:
    async def close() -> object:
        async with served() as (_, port), asyncio.timeout(10):
            gone = asyncio.Event()
            make = lambda: Connection(lambda _: None, lambda _: gone.set())  # noqa: E731 - it must not be kept
            _, connection = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
            await connection.ask(REQUEST, b"hi", 5.0)
            left = weakref.ref(connection)
            connection.abort()
            del connection, _
            await gone.wait()
            await asyncio.sleep(0)
            return left()

    assert asyncio.run(close()) is None

"""A server that writes the very bytes that a test gives it, and connections that call it."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from qwenport.engines.connections import Connections, Peer

_LENGTH = re.compile(rb"Content-Length: (\d+)")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is done with one connection, which is closed afterwards."""


@dataclass
class RawServer:
    """Answers the requests of all connections with the replies in turn; after the last one it only hangs up."""

    replies: Sequence[bytes] = ()
    closes: bool = False
    """Whether a connection ends after each reply."""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a caller has closed a connection."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it ends."""
        self.connections += 1
        try:
            while True:
                self.requests.append(await read_request(reader))
                if len(self.requests) > len(self.replies):
                    return
                writer.write(self.replies[len(self.requests) - 1])
                await writer.drain()
                if self.closes:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one request, its body included.

    Raises:
        asyncio.IncompleteReadError: the caller closed the connection.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


@asynccontextmanager
async def listening(
    serve: Serve,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    socket: Path | None = None,
) -> AsyncIterator[int]:
    """Listen on a port of the loopback, which is yielded, or on a Unix socket; nothing is left when the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(run(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if socket is None:
        server = await asyncio.start_server(begin, host, port, ssl=tls)
    else:
        server = await asyncio.start_unix_server(begin, socket, ssl=tls)
    try:
        yield 0 if socket is not None else server.sockets[0].getsockname()[1]
    finally:
        server.close()
        left = tuple(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


@asynccontextmanager
async def calling(serve: Serve, *, keeps_connections: bool = True, idle_s: float = 15.0) -> AsyncIterator[Connections]:
    """Give connections to a server that does this with each of them."""
    async with listening(serve) as port:
        url = f"http://127.0.0.1:{port}"
        connections = Connections(Peer(url=url, keeps_connections=keeps_connections, idle_s=idle_s))
        try:
            yield connections
        finally:
            await connections.close()

"""What the HTTP server makes of requests whose framing is doubtful, byte by byte (RFC 9112, sections 5 and 6)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from qwenport.app.http_server import HttpServer
from qwenport.server.asgi import Receive, Scope, Send
from qwenport.server.response import Patience

pytestmark = pytest.mark.anyio

ANSWER_S = 10.0


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the path and the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = scope["path"].encode() + b" " + body
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """Run the server while the block runs; gives its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = HttpServer(echo, listener, patience=Patience())
        task = asyncio.create_task(server.serve_listener())
        while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await asyncio.sleep(0.01)
        yield int(listener.getsockname()[1])
        server.should_exit = True
        await task


async def answer_to(request: bytes) -> bytes:
    """Return everything that comes back until the server closes the connection."""
    async with serving() as port, asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read(-1)
        writer.close()
        return answer


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """Return a request."""
    return b"".join((b"POST /a HTTP/1.1\r\nHost: x\r\n", *(line + b"\r\n" for line in lines), b"\r\n", body))


CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
DOUBTFUL = {
    "length and chunks": post(b"Content-Length: 4", CHUNKED, body=END + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    "chunks and length": post(CHUNKED, b"Content-Length: 4", body=END),
    "two lengths": post(b"Content-Length: 4", b"Content-Length: 5", body=b"abcde"),
    "a list of lengths": post(b"Content-Length: 4, 4", body=b"abcd"),
    "a length with a sign": post(b"Content-Length: +4", body=b"abcd"),
    "a length below zero": post(b"Content-Length: -4", body=b"abcd"),
    "a coding that ends no message": post(b"Transfer-Encoding: gzip", body=b"abcd"),
    "chunks that are not last": post(b"Transfer-Encoding: chunked, identity", body=END),
    "almost chunks": post(b"Transfer-Encoding: xchunked", body=END),
    "two codings": post(CHUNKED, b"Transfer-Encoding: identity", body=END),
    "a folded line": post(b"X-A: b", b" c", b"Content-Length: 0"),
    "a folded coding": post(b"Transfer-Encoding:", b" chunked", body=END),
    "a space before the colon": post(b"Content-Length : 4", body=b"abcd"),
    "lines without a return": b"POST /a HTTP/1.1\nHost: x\nContent-Length: 4\n\nabcd",
    "a zero byte": post(b"X-A: a\0b"),
}


@pytest.mark.parametrize("request_bytes", DOUBTFUL.values(), ids=DOUBTFUL)
async def test_a_request_of_doubtful_length_is_refused_and_its_connection_closed(request_bytes: bytes) -> None:
    answer = await answer_to(request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("size", [b"-4", b"0x4"], ids=["below zero", "with a prefix"])
async def test_a_chunk_of_doubtful_size_never_reaches_the_application(size: bytes) -> None:
    answer = await answer_to(post(CHUNKED, body=size + b"\r\nabcd\r\n" + END))

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_extensions_of_chunks_are_passed_over() -> None:
    answer = await answer_to(post(CHUNKED, b"Connection: close", body=b"4;a=b\r\nabcd\r\n" + END))

    assert answer.endswith(b"\r\n\r\n/a abcd")


async def test_a_length_that_the_client_calls_a_matter_of_its_connection_counts_all_the_same() -> None:
    answer = await answer_to(post(b"Connection: content-length, close", b"Content-Length: 4", body=b"abcd"))

    assert answer.endswith(b"\r\n\r\n/a abcd")


@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Content-Length: 4", b"abcd"), (CHUNKED, b"2\r\nab\r\n2\r\ncd\r\n" + END)],
    ids=["counted", "chunked"],
)
async def test_the_body_of_a_request_that_offers_another_protocol_is_read_and_nothing_after_it(
    framing: bytes, body: bytes
) -> None:
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")

    answer = await answer_to(post(*offer, framing, body=body + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"))

    assert answer.endswith(b"\r\n\r\n/a abcd")
    assert answer.count(b"HTTP/1.1 ") == 1

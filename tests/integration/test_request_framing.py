"""What the HTTP server makes of requests that two readers could understand differently (RFC 9112, sections 3 to 6)."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from qwenport.app.http_server import HttpServer
from qwenport.engines.connections import Connections, Peer
from qwenport.server.asgi import Receive, Scope, Send
from qwenport.server.response import Patience

pytestmark = pytest.mark.anyio

ANSWER_S = 10.0
LARGE = 4 << 20
"""More than the buffers of both sides hold."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the path and the body, and with the key that was shown."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = scope["path"].encode() + b" " + body
    shown = dict(scope["headers"]).get(b"authorization", b"none")
    headers = [(b"content-length", str(len(answer)).encode()), (b"x-shown", shown)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    """Run one server for all of them; gives its port."""
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


async def answer_to(port: int, request: bytes) -> bytes:
    """Return everything that comes back until the server closes the connection."""
    async with asyncio.timeout(ANSWER_S):
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
    "no host": b"GET /a HTTP/1.1\r\n\r\n",
    "two hosts": post(b"Host: y"),
    "one host twice": post(b"Host: x"),
    "two words for a host": b"GET /a HTTP/1.1\r\nHost: x y\r\n\r\n",
    "two keys": post(b"Authorization: Bearer a", b"authorization: Bearer b"),
    "two keys of Anthropic's kind": post(b"x-api-key: a", b"Accept: */*", b"X-Api-Key: b"),
}


@pytest.mark.parametrize("request_bytes", DOUBTFUL.values(), ids=DOUBTFUL)
async def test_a_doubtful_request_is_refused_and_its_connection_closed(port: int, request_bytes: bytes) -> None:
    answer = await answer_to(port, request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_a_client_that_goes_on_sending_reads_which_header_it_sent_twice(port: int) -> None:
    answer = await answer_to(port, post(b"Host: y", b"Content-Length: %d" % LARGE, body=bytes(LARGE)))

    assert answer.endswith(b"\r\n\r\nThe header Host stands more than once.")


@pytest.mark.parametrize(
    "host",
    [b"[2001:db8::1]:8000", b"qwen_gateway", b"xn--bcher-kva.example:443", b"10.0.0.1", b""],
    ids=["IPv6", "a service's name", "a name beyond ASCII", "IPv4", "nothing, as where no host is meant"],
)
async def test_every_way_to_write_a_host_is_taken(port: int, host: bytes) -> None:
    answer = await answer_to(port, b"GET /a HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_client_of_http_1_0_need_not_name_a_host(port: int) -> None:
    assert (await answer_to(port, b"GET /a HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_headers_that_may_be_repeated_may_be_repeated(port: int) -> None:
    answer = await answer_to(port, post(b"Accept: a", b"Accept: b", b"Connection: close", b"Content-Length: 0"))

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_what_follows_the_last_chunk_changes_no_header(port: int) -> None:
    lines = (b"Authorization: Bearer a", CHUNKED, b"Connection: close")

    answer = await answer_to(port, post(*lines, body=b"4\r\nabcd\r\n0\r\nAuthorization: Bearer b\r\n\r\n"))

    assert b"\r\nx-shown: Bearer a\r\n" in answer


@pytest.mark.parametrize("size", [b"-4", b"0x4"], ids=["below zero", "with a prefix"])
async def test_a_chunk_of_doubtful_size_never_reaches_the_application(port: int, size: bytes) -> None:
    answer = await answer_to(port, post(CHUNKED, body=size + b"\r\nabcd\r\n" + END))

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_extensions_of_chunks_are_passed_over(port: int) -> None:
    answer = await answer_to(port, post(CHUNKED, b"Connection: close", body=b"4;a=b\r\nabcd\r\n" + END))

    assert answer.endswith(b"\r\n\r\n/a abcd")


async def test_a_length_that_the_client_calls_a_matter_of_its_connection_counts_all_the_same(port: int) -> None:
    answer = await answer_to(port, post(b"Connection: content-length, close", b"Content-Length: 4", body=b"abcd"))

    assert answer.endswith(b"\r\n\r\n/a abcd")


@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Content-Length: 4", b"abcd"), (CHUNKED, b"2\r\nab\r\n2\r\ncd\r\n" + END)],
    ids=["counted", "chunked"],
)
async def test_the_body_of_a_request_that_offers_another_protocol_is_read_and_nothing_after_it(
    port: int, framing: bytes, body: bytes
) -> None:
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")

    answer = await answer_to(port, post(*offer, framing, body=body + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"))

    assert answer.endswith(b"\r\n\r\n/a abcd")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_small_writes_wait_for_nothing_on_either_leg(port: int) -> None:
    connections = Connections(Peer(url=f"http://127.0.0.1:{port}"))
    answer = await connections.post("/a", b"{}", status_s=ANSWER_S)
    await answer.whole(limit_bytes=100, limit_s=ANSWER_S)

    assert sides(port) == {("a client's", 1), ("an upstream's", 1)}
    await connections.close()


def sides(port: int) -> set[tuple[str, int]]:
    """Return of both ends of this process's connections to its port whether they send at once (`TCP_NODELAY`)."""
    found = set()
    for descriptor in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        with suppress(OSError):  # by one the folder was listed, and it is closed; and who listens has no peer
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as end:
                    if end.family == socket.AF_INET and port in {end.getsockname()[1], end.getpeername()[1]}:
                        leg = "a client's" if end.getsockname()[1] == port else "an upstream's"
                        found.add((leg, end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
    return found

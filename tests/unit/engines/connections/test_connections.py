"""Connections that are kept, replaced, given up and closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from qwenport.engines.connections import (
    AnswerTimedOut,
    ConnectionLost,
    Connections,
    HttpAnswer,
    NotConnected,
    Peer,
)
from qwenport.testing.raw_server import RawServer, calling, listening, read_request

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nok"


async def get(connections: Connections, *, status_s: float = 5) -> bytes:
    answer = await connections.get("/", status_s=status_s)
    return await answer.whole(limit_bytes=1 << 24, limit_s=5)


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(OK + b"Content-Length: 10\r\n\r\nhalf")
    await reader.read()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_head_and_body_of_an_answer_are_what_was_sent() -> None:
    server = RawServer([b"HTTP/1.1 201 Made\r\nX-One: a\r\nX-ONE: b\r\nContent-Length: 2\r\n\r\nok"])
    async with calling(server.serve) as connections:
        answer = await connections.post("/p", b'{"a":1}', {"x-request-id": "r"}, status_s=5)

        assert (answer.status, answer.headers) == (201, {"x-one": "a, b", "content-length": "2"})
        assert [await answer.read(5), await answer.read(5), await answer.read(5)] == [b"ok", b"", b""]
    [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert (head.split(b"\r\n")[0], head.split(b"\r\n")[2:], body) == (
        b"POST /p HTTP/1.1",
        [
            b"Accept-Encoding: identity",
            b"user-agent: qwenport",
            b"x-request-id: r",
            b"content-type: application/json",
            b"Content-Length: 7",
        ],
        b'{"a":1}',
    )


@pytest.mark.parametrize("size", [0, 1, 32 << 10, (32 << 10) + 1, 1 << 20])
async def test_a_body_of_any_size_arrives(size: int) -> None:
    server = RawServer([SHORT])
    async with calling(server.serve) as connections:
        await (await connections.post("/", b"x" * size, status_s=5)).whole(limit_bytes=10, limit_s=5)

    assert server.requests[0].partition(b"\r\n\r\n")[2] == b"x" * size


async def test_frames_come_as_they_are_written() -> None:
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
        await go.wait()
        writer.write(b"12\r\ndata: 2\n\ndata: 3\n\n\r\n0\r\n\r\n")
        await reader.read()

    async with calling(serve) as connections:
        answer = await connections.get("/", status_s=5)
        first = await answer.frames(5)
        go.set()

        assert [first, await answer.frames(5), await answer.frames(5)] == [[b"data: 1"], [b"data: 2", b"data: 3"], []]


async def test_one_connection_serves_one_request_after_the_other() -> None:
    server = RawServer([SHORT] * 3)
    async with calling(server.serve) as connections:
        assert [await get(connections) for _ in range(3)] == [b"ok"] * 3

    assert server.connections == 1


async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    server = RawServer([SHORT] * 3)
    async with calling(server.serve) as connections:
        assert await asyncio.gather(*(get(connections) for _ in range(3))) == [b"ok"] * 3

    assert server.connections == 3


async def test_a_connection_that_is_not_to_be_kept_is_closed() -> None:
    server = RawServer([SHORT, SHORT])
    async with calling(server.serve, keeps_connections=False) as connections:
        await get(connections)
        await asyncio.wait_for(server.left.wait(), 5)
        await get(connections)

    assert server.connections == 2


async def test_a_server_that_says_that_it_closes_is_believed() -> None:
    server = RawServer([OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", SHORT])
    async with calling(server.serve) as connections:
        assert [await get(connections), await get(connections)] == [b"ok", b"ok"]

    assert server.connections == 2


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    server = RawServer([SHORT])
    async with calling(server.serve, idle_s=0.01) as connections:
        await get(connections)

        await asyncio.wait_for(server.left.wait(), 5)


async def test_a_connection_that_was_closed_meanwhile_is_replaced_once() -> None:
    """The second request meets a connection that dies under it, and so does its one further try."""
    server = RawServer([SHORT])
    async with calling(server.serve) as connections:
        await get(connections)
        with pytest.raises(ConnectionLost) as caught:
            await get(connections)

    assert (caught.value.answered, len(server.requests), server.connections) == (False, 3, 2)


async def test_the_further_try_is_answered_over_a_fresh_connection_though_others_are_kept() -> None:
    dead = asyncio.Event()
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        is_old = opened <= 3
        while True:
            await read_request(reader)
            if is_old and dead.is_set():
                return
            writer.write(SHORT)

    async with calling(serve) as connections:
        await asyncio.gather(*(get(connections) for _ in range(3)))
        dead.set()

        assert (await get(connections), opened) == (b"ok", 4)


async def test_what_makes_something_is_not_sent_again_though_its_connection_was_closed_meanwhile() -> None:
    server = RawServer([SHORT])
    async with calling(server.serve) as connections:
        await get(connections)
        with pytest.raises(ConnectionLost) as caught:
            await connections.post("/", b"{}", status_s=5, repeats=False)

    assert (caught.value.answered, len(server.requests), server.connections) == (False, 2, 1)


async def test_a_request_that_the_server_had_for_a_while_is_not_sent_again() -> None:
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(SHORT)
        requests.append(await read_request(reader))
        await asyncio.sleep(0.4)

    async with calling(serve) as connections:
        await get(connections)
        with pytest.raises(ConnectionLost):
            await connections.post("/", b"{}", status_s=5)

    assert len(requests) == 2


async def test_the_further_try_has_only_the_time_that_is_left() -> None:
    """The first try takes 0.05 of 0.6 s, and the answer to the second would come 0.575 s later."""
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await read_request(reader)
        if opened > 1:
            await asyncio.sleep(0.575)
            writer.write(SHORT)
            return
        writer.write(SHORT)
        await read_request(reader)
        await asyncio.sleep(0.05)

    async with calling(serve) as connections:
        await get(connections)
        with pytest.raises(AnswerTimedOut):
            await get(connections, status_s=0.6)

    assert opened == 2


async def test_the_time_for_an_answer_is_that_for_connecting_too() -> None:
    async with listening(silence) as port:
        with pytest.raises(NotConnected, match=r"no connection to `https://127.0.0.1:\d+` within 0.5 s"):
            await get(Connections(Peer(url=f"https://127.0.0.1:{port}", connect_s=60)), status_s=0.5)


async def test_a_request_that_was_answered_in_part_is_not_sent_again() -> None:
    server = RawServer([SHORT, b"HTTP/1.1 200"])
    server_closes_second = RawServer([SHORT, b"HTTP/1.1 200"], requests=server.requests)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in server_closes_second.replies:
            server.requests.append(await read_request(reader))
            writer.write(reply)

    async with calling(serve) as connections:
        await get(connections)
        with pytest.raises(ConnectionLost) as caught:
            await get(connections)

    assert (caught.value.answered, len(server.requests)) == (True, 2)


async def test_a_server_that_never_answers_times_out_and_is_left() -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    async with calling(serve) as connections:
        with pytest.raises(AnswerTimedOut):
            await get(connections, status_s=0.3)
        await asyncio.wait_for(left.wait(), 5)


async def test_a_server_that_falls_silent_times_out_after_what_had_come() -> None:
    async with calling(half_an_answer) as connections:
        answer = await connections.get("/", status_s=5)

        assert await answer.read(5) == b"half"
        with pytest.raises(AnswerTimedOut):
            await answer.read(0.02)


async def test_the_time_of_the_caller_does_not_count_as_silence() -> None:
    server = RawServer([OK + b"Content-Length: 2\r\n\r\no", b"k"])
    more = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(server.replies[0])
        await more.wait()
        writer.write(server.replies[1])
        await reader.read()

    async with calling(serve) as connections:
        answer = await connections.get("/", status_s=0.5)
        first = await answer.read(0.5)
        await asyncio.sleep(0.6)
        more.set()

        assert [first, await answer.read(5)] == [b"o", b"k"]


async def test_an_answer_that_is_closed_before_its_end_closes_its_connection() -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await half_an_answer(reader, writer)
        left.set()

    async with calling(serve) as connections:
        answer = await connections.get("/", status_s=5)
        answer.close()
        answer.close()

        await asyncio.wait_for(left.wait(), 5)


@pytest.mark.parametrize("serve", [silence, half_an_answer], ids=["before the head", "in the body"])
async def test_a_cancelled_caller_leaves_the_server(serve: object) -> None:
    left = asyncio.Event()
    begun = asyncio.Event()

    async def watched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await (silence if serve is silence else half_an_answer)(reader, writer)
        left.set()

    async with calling(watched) as connections:
        task = asyncio.create_task(get(connections, status_s=60))
        await begun.wait()
        # Let the half that is answered arrive, so that the body is what is waited for.
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await asyncio.wait_for(left.wait(), 5)


async def test_a_reader_who_falls_behind_holds_the_server_back() -> None:
    written = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % (64 << 20))
        for _ in range(64 << 4):
            writer.write(bytes(1 << 16))
            await writer.drain()
            written += 1 << 16
        await reader.read()

    async with calling(serve) as connections:
        answer = await connections.get("/", status_s=5)
        seen = -1
        while seen != written:
            seen = written
            await asyncio.sleep(0.05)
        held = written
        received = len(await answer.whole(limit_bytes=64 << 20, limit_s=30))

    # Apart from what is kept for the reader, the system's own buffers hold some megabytes.
    assert (held < 32 << 20, received) == (True, 64 << 20)


async def test_closing_leaves_no_task_and_no_connection_and_nothing_is_sent_afterwards() -> None:
    server = RawServer([SHORT])
    async with listening(server.serve) as port:
        connections = Connections(Peer(url=f"http://127.0.0.1:{port}"))
        before = asyncio.all_tasks()
        await get(connections)
        await connections.close()
        await asyncio.wait_for(server.left.wait(), 5)

        assert (asyncio.all_tasks() <= before | asyncio.all_tasks(), connections.busy) == (True, 0)
        with pytest.raises(NotConnected, match="were closed"):
            await get(connections)
        await connections.close()


async def test_closing_ends_a_request_that_is_under_way() -> None:
    begun = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        begun.set()
        await reader.read()

    async with calling(serve) as connections:
        task = asyncio.create_task(get(connections))
        await begun.wait()
        assert connections.busy == 1
        await connections.close()

        with pytest.raises(ConnectionLost):
            await task
        assert connections.busy == 0


async def test_connections_that_retire_finish_what_they_do_and_keep_nothing() -> None:
    server = RawServer([SHORT] * 3)
    async with calling(server.serve) as connections:
        await get(connections)
        connections.retire()
        await asyncio.wait_for(server.left.wait(), 5)

        assert [await get(connections), await get(connections)] == [b"ok"] * 2
    assert server.connections == 3


async def test_other_headers_are_shown_from_the_next_request_on() -> None:
    server = RawServer([SHORT, SHORT])
    async with calling(server.serve) as connections:
        connections.use_headers({"authorization": "Bearer one"})
        await get(connections)
        connections.use_headers({"authorization": "Bearer two"})
        await get(connections)

    assert [b"Bearer one" in server.requests[0], b"Bearer two" in server.requests[1]] == [True, True]
    assert server.connections == 1


async def test_a_socket_is_a_place_too(tmp_path: Path) -> None:
    server = RawServer([SHORT])
    path = tmp_path / "s"
    async with listening(server.serve, socket=path):
        connections = Connections(Peer(url="http://host", socket=path))
        assert await get(connections) == b"ok"
        await connections.close()

    assert b"\r\nHost: host\r\n" in server.requests[0]


def _unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


async def test_nobody_there_is_told_in_words(tmp_path: Path) -> None:
    port = _unused_port()
    reasons = []
    for peer in (
        Peer(url=f"http://127.0.0.1:{port}"),
        Peer(url="http://host", socket=tmp_path / "none"),
        Peer(url="http://nobody.invalid"),
        Peer(url="https://127.0.0.1", ca_file=str(tmp_path / "none.pem")),
    ):
        with pytest.raises(NotConnected) as caught:
            await get(Connections(peer))
        reasons.append(caught.value.reason)

    assert reasons == [
        f"no connection to `http://127.0.0.1:{port}`: Connection refused",
        "no connection to the socket of `http://host`: No such file or directory",
        "the name of `http://nobody.invalid` cannot be resolved",
        f"the certificates of `{tmp_path}/none.pem` cannot be read: No such file or directory",
    ]


async def test_a_server_that_does_not_greet_is_not_waited_for() -> None:
    async with listening(silence) as port:
        with pytest.raises(NotConnected, match=r"no connection to `https://127.0.0.1:\d+` within 0.5 s"):
            await get(Connections(Peer(url=f"https://127.0.0.1:{port}", connect_s=0.5)))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate of `localhost`, signed by itself, and its key in one file."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", *key, *subject, "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def _served_with(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def test_a_server_is_trusted_by_the_authorities_of_the_operator(certificate: Path) -> None:
    server = RawServer([SHORT, SHORT])
    spoken: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await server.serve(reader, writer)

    async with listening(serve, tls=_served_with(certificate)) as port:
        connections = Connections(Peer(url=f"https://localhost:{port}", ca_file=str(certificate)))
        assert [await get(connections), await get(connections)] == [b"ok", b"ok"]
        await connections.close()

    assert spoken == ["http/1.1"]


async def test_a_certificate_that_is_not_the_servers_is_told_in_words(certificate: Path) -> None:
    reasons = []
    mismatch = "IP address mismatch, certificate is not valid for '127.0.0.1'."
    async with listening(RawServer([SHORT]).serve, tls=_served_with(certificate)) as port:
        for peer in (
            Peer(url=f"https://localhost:{port}"),
            Peer(url=f"https://127.0.0.1:{port}", ca_file=str(certificate)),
        ):
            with pytest.raises(NotConnected) as caught:
                await get(Connections(peer))
            reasons.append(caught.value.reason)

    assert reasons == [
        f"the certificate of `https://localhost:{port}` is not accepted: self-signed certificate",
        f"the certificate of `https://127.0.0.1:{port}` is not accepted: {mismatch}",
    ]


async def test_an_answer_knows_that_it_ended_when_its_connection_serves_another() -> None:
    """The limit of the one that waits is not lifted by the reader of the one before, who comes late."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SHORT)
        await reader.read()

    async with calling(serve) as connections:
        first: HttpAnswer = await connections.get("/", status_s=5)
        second = asyncio.create_task(connections.get("/", status_s=0.05))
        await asyncio.sleep(0)
        await first.whole(limit_bytes=10, limit_s=5)

        with pytest.raises(AnswerTimedOut):
            await second


async def test_a_caller_who_leaves_while_it_is_connected_leaves_nothing_open() -> None:
    server = RawServer([SHORT] * 40)
    async with listening(server.serve) as port:
        connections = Connections(Peer(url=f"http://127.0.0.1:{port}"))
        for turns in range(20):
            task = asyncio.create_task(get(connections))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert connections.busy == 0
        await connections.close()


async def test_headers_of_interim_answers_are_none_of_the_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nRetry-After: 9\r\n\r\n"
    server = RawServer([hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
    async with calling(server.serve) as connections:
        answer = await connections.get("/", status_s=5)

        assert (await answer.whole(limit_bytes=10, limit_s=5), answer.headers) == (b"ok", {"content-length": "2"})

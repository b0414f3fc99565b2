"""Several servers behind the face of one."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from qwenport.engines.connections import CallFailed, ConnectionLost, HttpAnswer, NotConnected, Peer, Replicas
from qwenport.testing.raw_server import RawServer, listening, read_request

pytestmark = pytest.mark.anyio

SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def peer_at(port: int) -> Peer:
    return Peer(url=f"http://127.0.0.1:{port}")


async def get(replicas: Replicas) -> bytes:
    return await (await replicas.get("/", status_s=5)).whole(limit_bytes=10, limit_s=5)


async def test_requests_take_turns_where_all_are_equally_busy() -> None:
    servers = [RawServer([SHORT] * 3) for _ in range(3)]
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(listening(server.serve)) for server in servers]
        replicas = Replicas([peer_at(port) for port in ports])
        stack.push_async_callback(replicas.close)

        assert [await get(replicas) for _ in range(9)] == [b"ok"] * 9
    assert [len(server.requests) for server in servers] == [3, 3, 3]


async def test_the_least_busy_one_is_next() -> None:
    busy, free = RawServer([HALF] * 4), RawServer([SHORT] * 4)
    async with listening(busy.serve) as first, listening(free.serve) as second:
        replicas = Replicas([peer_at(first), peer_at(second)])
        held: HttpAnswer = await replicas.get("/", status_s=5)

        assert [await get(replicas) for _ in range(3)] == [b"ok"] * 3
        assert (len(busy.requests), len(free.requests), replicas.busy) == (1, 3, 1)
        held.close()
        await replicas.close()


async def test_one_that_cannot_be_reached_is_passed_over() -> None:
    server = RawServer([SHORT] * 4)
    async with listening(server.serve) as port:
        replicas = Replicas([peer_at(unused_port()), peer_at(port)])

        assert [await get(replicas) for _ in range(4)] == [b"ok"] * 4
        await replicas.close()


async def test_one_that_dies_under_a_request_is_not_asked_again_for_a_while() -> None:
    dying, well = RawServer(), RawServer([SHORT] * 3)
    async with listening(dying.serve) as first, listening(well.serve) as second:
        replicas = Replicas([peer_at(first), peer_at(second)])
        with pytest.raises(ConnectionLost):
            await get(replicas)

        assert [await get(replicas) for _ in range(3)] == [b"ok"] * 3
        assert len(dying.requests) == 1
        await replicas.close()


async def test_where_none_can_be_reached_all_are_tried_each_time() -> None:
    server = RawServer([SHORT])
    port = unused_port()
    replicas = Replicas([peer_at(unused_port()), peer_at(port)])
    with pytest.raises(NotConnected, match="Connection refused"):
        await get(replicas)
    async with listening(server.serve, port=port):
        assert await get(replicas) == b"ok"
        await replicas.close()


async def test_all_that_are_tried_share_the_time_for_an_answer() -> None:
    """Each takes a connection, never greets and is given up after 0.5 s; there is time for two of four at most."""
    asked: list[int] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        await reader.read()

    async with listening(swallow) as port:
        peers = [Peer(url=f"https://127.0.0.1:{port}", connect_s=0.5) for _ in range(4)]
        replicas = Replicas(peers)
        with pytest.raises(NotConnected):
            await replicas.post("/", b"{}", status_s=0.9)
        await replicas.close()

    assert len(asked) <= 2


async def test_what_makes_something_is_sent_once_by_replicas_too() -> None:
    server = RawServer([SHORT])
    async with listening(server.serve) as port:
        replicas = Replicas([peer_at(port)])
        await get(replicas)
        with pytest.raises(ConnectionLost):
            await replicas.post("/", b"{}", status_s=5, repeats=False)

        assert len(server.requests) == 2
        await replicas.close()


async def test_every_address_of_a_name_is_a_replica() -> None:
    server = RawServer([SHORT, SHORT])
    async with listening(server.serve) as port:
        replicas = Replicas.of_name(Peer(url=f"http://localhost:{port}"))
        replicas.use_headers({"authorization": "Bearer later"})

        assert [await get(replicas), await get(replicas)] == [b"ok", b"ok"]
        await replicas.close()
    assert [f"Host: localhost:{port}".encode() in request for request in server.requests] == [True, True]
    assert b"authorization: Bearer later" in server.requests[0]


async def test_a_name_that_nobody_knows_is_told_and_asked_for_again() -> None:
    replicas = Replicas.of_name(Peer(url="http://nobody.invalid"))
    for _ in range(2):
        with pytest.raises(NotConnected, match=r"the name of `http://nobody.invalid` cannot be resolved"):
            await get(replicas)
    await replicas.close()


async def test_addresses_that_a_name_loses_are_let_go_and_new_ones_are_asked() -> None:
    old, new = RawServer([SHORT, HALF]), RawServer([SHORT])
    async with listening(old.serve) as first, listening(new.serve) as second:
        replicas = Replicas(())
        replicas._use_addresses({"a": peer_at(first)})
        await get(replicas)
        running = await replicas.get("/", status_s=5)
        replicas._use_addresses({"b": peer_at(second)})

        assert (await get(replicas), await running.read(5), replicas.busy) == (b"ok", b"half", 1)
        await replicas.close()
        await asyncio.wait_for(old.left.wait(), 5)
    assert (len(old.requests), len(new.requests)) == (2, 1)


async def test_closing_leaves_no_task() -> None:
    replicas = Replicas.of_name(Peer(url="http://localhost:1"))
    before = asyncio.all_tasks()
    with pytest.raises(NotConnected):
        await get(replicas)
    await replicas.close()

    assert asyncio.all_tasks() == before


SICK = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nsick"
FOREIGN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


async def outcome(replicas: Replicas) -> str:
    try:
        answer = await replicas.get("/", status_s=5)
        await answer.whole(limit_bytes=10, limit_s=5)
    except CallFailed as error:
        return type(error).__name__
    return str(answer.status)


@pytest.mark.parametrize(
    ("reply", "first"),
    [(SICK, "503"), (FOREIGN, "AnswerInvalid"), (BROKEN, "ConnectionLost")],
    ids=["503", "no answer", "breaks off"],
)
async def test_one_that_answers_badly_and_at_once_does_not_draw_the_requests(reply: bytes, first: str) -> None:
    sick, well = RawServer([reply] * 50, closes=True), RawServer([SHORT] * 50)
    async with listening(sick.serve) as one, listening(well.serve) as other:
        replicas = Replicas([peer_at(one), peer_at(other)])

        assert [await outcome(replicas) for _ in range(20)] == [first, *["200"] * 19]
        await replicas.close()


async def test_a_refusal_of_what_was_asked_says_nothing_of_a_replica() -> None:
    servers = [RawServer([b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"] * 4), RawServer([SHORT] * 4)]
    async with listening(servers[0].serve) as one, listening(servers[1].serve) as other:
        replicas = Replicas([peer_at(one), peer_at(other)])

        assert [await outcome(replicas) for _ in range(4)] == ["429", "200", "429", "200"]
        await replicas.close()


async def test_a_request_that_breaks_all_of_them_leaves_the_next_ones_to_all_of_them() -> None:
    servers = [RawServer([SICK] + [SHORT] * 9) for _ in range(3)]
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(listening(server.serve)) for server in servers]
        replicas = Replicas([peer_at(port) for port in ports])
        stack.push_async_callback(replicas.close)

        assert [await outcome(replicas) for _ in range(12)] == ["503"] * 3 + ["200"] * 9
    assert [len(server.requests) for server in servers] == [4, 4, 4]


async def test_one_that_callers_leave_again_and_again_before_a_head_came_is_passed_over() -> None:
    arrived: list[int] = []
    arrives = asyncio.Event()
    answers: list[bytes | BaseException] = []

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.append(1)
        arrives.set()
        await reader.read()

    well = RawServer([SHORT] * 40)
    async with listening(hang) as one, listening(well.serve) as other:
        replicas = Replicas([peer_at(one), peer_at(other)])
        for _ in range(20):
            arrives.clear()
            asked, hangs = asyncio.create_task(get(replicas)), asyncio.create_task(arrives.wait())
            await asyncio.wait((asked, hangs), return_when=asyncio.FIRST_COMPLETED)
            for task in (asked, hangs):
                task.cancel()
            answers.append((await asyncio.gather(asked, hangs, return_exceptions=True))[0])
        await replicas.close()

    assert (len(arrived), answers.count(b"ok")) == (3, 17)


async def test_what_the_reader_closes_says_nothing_of_a_replica() -> None:
    busy, other = RawServer([HALF] * 4), RawServer([SHORT] * 4)
    async with listening(busy.serve) as first, listening(other.serve) as second:
        replicas = Replicas([peer_at(first), peer_at(second)])
        for _ in range(2):
            (await replicas.get("/", status_s=5)).close()
            await get(replicas)
        await replicas.close()

    assert (len(busy.requests), len(other.requests)) == (2, 2)

"""Answers that are broken, absurd, or made to be taken for two."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from qwenport.engines.connections import AnswerInvalid, AnswerTimedOut, CallFailed, ConnectionLost, Connections
from qwenport.testing.raw_server import RawServer, calling, read_request

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nok"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


async def answer_to(connections: Connections, body: bytes = b"{}") -> tuple[int, bytes]:
    answer = await connections.post("/x", body, status_s=5)
    try:
        return answer.status, await answer.whole(limit_bytes=1 << 20, limit_s=5)
    finally:
        answer.close()


NO_ANSWERS = {
    "no HTTP": (b"<html></html>", "does not speak HTTP"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.9\r\n", "does not speak HTTP"),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "does not speak HTTP"),
    "a folded header": (OK + b"A: b\r\n c\r\nContent-Length: 2\r\n\r\nok", "does not speak HTTP"),
    "a zero byte in a header": (OK + b"A: \x00\r\n\r\n", "does not speak HTTP"),
    "a space before a colon": (OK + b"Content-Length : 2\r\n\r\nok", "does not speak HTTP"),
    "a length and chunks": (
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "with Content-Length",
    ),
    "chunks and a length": (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", "with "),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk", "Duplicate Content-Length"),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\n", "does not speak HTTP"),
    "a length that is no number": (OK + b"Content-Length: 0x2\r\n\r\nok", "does not speak HTTP"),
    "chunks within another coding": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "not asked for"),
    "a transfer coding without chunks": (OK + b"Transfer-Encoding: gzip\r\n\r\nx", "not asked for"),
    "an encoded body": (OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", "it is encoded"),
    "another protocol from now on": (
        b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "change the protocol",
    ),
    "interim answers without end": (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17, "more than 16 interim answers"),
    "a header that is too long": (OK + b"A: " + b"x" * 70_000 + b"\r\n\r\n", "more than 65536 bytes"),
    "a header without end": (OK + b"A: " + b"x" * 70_000, "more than 65536 bytes"),
    "too many headers": (OK + b"A: 123456789\r\n" * 7000 + b"\r\n", "more than 65536 bytes"),
}


@pytest.mark.parametrize(("reply", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_what_is_no_answer_is_refused_and_its_connection_closed(reply: bytes, words: str) -> None:
    server = RawServer([reply, SHORT])
    async with calling(server.serve) as connections:
        with pytest.raises(AnswerInvalid, match=words):
            await answer_to(connections)

        assert await answer_to(connections) == (200, b"ok")
        assert (server.connections, connections.busy) == (2, 0)


BAD_BODIES = {
    "a chunk size that is none": b"zz\r\n",
    "a chunk that is longer than it says": b"2\r\nokay\r\n0\r\n\r\n",
    "a chunk size beyond all numbers": b"fffffffffffffffff\r\n",
    "a trailer without end": b"2\r\nok\r\n0\r\nA: " + b"x" * 1_000_000,
    "a chunk extension without end": b"2;a=" + b"x" * 1_000_000,
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_in_wrong_chunks_is_refused(body: bytes) -> None:
    async with calling(RawServer([CHUNKED + body]).serve) as connections:
        with pytest.raises(AnswerInvalid):
            await answer_to(connections)


async def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10 << 20))
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with calling(RawServer([head + bomb]).serve) as connections:
        with pytest.raises(AnswerInvalid, match="it is encoded, which was not asked for"):
            await answer_to(connections)


GOOD = {
    "a length": (SHORT, (200, b"ok")),
    "chunks": (CHUNKED + b"1\r\no\r\n1;x=y\r\nk\r\n0\r\nX-Trailer: 1\r\n\r\n", (200, b"ok")),
    "interim answers first": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n" + SHORT, (200, b"ok")),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
    "an empty body": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", (500, b"")),
    "plainly encoded": (OK + b"Content-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", (200, b"ok")),
}


@pytest.mark.parametrize(("reply", "expected"), GOOD.values(), ids=GOOD)
async def test_good_answers_leave_their_connection_to_the_next_one(reply: bytes, expected: tuple[int, bytes]) -> None:
    server = RawServer([reply, SHORT])
    async with calling(server.serve) as connections:
        assert [await answer_to(connections), await answer_to(connections)] == [expected, (200, b"ok")]

        assert server.connections == 1


ENDED_BY_CLOSING = {
    "no length": OK + b"\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nok",
}


@pytest.mark.parametrize("reply", ENDED_BY_CLOSING.values(), ids=ENDED_BY_CLOSING)
async def test_a_body_without_a_length_ends_with_its_connection(reply: bytes) -> None:
    async with calling(RawServer([reply], closes=True).serve) as connections:
        assert await answer_to(connections) == (200, b"ok")


@pytest.mark.parametrize("reply", [SHORT, CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"], ids=["a length", "chunks"])
async def test_an_answer_that_ends_at_any_byte_but_its_last_is_none(reply: bytes) -> None:
    for size in range(1, len(reply)):
        async with calling(RawServer([reply[:size]], closes=True).serve) as connections:
            with pytest.raises(ConnectionLost) as caught:
                await answer_to(connections)
            assert (caught.value.answered, connections.busy) == (True, 0)


@pytest.mark.parametrize("rubbish", [b"x", SHORT, b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"])
async def test_what_follows_an_answer_is_never_taken_for_the_next_one(rubbish: bytes) -> None:
    server = RawServer([SHORT + rubbish, OK + b"Content-Length: 4\r\n\r\nnext"])
    async with calling(server.serve) as connections:
        assert [await answer_to(connections), await answer_to(connections)] == [(200, b"ok"), (200, b"next")]

        assert server.connections == 2


async def test_what_comes_while_nothing_was_asked_closes_the_connection() -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SHORT)
        await reader_is_idle.wait()
        writer.write(OK + b"Content-Length: 4\r\n\r\nevil")
        await reader.read()
        left.set()

    reader_is_idle = asyncio.Event()
    async with calling(serve) as connections:
        await answer_to(connections)
        reader_is_idle.set()

        await asyncio.wait_for(left.wait(), 5)


async def test_an_answer_before_the_request_was_taken_counts_and_ends_the_connection() -> None:
    seen = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.Event().wait()

    async with calling(serve) as connections:
        large = bytes(20 << 20)
        assert [await answer_to(connections, large), await answer_to(connections, large)] == [(413, b"no")] * 2
        assert seen == 2


async def test_an_answer_that_is_too_large_is_given_up() -> None:
    server = RawServer([OK + b"Content-Length: 3000\r\n\r\n" + bytes(3000)])
    async with calling(server.serve) as connections:
        answer = await connections.get("/", status_s=5)

        with pytest.raises(AnswerInvalid, match="the answer has more than 1000 bytes"):
            await answer.whole(limit_bytes=1000, limit_s=5)


async def test_a_frame_without_end_is_given_up_and_the_connection_with_it() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"\r\ndata: ")
        while True:
            writer.write(bytes(1 << 16).replace(b"\0", b"x"))
            await writer.drain()

    async with calling(serve) as connections:
        answer = await connections.get("/", status_s=5)
        with pytest.raises(AnswerInvalid, match="a frame of more than 8388608 bytes"):
            await answer.frames(5)


async def test_a_body_that_drips_is_given_up_after_the_time_for_all_of_it() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.001)

    async with calling(serve) as connections:
        answer = await connections.get("/", status_s=5)
        with pytest.raises(AnswerTimedOut):
            await answer.whole(limit_bytes=1 << 20, limit_s=0.1)


async def test_good_frames_before_the_end_of_a_broken_stream_are_given() -> None:
    reply = CHUNKED + b"a\r\ndata: 1\n\nd\r\n"
    async with calling(RawServer([reply], closes=True).serve) as connections:
        answer = await connections.get("/", status_s=5)
        frames = await answer.frames(5)
        with pytest.raises(CallFailed) as caught:
            await answer.frames(5)

        assert (frames, type(caught.value)) == ([b"data: 1"], ConnectionLost)

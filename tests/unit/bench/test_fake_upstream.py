"""The fake upstream reads what gateways send, whatever its pieces."""

from __future__ import annotations

import asyncio

import pytest
from bench.answers import count_pieces, is_whole
from bench.fake_upstream import Host
from bench.http_response import ResponseReader
from bench.load import LoadOrder, request_bytes


class Kept(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data


def order(*, streams: bool) -> LoadOrder:
    return LoadOrder(
        port=1, path="/", key="k", model="m", streams=streams, tokens=3, concurrency=1, seconds=1, body_bytes=5_000
    )


async def answered(request: bytes, *, piece_bytes: int, holds: bool = False) -> bytes:
    host, kept = Host(asyncio.get_running_loop(), holds=holds), Kept()
    host.connection_made(kept)
    for place in range(0, len(request), piece_bytes):
        host.data_received(request[place : place + piece_bytes])
    for _ in range(10):
        await asyncio.sleep(0)
    return bytes(kept.written)


@pytest.mark.anyio
@pytest.mark.parametrize("piece_bytes", [1, 700, 100_000])
async def test_a_whole_answer_follows_once_the_request_is_complete(piece_bytes: int) -> None:
    reader = ResponseReader()

    assert reader.feed(await answered(request_bytes(order(streams=False)), piece_bytes=piece_bytes))
    assert is_whole(bytes(reader.body), 3)


@pytest.mark.anyio
async def test_a_stream_has_every_piece_and_its_end() -> None:
    reader = ResponseReader()

    assert reader.feed(await answered(request_bytes(order(streams=True)), piece_bytes=700))
    assert count_pieces(bytes(reader.body), 3).received == 3


@pytest.mark.anyio
async def test_a_stream_that_is_held_has_one_piece_and_no_end() -> None:
    reader = ResponseReader()

    assert not reader.feed(await answered(request_bytes(order(streams=True)), piece_bytes=700, holds=True))
    assert count_pieces(bytes(reader.body), 3).received == 1


@pytest.mark.anyio
async def test_an_incomplete_request_is_not_answered() -> None:
    assert await answered(request_bytes(order(streams=False))[:-1], piece_bytes=700) == b""

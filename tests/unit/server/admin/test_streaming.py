"""A long answer goes out a block at a time, and ends when its client does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest

from qwenport.core.errors import StorageUnavailable
from qwenport.server.admin.operation import Streamed
from qwenport.server.admin.streaming import send_stream

pytestmark = pytest.mark.anyio

Message = MutableMapping[str, Any]


class Client:
    """Takes what is sent; leaves after so many blocks."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.sent: list[Message] = []
        self.asked: list[int] = []
        self.closed = False
        self._leaves_after = leaves_after
        self._left = asyncio.Event()

    async def receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self._leaves_after is not None and len(self.blocks) >= self._leaves_after:
            self._left.set()
            await asyncio.sleep(0)  # the server hears of it before it goes on
            await asyncio.sleep(0)

    @property
    def blocks(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message["type"] == "http.response.body" and message["body"]]

    def make(self, count: int, error: Exception | None = None) -> Iterator[bytes]:
        try:
            for number in range(count):
                self.asked.append(number)
                yield b"%d;" % number
            if error is not None:
                raise error
        finally:
            self.closed = True


async def here(work: Callable[[], Any]) -> Any:
    return work()


def streamed(blocks: Iterator[bytes]) -> Streamed:
    return Streamed(blocks=blocks, media_type="text/csv", file_name="calls.csv")


async def test_all_blocks_are_sent_in_their_order() -> None:
    client = Client()
    await send_stream(streamed(client.make(3)), here, client.receive, client.send)

    assert client.sent[0]["status"] == 200
    assert (b"content-disposition", b'attachment; filename="calls.csv"') in client.sent[0]["headers"]
    assert client.blocks == [b"0;", b"1;", b"2;"]
    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert client.closed


async def test_nothing_more_is_made_for_a_client_that_left() -> None:
    client = Client(leaves_after=2)
    await send_stream(streamed(client.make(1_000_000)), here, client.receive, client.send)

    assert len(client.asked) <= 3
    assert client.closed


async def test_an_error_before_the_first_block_is_said_with_a_status_of_its_own() -> None:
    client = Client()
    with pytest.raises(StorageUnavailable):
        await send_stream(streamed(client.make(0, StorageUnavailable("gone"))), here, client.receive, client.send)

    assert client.sent == []


async def test_an_error_in_the_middle_leaves_the_answer_without_its_end() -> None:
    client = Client()
    await send_stream(streamed(client.make(2, StorageUnavailable("gone"))), here, client.receive, client.send)

    assert client.blocks == [b"0;", b"1;"]
    assert client.sent[-1]["more_body"] is True
    assert client.closed

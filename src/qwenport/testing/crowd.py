"""Many clients of one server: all in the same moment, or one call after the other until they are told to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import uvloop

from qwenport.testing.raw_client import Answer, RawClient

BETWEEN_CALLS_S = 0.02
"""A client of a load that was refused comes again after this time, as one that takes no notice of `Retry-After`."""


def all_at_once(port: int, requests: Sequence[bytes]) -> list[Answer]:
    """Return the answers to requests, each over a connection of its own, all sent when every client is connected."""

    async def send() -> list[Answer]:
        ready = asyncio.Barrier(len(requests))

        async def one(request: bytes) -> Answer:
            async with _connected(port) as client:
                await ready.wait()
                await client.send(request)
                return await client.answer()

        return await asyncio.gather(*(one(request) for request in requests))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(send())


class Load:
    """Some clients that call one after the other while the block lasts, in a thread; each call has its connection."""

    def __init__(self, port: int, request: bytes, *, clients: int = 4) -> None:
        self.answers: list[Answer] = []
        """In the order in which they came."""
        self.unanswered = 0
        """Calls whose connection ended without an answer."""
        self._port = port
        self._request = request
        self._clients = clients
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def more(self, status: int, count: int = 5) -> Callable[[], bool]:
        """Return what tells whether so many more answers of a status have come from now on."""
        begin = len(self.answers)
        return lambda: sum(answer.status == status for answer in self.answers[begin:]) >= count

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._call_all())

    async def _call_all(self) -> None:
        await asyncio.gather(*(self._call() for _ in range(self._clients)))

    async def _call(self) -> None:
        while not self._stopping.is_set():
            try:
                async with _connected(self._port) as client:
                    await client.send(self._request)
                    self.answers.append(await client.answer())
            except (OSError, EOFError):
                self.unanswered += 1
            await asyncio.sleep(BETWEEN_CALLS_S)


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[RawClient]:
    client = RawClient(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        await client.close()

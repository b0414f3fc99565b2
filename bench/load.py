"""The load generator: so many connections, each with one call after the other, every byte of every answer checked.

Run as a process of its own, pinned to a core, with a `LoadOrder` as JSON in its only argument; it prints a `Load`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from random import random
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from bench.answers import count_pieces, is_whole, pieces
from bench.http_response import NotHttp, ResponseReader
from bench.percentile import percentile

_FIRST_PIECE = pieces(1)[0]
_OK = 200
_GRACE_S = 90.0
"""The slowest gateway measured takes half a minute for 256 streams."""
_QUESTION = "How do you do? "


class LoadOrder(Struct, frozen=True, kw_only=True):
    """What to send where."""

    port: int
    path: str
    key: str
    model: str
    streams: bool
    tokens: int
    """Pieces of each answer."""
    concurrency: int
    seconds: float
    """No call begins after this time; those under way are waited for."""
    body_bytes: int = 0
    """Length that the question is drawn out to; 0 for a short one."""
    calls_a_second: float = 0.0
    """Of all connections together, evenly; 0 for each call to begin when the one before has ended."""
    headers: dict[str, str] = {}
    """Beside those that every call has."""


class Load(Struct, frozen=True, kw_only=True):
    """What was sent and what came back; times in milliseconds."""

    calls: int
    failed: int
    """Calls without a complete answer of status 200."""
    wrong: int
    """Complete answers whose text was not the text that was sent."""
    seconds: float
    p50_ms: float
    p99_ms: float
    first_p50_ms: float
    """Until the first piece of text; 0 for answers in one piece."""
    first_p99_ms: float
    pieces: int
    lost: int
    doubled: int
    misplaced: int
    cpu_share: float
    """Share of its core that the generator used; near 1 it was the bottleneck."""


class _Tally:
    """Sums over all connections."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.firsts: list[float] = []
        self.sent = self.failed = self.wrong = 0
        self.pieces = self.lost = self.doubled = self.misplaced = 0

    def check(self, reader: ResponseReader, order: LoadOrder) -> None:
        """Compare a complete answer with what was sent."""
        if reader.status != _OK:
            self.failed += 1
        elif order.streams:
            found = count_pieces(bytes(reader.body), order.tokens)
            self.pieces += found.received
            self.lost += found.lost
            self.doubled += found.doubled
            self.misplaced += found.misplaced
            self.wrong += not reader.body.endswith(b"data: [DONE]\n\n")
        else:
            self.wrong += not is_whole(bytes(reader.body), order.tokens)


class _Caller(asyncio.Protocol):
    """One connection: sends the next call as soon as it has the answer to the last."""

    def __init__(self, order: LoadOrder, request: bytes, tally: _Tally, deadline: float) -> None:
        self._order, self._request, self._tally, self._deadline = order, request, tally, deadline
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = ResponseReader()
        self._began = 0.0
        self._due = 0.0
        """When the next call may begin, by the loop's clock."""
        self._has_first = False
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first call, of a paced load at a random moment, so that they are spread."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        pace = self._order.calls_a_second
        self._due = self._loop.time() + (random() * self._order.concurrency / pace if pace else 0.0)
        self._loop.call_at(self._due, self._call) if pace else self._call()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio tells why
        """Count a call that got no complete answer."""
        self._transport = None
        if not self.ended.done():
            self._tally.failed += 1
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take in a part of the answer."""
        now = time.perf_counter()
        try:
            is_complete = self._reader.feed(data)
        except NotHttp:
            self._stop(failed=True)
            return
        if not self._has_first and self._order.streams and _FIRST_PIECE in self._reader.body:
            self._has_first = True
            self._tally.firsts.append(now - self._began)
        if is_complete:
            self._tally.latencies.append(now - self._began)
            self._tally.check(self._reader, self._order)
            self._pause()

    def _pause(self) -> None:
        """Begin the next call when it is due."""
        if not self._order.calls_a_second:
            self._call()
            return
        self._due += self._order.concurrency / self._order.calls_a_second
        self._loop.call_at(self._due, self._call)

    def _call(self) -> None:
        if self.ended.done():
            return
        if time.perf_counter() >= self._deadline or self._transport is None:
            self._stop(failed=False)
            return
        self._reader = ResponseReader()
        self._has_first = False
        self._tally.sent += 1
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def _stop(self, *, failed: bool) -> None:
        self._tally.failed += failed
        self.ended.set_result(None)
        if self._transport is not None:
            self._transport.close()


def request_bytes(order: LoadOrder) -> bytes:
    """Return the request as it goes over the wire."""
    empty = _body(order, "")
    long = _QUESTION * (1 + max(0, order.body_bytes - len(empty)) // len(_QUESTION))
    body = _body(order, long[: max(len(_QUESTION), order.body_bytes - len(empty))])
    more = "".join(f"{name}: {value}\r\n" for name, value in order.headers.items())
    head = (
        f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\nAuthorization: Bearer {order.key}\r\n{more}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _body(order: LoadOrder, question: str) -> bytes:
    return msgspec.json.encode(
        {
            "model": order.model,
            "messages": [{"role": "user", "content": question}],
            "max_tokens": order.tokens,
            "stream": order.streams,
        }
    )


async def generate(order: LoadOrder) -> Load:
    """Send load until its time is over and the last answer is in."""
    loop = asyncio.get_running_loop()
    tally, request = _Tally(), request_bytes(order)
    began, cpu_began = time.perf_counter(), time.process_time()
    deadline = began + order.seconds
    connections = [
        await loop.create_connection(lambda: _Caller(order, request, tally, deadline), "127.0.0.1", order.port)
        for _ in range(order.concurrency)
    ]
    async with asyncio.timeout(order.seconds + _GRACE_S):
        await asyncio.gather(*(caller.ended for _, caller in connections))
    return _summary(tally, time.perf_counter() - began, time.process_time() - cpu_began)


def _summary(tally: _Tally, seconds: float, cpu_seconds: float) -> Load:
    return Load(
        calls=tally.sent,
        failed=tally.failed,
        wrong=tally.wrong,
        seconds=seconds,
        p50_ms=percentile(tally.latencies, 0.5) * 1000,
        p99_ms=percentile(tally.latencies, 0.99) * 1000,
        first_p50_ms=percentile(tally.firsts, 0.5) * 1000,
        first_p99_ms=percentile(tally.firsts, 0.99) * 1000,
        pieces=tally.pieces,
        lost=tally.lost,
        doubled=tally.doubled,
        misplaced=tally.misplaced,
        cpu_share=cpu_seconds / seconds,
    )


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(generate(msgspec.json.decode(sys.argv[1], type=LoadOrder)))).decode())

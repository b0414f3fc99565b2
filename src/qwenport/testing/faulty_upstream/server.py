"""The faulty upstream as a server: requests in, answers with their faults out."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import cast

import httptools
import msgspec
from msgspec import Struct

from qwenport.testing.faulty_upstream import control
from qwenport.testing.faulty_upstream.answers import (
    Request,
    embeddings_body,
    models_body,
    prompt_tokens_of,
    stream_frames,
    whole_body,
)
from qwenport.testing.faulty_upstream.errors import error_response, has_status
from qwenport.testing.faulty_upstream.faults import Fault, Plan, Script, Step
from qwenport.testing.faulty_upstream.manner import Manner
from qwenport.testing.faulty_upstream.score import Action, Do, dripping, frames_sent, stream, whole

_MOST_SERVED = 1_000_000
_RESET = struct.pack("ii", 1, 0)
"""`SO_LINGER` so that closing a TCP connection resets it."""
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Served(Struct, kw_only=True):
    """What was made for one call: what an honest bill may hold at most."""

    id: str
    """The `id` of the answer."""
    path: str
    asked: str
    """The last message, the prompt or the input."""
    fault: Fault
    input_tokens: int = 0
    output_tokens: int = 0
    """Generated, whether or not anybody received them."""
    is_complete: bool = False
    """Whether all of the answer was written before anybody hung up."""


class FaultyUpstream:
    """An OpenAI-compatible server whose answers suffer from what its plan says; the plan may be changed at any time."""

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        manner: Manner | None = None,
        models: tuple[str, ...] = ("faulty",),
        seed: int = 0,
    ) -> None:
        """Answer well where there is no plan."""
        self.plan: Plan = Script(()) if plan is None else plan
        self.manner = Manner() if manner is None else manner
        self.models = models
        self.served: deque[Served] = deque(maxlen=_MOST_SERVED)
        """Every call that was taken, in order."""
        self.faults: Counter[Fault] = Counter()
        self.open_connections = 0
        self._chance = random.Random(seed)
        self._numbers = count(1)

    @asynccontextmanager
    async def listening(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Listen in this loop until the block ends; the port is yielded."""
        loop = asyncio.get_running_loop()
        connections: set[_Connection] = set()
        server = await loop.create_server(lambda: _Connection(self, loop, connections), host, port, backlog=4096)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in tuple(connections):
                connection.reset()
            await server.wait_closed()

    def reset(self) -> None:
        """Forget what was served."""
        self.served.clear()
        self.faults.clear()

    def answer(self, method: str, path: str, body: bytes, bearer: str) -> tuple[Iterator[Action], Served | None]:
        """Return what to do for a request, and the record of the call where it is one."""
        if path.startswith("/control/"):
            return iter([control.response(self, method, path, body)]), None
        is_known = not self.manner.key or bearer == self.manner.key
        if path == "/health" or (is_known and path.endswith("/models")):
            return whole(models_body(self.models), Fault.NONE, self.manner), None
        if path.endswith("/models"):
            return iter([error_response(Step(Fault.STATUS_401), "call-of-nobody", 0.0)]), None
        operation = path.partition("?")[0].rpartition("/v1/")[2]
        if method != "POST" or operation not in {"chat/completions", "completions", "embeddings"}:
            return iter([_NOT_FOUND]), None
        step = self.plan.next()
        call_id = f"call-{next(self._numbers):08d}"
        if not is_known:
            step = Step(Fault.STATUS_401)
        served = Served(id=call_id, path=path, asked="", fault=step.fault)
        self.served.append(served)
        self.faults[step.fault] += 1
        return self._scored(operation, body, step, served), served

    def _scored(self, operation: str, body: bytes, step: Step, served: Served) -> Iterator[Action]:
        latency_s = self.manner.latency.draw(self._chance)
        if latency_s:
            yield latency_s
        try:
            request = msgspec.json.decode(body, type=Request)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            step = Step(Fault.STATUS_400)
            request = Request()
        served.asked = request.asked
        if has_status(step.fault):
            yield error_response(step, served.id, self.manner.retry_after_s)
            yield Do.END_CALL
            return
        actions = self._made(operation, request, step.fault, served)
        yield from dripping(actions, self.manner.drip_bytes) if step.fault is Fault.DRIP else actions

    def _made(self, operation: str, request: Request, fault: Fault, served: Served) -> Iterator[Action]:
        """Return a good answer with what its fault makes of it, and note what it took."""
        served.input_tokens = prompt_tokens_of(served.asked)
        if operation == "embeddings":
            return whole(embeddings_body(served.id.encode(), request, fault), fault, self.manner)
        is_chat = operation == "chat/completions"
        tokens = request.max_completion_tokens or request.max_tokens or self.manner.tokens
        if not request.stream:
            served.output_tokens = tokens
            told = whole_body(served.id.encode(), request, is_chat=is_chat, tokens=tokens, fault=fault)
            return whole(told, fault, self.manner)
        frames = stream_frames(served.id.encode(), request, is_chat=is_chat, tokens=tokens, fault=fault)
        served.output_tokens = min(tokens, frames_sent(len(frames), fault))
        return stream(frames, fault, self.manner)


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, and the next request."""

    def __init__(self, upstream: FaultyUpstream, loop: asyncio.AbstractEventLoop, all_: set[_Connection]) -> None:
        self._upstream = upstream
        self._loop = loop
        self._all = all_
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.Handle | None = None
        self._playing: Iterator[Action] | None = None
        self._served: Served | None = None
        self._waiting: deque[tuple[str, str, bytes, str]] = deque()
        self._url = b""
        self._bearer = ""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._all.add(self)
        self._upstream.open_connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio tells why
        """Stop whatever is being answered."""
        self._transport = None
        self._playing = None
        self._all.discard(self)
        self._upstream.open_connections -= 1
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take in a request."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.reset()

    def on_url(self, url: bytes) -> None:
        """Take the path."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take what is shown as key."""
        if name.lower() == b"authorization":
            self._bearer = value.decode("latin-1").removeprefix("Bearer ")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer, or do so after those that came before."""
        method = self._parser.get_method().decode()
        self._waiting.append((method, self._url.decode("latin-1"), b"".join(self._body), self._bearer))
        self._url, self._bearer = b"", ""
        self._body.clear()
        if self._playing is None:
            self._begin()

    def reset(self) -> None:
        """Close the connection so that the other end sees it reset."""
        if self._transport is None:
            return
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _begin(self) -> None:
        self._playing, self._served = self._upstream.answer(*self._waiting.popleft())
        self._play()

    def _play(self) -> None:
        """Do what is next, until something is waited for."""
        while self._playing is not None and self._transport is not None:
            action = next(self._playing, None)
            match action:
                case bytes():
                    self._transport.write(action)
                case float() | int():
                    self._timer = (
                        self._loop.call_later(action, self._play) if action else self._loop.call_soon(self._play)
                    )
                    return
                case Do.RESET:
                    self.reset()
                    return
                case Do.HANG:
                    return
                case Do.END_CALL:
                    if self._served is not None:
                        self._served.is_complete = True
                case None:
                    self._playing = None
                    if self._waiting:
                        self._begin()

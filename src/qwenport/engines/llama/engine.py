"""The gateway's side of a llama.cpp host: one call in, events out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from qwenport.core.errors import EngineTimedOut
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Condition
from qwenport.engines.llama.answer import Answer
from qwenport.engines.llama.refusal import refusal, unavailable
from qwenport.engines.llama.request import request_of
from qwenport.engines.llama.stream import ChunkStream
from qwenport.engines.llama.wire import encode_request

_OK = 200
IDLE_S = 2.0
"""An idle connection is closed after this time, before the host does so; 5 s are usual there."""
_LONGEST_REFUSAL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long the host is waited for."""

    connect_s: float = 5.0
    first_event_s: float = 120.0
    """Between signs of life before the first event; progress through the prompt is one."""
    between_events_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a host listens."""

    url: str
    """Scheme, host and port; of a socket only the scheme counts."""
    socket: Path | None = None
    secret: str
    keeps_connections: bool = False
    """Whether a connection serves further calls. Our own host says so and closes it after a stream all the same."""

    def connector(self) -> aiohttp.BaseConnector:
        """Return what opens connections to it, as many as are wanted."""
        if self.keeps_connections:
            idle: dict[str, Any] = {"keepalive_timeout": IDLE_S}
        else:
            idle = {"force_close": True}
        if self.socket is None:
            return aiohttp.TCPConnector(limit=0, **idle)
        return aiohttp.UnixConnector(str(self.socket), limit=0, **idle)


class LlamaEngine:
    """Runs calls on one host, each over a connection of its own that is closed when the call ends."""

    def __init__(
        self,
        *,
        target: str,
        slots: int,
        address: Address,
        read_condition: Callable[[], Condition],
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        """Open nothing yet; `read_condition` tells why nobody answers when nobody does."""
        self.target = target
        self.slots = slots
        self._address = address
        self._read_condition = read_condition
        self._deadlines = deadlines
        self._session: aiohttp.ClientSession | None = None

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; closing the generator closes the connection, at which the host stops."""
        answer = Answer(
            served_by=self.target,
            choices=prepared.call.sampling.choices,
            max_input_tokens=prepared.max_input_tokens,
        )
        limit_s = self._deadlines.first_event_s
        async with self._opened(prepared) as stream:
            while frames := await stream.read(limit_s):
                for frame in frames:
                    for event in answer.events_of(stream.decode(frame)):
                        yield event
                if answer.has_begun:
                    limit_s = self._deadlines.between_events_s
        yield answer.finish()

    def condition(self) -> Condition:
        """Tell what the engine can do now."""
        return self._read_condition()

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def _opened(self, prepared: PreparedCall) -> AsyncIterator[ChunkStream]:
        """Send the call; the stream is closed whatever happens."""
        response = await self._post(encode_request(request_of(prepared)))
        stream = ChunkStream(response, self.target)
        try:
            if response.status != _OK:
                raise refusal(response.status, await self._refusal_body(response), prepared, self.target)
            yield stream
        finally:
            stream.close()

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        try:
            # The host answers with a status only after it found a slot and began to read the prompt.
            async with asyncio.timeout(self._deadlines.first_event_s):
                return await self._post_once_or_again(body)
        except TimeoutError as error:
            raise EngineTimedOut from error
        except (aiohttp.ClientError, OSError) as error:
            # Nobody is there, or is no longer: a host that dies closes what it has accepted without a word.
            raise unavailable(self.target.partition("/")[2], self._read_condition()) from error

    async def _post_once_or_again(self, body: bytes) -> aiohttp.ClientResponse:
        """Post; a kept connection that turns out to be closed is replaced by a new one, once."""
        try:
            return await self._connections().post("/v1/chat/completions", data=body)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not self._address.keeps_connections:
                raise
            return await self._connections().post("/v1/chat/completions", data=body)

    async def _refusal_body(self, response: aiohttp.ClientResponse) -> bytes:
        body = b""
        try:
            async with asyncio.timeout(self._deadlines.between_events_s):
                while len(body) < _LONGEST_REFUSAL_BYTES and (more := await response.content.readany()):
                    body += more
        except (aiohttp.ClientError, OSError):
            # Half a reason is worth as much as none; the status is known.
            return body
        return body

    def _connections(self) -> aiohttp.ClientSession:
        """Return the session, which belongs to the loop of the first call."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                self._address.url,
                connector=self._address.connector(),
                headers={"Authorization": f"Bearer {self._address.secret}", "Content-Type": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._deadlines.connect_s),
            )
        return self._session

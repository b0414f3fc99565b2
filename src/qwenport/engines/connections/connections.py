"""Connections to one server: kept while they are good, replaced when they are not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from qwenport.engines.connections.answer import HttpAnswer
from qwenport.engines.connections.connection import Connection
from qwenport.engines.connections.errors import ConnectionLost, NotConnected
from qwenport.engines.connections.peer import Dialer, Peer
from qwenport.engines.connections.request import RequestHead

_CLOSED_MEANWHILE_S = 0.25
"""How soon the end of a kept connection shows that the server had closed it before it saw the request."""
_MOST_IDLE = 256
"""Connections that are kept though they serve nothing."""


class Calls(Protocol):
    """What sends requests: to one server, or to one of several."""

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] = {}, *, status_s: float, repeats: bool = True
    ) -> HttpAnswer:
        """Send a request and return its answer once the head has come; the caller reads or closes it."""
        ...

    async def get(self, path: str, headers: Mapping[str, str] = {}, *, status_s: float) -> HttpAnswer:
        """Send a request without a body."""
        ...

    def use_headers(self, headers: Mapping[str, str]) -> None:
        """Show these with every request from now on, instead of the peer's."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class Connections:
    """Connections to one server; opens nothing before the first request."""

    def __init__(self, peer: Peer) -> None:
        """Connect nowhere yet.

        Raises:
            PeerInvalid, RequestInvalid: the peer cannot be called, or not with its headers.
        """
        self._peer = peer
        self._dialer = Dialer(peer)
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        """Those that served last at the end."""
        self._dialing = 0
        self._keeps = peer.keeps_connections
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._all_gone: asyncio.Future[None] | None = None
        self.use_headers(peer.headers)

    @property
    def busy(self) -> int:
        """How many requests are under way, counted until their answers have come or were closed."""
        return len(self._open) - len(self._idle) + self._dialing

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] = {}, *, status_s: float, repeats: bool = True
    ) -> HttpAnswer:
        """Send a request and return its answer once the head has come; the caller reads it to its end or closes it.

        `repeats` says whether the request may be sent a second time where a kept connection turns out to be dead; it
        must not where the server makes something that costs money.

        Raises:
            RequestInvalid: the path or a header cannot be sent.
            NotConnected: nobody could be reached in time; nothing was sent.
            ConnectionLost: the connection broke.
            AnswerTimedOut: no head came within `status_s` seconds, those for connecting among them.
            AnswerInvalid: what came is no answer.
        """
        return await self._ask(self._head.post(path, len(body), headers), body, status_s, repeats=repeats)

    async def get(self, path: str, headers: Mapping[str, str] = {}, *, status_s: float) -> HttpAnswer:
        """Send a request without a body; all else is as for `post`."""
        return await self._ask(self._head.get(path, headers), b"", status_s, repeats=True)

    def use_headers(self, headers: Mapping[str, str]) -> None:
        """Show these with every request from now on, instead of the peer's.

        Raises:
            RequestInvalid: one of them cannot be sent.
        """
        self._head = RequestHead(self._dialer.origin.authority, headers, keeps_connections=self._peer.keeps_connections)

    def retire(self) -> None:
        """Keep no connection any more; what is under way goes on to its end."""
        self._keeps = False
        self._close_idle(before=None)

    async def close(self) -> None:
        """Close every connection, also under requests that are under way, and wait until they are gone."""
        self._is_closed = True
        self._cancel_sweep()
        for connection in tuple(self._open):
            connection.abort()
        if self._open:
            if self._all_gone is None:
                self._all_gone = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._all_gone)

    async def _ask(self, head: bytes, body: bytes, status_s: float, *, repeats: bool) -> HttpAnswer:
        if self._is_closed:
            raise NotConnected(f"the connections to {self._dialer.name} were closed")
        time = asyncio.get_running_loop().time
        began = time()
        connection = self._kept()
        if connection is not None:
            try:
                return await connection.ask(head, body, status_s)
            except ConnectionLost as lost:
                # At once: the server closed it while the request was on its way, and has most likely seen nothing of
                # it. Later it may have worked on it.
                is_seen = lost.answered or time() - began > _CLOSED_MEANWHILE_S
                if is_seen or not repeats or self._is_closed:
                    raise
        connection = await self._dialed(status_s - (time() - began))
        return await connection.ask(head, body, max(status_s - (time() - began), 0.0))

    def _kept(self) -> Connection | None:
        """Return an idle connection that is still good."""
        idle = self._idle
        if not idle:
            return None
        oldest = asyncio.get_running_loop().time() - self._peer.idle_s
        while idle:
            connection = idle.pop()
            if connection.is_open and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def _dialed(self, most_s: float) -> Connection:
        made: list[Connection] = []

        def make() -> Connection:
            made.append(Connection(self._take_back, self._forget))
            return made[-1]

        self._dialing += 1
        try:
            await self._dialer.dial(make, most_s)
        except BaseException:
            # Whoever leaves may do so in the very turn in which the connection came about.
            for connection in made:
                connection.abort()
            raise
        finally:
            self._dialing -= 1
        connection = made[-1]
        if self._is_closed or not connection.is_open:
            connection.abort()
            raise NotConnected(f"the connection to {self._dialer.name} was closed at once")
        self._open.add(connection)
        return connection

    def _take_back(self, connection: Connection) -> None:
        """Keep a connection that has served."""
        if not self._keeps or len(self._idle) >= _MOST_IDLE:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._peer.idle_s, self._sweep_idle)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._idle:
            self._cancel_sweep()
        if self._all_gone is not None and not self._open and not self._all_gone.done():
            self._all_gone.set_result(None)

    def _sweep_idle(self) -> None:
        """Close what has served nothing for long; one timer does it for all."""
        loop = asyncio.get_running_loop()
        self._sweep = None
        self._close_idle(before=loop.time() - self._peer.idle_s)
        if self._idle:
            due = self._idle[0].idle_since + self._peer.idle_s
            self._sweep = loop.call_at(max(due, loop.time() + 0.1), self._sweep_idle)

    def _close_idle(self, *, before: float | None) -> None:
        """Close those that have been idle since before this moment; None closes all."""
        kept = [] if before is None else [each for each in self._idle if each.idle_since > before]
        ended = self._idle[: len(self._idle) - len(kept)]
        self._idle = kept
        for connection in ended:
            connection.abort()
        if not kept:
            self._cancel_sweep()

    def _cancel_sweep(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

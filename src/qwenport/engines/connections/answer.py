"""One answer: its head, and its body as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from qwenport.engines.connections.errors import AnswerInvalid, CallFailed
from qwenport.engines.connections.frames import FrameSplitter, FrameTooLong
from qwenport.engines.connections.silence import Silence

_MOST_WAITING_BYTES = 256 << 10
"""Of a body that nobody has read yet; then the server is made to wait."""


class Line(Protocol):
    """What an answer needs of the connection that it comes over."""

    silence: Silence

    def hold(self) -> None:
        """Receive nothing more for now."""
        ...

    def go_on(self) -> None:
        """Receive again."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class HttpAnswer:
    """The answer to one request.

    Read to its end it gives its connection back; closed before, it closes the connection, at which the server stops
    working. A waiting reader that is cancelled closes it too.
    """

    __slots__ = (
        "_fault",
        "_fields",
        "_headers",
        "_held",
        "_line",
        "_parts",
        "_size",
        "_splitter",
        "_waiter",
        "on_fault",
        "status",
    )

    def __init__(self, line: Line) -> None:
        self.status = 0
        """0 until the head has come, which it has when a caller gets the answer."""
        self.on_fault: Callable[[], None] | None = None
        """Hears that the body does not end as it should; not where the reader closes it before."""
        self._line: Line | None = line
        self._fields: list[tuple[bytes, bytes]] = []
        self._headers: Mapping[str, str] | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._held = False
        self._fault: CallFailed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._splitter: FrameSplitter | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by their names in lower case; those that came several times are joined with commas."""
        if self._headers is None:
            headers: dict[str, str] = {}
            for name, value in self._fields:
                key, text = name.decode("latin-1"), value.decode("latin-1")
                headers[key] = f"{headers[key]}, {text}" if key in headers else text
            self._headers = headers
        return self._headers

    async def read(self, limit_s: float) -> bytes:
        """Return what has come of the body, at least a byte; nothing at its end.

        Raises:
            AnswerTimedOut: nothing came for `limit_s` seconds.
            ConnectionLost, AnswerInvalid: the body ends here, and not as it should.
        """
        while not self._parts:
            if self._fault is not None:
                raise self._fault
            if self._line is None:
                return b""
            await self._more(limit_s)
        return self._taken()

    async def whole(self, *, limit_bytes: int, limit_s: float) -> bytes:
        """Return the body once all of it has come.

        Raises:
            AnswerTimedOut: it was not complete after `limit_s` seconds.
            AnswerInvalid: it is longer than `limit_bytes`, or wrong.
            ConnectionLost: it broke off.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit_s
        received: list[bytes] = []
        size = 0
        while part := await self.read(max(deadline - loop.time(), 0.0)):
            size += len(part)
            if size > limit_bytes:
                self.close()
                raise AnswerInvalid(f"the answer has more than {limit_bytes} bytes")
            received.append(part)
        return received[0] if len(received) == 1 else b"".join(received)

    async def frames(self, limit_s: float) -> list[bytes]:
        """Return the next whole frames of server-sent events, at least one; none at the end.

        Each is what stands between two blank lines, without comments. `limit_s` is for any sign of life; a comment
        is one.

        Raises:
            AnswerTimedOut: nothing came for `limit_s` seconds.
            AnswerInvalid: a frame has no end, or the body is wrong.
            ConnectionLost: it broke off.
        """
        splitter = self._splitter
        if splitter is None:
            splitter = self._splitter = FrameSplitter()
        try:
            while part := await self.read(limit_s):
                if frames := splitter.split(part):
                    return frames
        except FrameTooLong as error:
            self.close()
            raise AnswerInvalid(str(error)) from error
        return splitter.rest()

    def close(self) -> None:
        """Read no more; a connection that is still in the middle of it is closed."""
        self._parts.clear()
        line, self._line = self._line, None
        if line is not None:
            line.abort()

    async def begun(self, limit_s: float) -> None:
        """Wait until the head has come; for the connection.

        Raises:
            AnswerTimedOut, ConnectionLost, AnswerInvalid: it does not come.
        """
        while not self.status:
            if self._fault is not None:
                raise self._fault
            await self._more(limit_s)

    def take_field(self, name: bytes, value: bytes) -> None:
        """Keep a header, its name in lower case."""
        self._fields.append((name, value))

    def drop_fields(self) -> None:
        """Forget the headers: they were those of an interim answer."""
        self._fields.clear()

    def take_status(self, status: int) -> None:
        """Know that the head has come."""
        self.status = status
        self._wake()

    def take_part(self, part: bytes) -> None:
        """Keep a piece of the body until it is read."""
        line = self._line
        if line is None:
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > _MOST_WAITING_BYTES and not self._held:
            self._held = True
            line.hold()
        if self._waiter is not None:
            self._wake()

    def take_end(self, fault: CallFailed | None = None) -> None:
        """Know that nothing more comes, as it should or for this reason."""
        if self._held and self._line is not None:
            self._line.go_on()
        if fault is not None and self._line is not None and self.on_fault is not None:
            self.on_fault()
        self._fault = fault
        self._wake()
        self._line = None

    def _taken(self) -> bytes:
        parts = self._parts
        received = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._size = 0
        if self._held:
            self._held = False
            if self._line is not None:
                self._line.go_on()
        return received

    async def _more(self, limit_s: float) -> None:
        """Wait until something happens."""
        line = self._line
        if line is None:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        line.silence.begin(limit_s)
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        waiter.set_result(None)
        # Not where the reader goes on: until then the connection may have another request to watch.
        if self._line is not None:
            self._line.silence.pause()

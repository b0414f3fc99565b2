"""Sending one response: status once, pieces in order, comments into silence, errors in the face's shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.face import Face, FileReply, Headers, Reply, StreamedAnswer
from qwenport.faces.sse import KEEP_ALIVE
from qwenport.server.asgi import Message, Send
from qwenport.server.body_copy import BodyCopy
from qwenport.server.client_gone import ClientGone
from qwenport.server.idempotency import KeptAnswer
from qwenport.server.recorded_answer import RecordedAnswer

PROXY_HEADERS: Headers = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))
"""Proxies in front of us must pass a stream on as it comes."""

REPLAYED = (b"idempotent-replayed", b"true")
"""Says that an answer was given before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the server waits for what; all in seconds."""

    keep_alive_s: float = 15.0
    """Silence after which a stream gets a keep-alive comment."""
    stall_s: float = 60.0
    """Time after which a client that takes no bytes is given up."""
    body_s: float = 30.0
    """Time for a body to arrive."""
    headers_s: float = 15.0
    """Time for a request's header lines to arrive."""
    call_s: float = 3000.0
    """Time that one call may take in all; shorter than a hold lives, so that no running call loses its hold."""
    drain_s: float = 30.0
    """Time for calls to end by themselves at shutdown."""


class Response:
    """One response of one face. Every sending method raises `ClientGone` when the client can no longer be reached."""

    def __init__(self, send: Send, face: Face, request_id: RequestId, patience: Patience) -> None:
        self._send = send
        self._face = face
        self._request_id = request_id
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._stream: StreamedAnswer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._comment: asyncio.Task[None] | None = None
        self._last_sent = 0.0
        self._sending_since: float | None = None
        self._give_up: Callable[[], None] | None = None
        self.status = 0
        """Status that was sent; 0 while none was."""
        self.body_is_read = False
        """Whether the request's body was read to its end."""
        self.closing = False
        """Whether the last bytes are on their way or out."""

    def copy_to(self, copy: BodyCopy) -> None:
        """Let a copy be made of everything that is sent from here on."""
        self._send = copy.listening(self._send)

    async def reply(self, reply: Reply, extra: Headers = ()) -> None:
        """Send a complete answer."""
        self.closing = True
        length = (b"content-length", str(len(reply.body)).encode())
        try:
            async with asyncio.timeout(self._patience.stall_s):
                await self._start(reply.status, (*reply.headers, length, *extra))
                await self._put({"type": "http.response.body", "body": reply.body, "more_body": False})
        except TimeoutError as error:
            raise ClientGone from error

    def record(self, recorded: RecordedAnswer) -> None:
        """Let everything that is sent from here on be collected for whoever asks again."""
        self._send = recorded.listening(self._send)

    async def replay(self, kept: KeptAnswer) -> None:
        """Send an answer once more, under the id of the request that it was made for."""
        self.closing = True
        self.status = kept.status
        length = (b"content-length", str(len(kept.body)).encode())
        headers = [*kept.headers, length, REPLAYED]
        try:
            async with asyncio.timeout(self._patience.stall_s):
                await self._put({"type": "http.response.start", "status": kept.status, "headers": headers})
                await self._put({"type": "http.response.body", "body": kept.body, "more_body": False})
        except TimeoutError as error:
            raise ClientGone from error

    async def file(self, reply: FileReply) -> None:
        """Send a file, a piece at a time."""
        length = (b"content-length", str(reply.size_bytes).encode())
        with await asyncio.to_thread(reply.path.open, "rb") as file:
            try:
                async with asyncio.timeout(self._patience.stall_s):
                    await self._start(200, (*reply.headers, length))
                while piece := await asyncio.to_thread(file.read, FILE_PIECE_BYTES):
                    async with asyncio.timeout(self._patience.stall_s):
                        await self._put({"type": "http.response.body", "body": piece, "more_body": True})
            except TimeoutError as error:
                raise ClientGone from error
        self.closing = True
        await self._put({"type": "http.response.body", "body": b"", "more_body": False})

    def attend(self, stream: StreamedAnswer, give_up: Callable[[], None]) -> None:
        """Begin to watch over a stream: comments into silence, and `give_up` when the client takes no bytes."""
        self._stream, self._give_up = stream, give_up
        self._last_sent = self._loop.time()
        self._timer = self._loop.call_later(self._patience.keep_alive_s, self._tick)

    async def open(self, extra: Headers = ()) -> None:
        """Send the status line of the stream, unless a comment has opened it already."""
        if self._comment is not None:
            await self._comment
        if self._stream is not None and not self.status:
            await self._start(200, (*self._stream.headers, *PROXY_HEADERS, *extra))

    async def piece(self, piece: bytes, *, last: bool = False) -> None:
        """Send a piece of the stream; waits while the client does not read."""
        if self._comment is not None:
            await self._comment
        self.closing = self.closing or last
        self._sending_since = self._loop.time()
        await self._put({"type": "http.response.body", "body": piece, "more_body": not last})
        self._sending_since = None
        self._last_sent = self._loop.time()

    async def fail(self, error: QwenportError) -> None:
        """Say an error: with its status where nothing was sent yet, else inside the stream."""
        comment = self._comment
        self.release()
        if comment is not None:  # whether it has opened the stream is known only when it has ended
            await asyncio.wait((comment,))
        if not self.status:
            reply = self._face.encode_error(error, self._request_id)
            # What is left of the request's body will not be read, so the connection cannot serve another request.
            await self.reply(reply, () if self.body_is_read else ((b"connection", b"close"),))
        elif self._stream is not None and not self.closing:
            try:
                async with asyncio.timeout(self._patience.stall_s):
                    await self.piece(self._stream.failure(error), last=True)
            except TimeoutError as slow:
                raise ClientGone from slow

    def release(self) -> None:
        """Stop watching, and let go of the watch: a circle of both would wait for the garbage collector."""
        self._give_up = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._comment is not None:
            self._comment.cancel()
            self._comment = None

    async def _start(self, status: int, headers: Headers) -> None:
        self.status = status
        request_id = (b"x-request-id", self._request_id.encode())
        try:
            await self._put({"type": "http.response.start", "status": status, "headers": [*headers, request_id]})
        except BaseException:
            self.status = 0
            raise

    async def _put(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError as error:  # how ASGI says that the connection is lost
            raise ClientGone from error

    def _tick(self) -> None:
        """Look after the stream, and come again when there may be something to do."""
        now = self._loop.time()
        if self._sending_since is not None:
            due = self._sending_since + self._patience.stall_s
            if now >= due and self._give_up is not None:
                self._give_up()
                return
        else:
            due = self._last_sent + self._patience.keep_alive_s
            if now >= due and not self.closing:
                self._sending_since = now
                self._comment = self._loop.create_task(self._send_comment())
                due = now + self._patience.stall_s
        pause = max(MINIMUM_PAUSE_S, min(due - now, self._patience.keep_alive_s))
        self._timer = self._loop.call_later(pause, self._tick)

    async def _send_comment(self) -> None:
        try:
            if not self.status and self._stream is not None:
                await self._start(200, (*self._stream.headers, *PROXY_HEADERS))
            await self._put({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})
        except ClientGone:
            # The listener beside us hears of it too; nobody may be waiting for this task.
            pass
        finally:
            self._sending_since = None
            self._last_sent = self._loop.time()
            self._comment = None


FILE_PIECE_BYTES = 1 << 18
"""How much of a file is in memory at a time."""

MINIMUM_PAUSE_S = 0.01
"""A look at a stream costs little, but not nothing."""

"""One connection: bytes to answers, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from qwenport.engines.connections.answer import HttpAnswer
from qwenport.engines.connections.errors import AnswerInvalid, AnswerTimedOut, CallFailed, ConnectionLost
from qwenport.engines.connections.silence import Silence

_LONGEST_HEAD_BYTES = 64 << 10
"""Of all heads, interim ones and trailers among them, and of whatever comes between two pieces of a body."""
_MOST_INTERIM_ANSWERS = 16
_BODY_COPIED_BYTES = 32 << 10
"""Up to here copying head and body into one write costs less than a second one."""


class Connection(asyncio.Protocol):
    """Serves one request at a time; what comes without having been asked for closes it.

    The parser is llhttp in its strict mode: bare line feeds, folded lines, two lengths, or a length beside chunks are
    refused (RFC 9112, section 6.3).
    """

    def __init__(self, on_free: Callable[[Connection], None], on_gone: Callable[[Connection], None]) -> None:
        """Tell `on_free` whenever another request may be sent, and `on_gone` once nothing is left of it."""
        self._on_free = on_free
        self._on_gone = on_gone
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: HttpAnswer | None = None
        self._fault: CallFailed | None = None
        self._head_bytes = 0
        self._interim = 0
        self._is_chunked = self._has_length = False
        self._is_heard = False
        """Whether a byte of the present answer has come."""
        self._is_complete = self._is_kept_alive = False
        self._is_rubbish_behind = False
        self._has_body_come = False
        """Whether the bytes that came last held a piece of a body."""
        self._bytes_between = 0
        self.idle_since = 0.0
        """Moment of the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server."""
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self.silence = Silence(on_end=self._end_silence)

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, head: bytes, body: bytes, status_s: float) -> HttpAnswer:
        """Send a request and return its answer once the head has come.

        Raises:
            ConnectionLost, AnswerTimedOut, AnswerInvalid: it does not come.
        """
        if self._transport is None:
            raise ConnectionLost("the connection was closed", answered=False)
        answer = self._answer = HttpAnswer(self)
        self._fault, self._head_bytes, self._interim, self._bytes_between = None, 0, 0, 0
        self._is_heard = self._is_complete = False
        if len(body) <= _BODY_COPIED_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        await answer.begun(status_s)
        return answer

    def hold(self) -> None:
        """Receive nothing more for now."""
        if self.is_open and self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Receive again."""
        if self.is_open and self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once; what has not been sent is not sent any more."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take in a part of an answer."""
        if self._answer is None:
            self.abort()
            return
        self._is_heard, self._has_body_come = True, False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fault = AnswerInvalid("the server wants to change the protocol, which nobody asked for")
        except httptools.HttpParserError as error:
            if self._is_complete:
                self._is_rubbish_behind = True
            elif self._fault is None:
                self._fault = AnswerInvalid(f"the server does not speak HTTP: {error}")
        self._bytes_between = 0 if self._has_body_come else self._bytes_between + len(data)
        if self._bytes_between > _LONGEST_HEAD_BYTES:
            self._refuse(f"more than {_LONGEST_HEAD_BYTES} bytes came that are no body")
        if self._is_complete or self._fault is not None:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that nothing more comes."""
        self._transport = None
        self.silence.close()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.take_end(self._fault or self._loss(answer, exc))
        self._on_gone(self)
        # It holds this connection; garbage collection, which looks seldom, would have to find the circle.
        del self._parser

    def on_message_begin(self) -> None:
        """Notice what follows a complete answer."""
        if self._is_complete:
            self._is_rubbish_behind = True
        self._is_chunked = self._has_length = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer, which is left out."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > _LONGEST_HEAD_BYTES:
            self._refuse(f"its headers have more than {_LONGEST_HEAD_BYTES} bytes")
            return
        if self._is_complete or self._answer is None or self._answer.status or self._fault is not None:
            return
        name = name.lower()
        if name == b"transfer-encoding":
            self._is_chunked = True
            if value.lower() != b"chunked":
                self._refuse("it is transferred in an encoding that was not asked for")
        elif name == b"content-length":
            self._has_length = True
        elif name == b"content-encoding" and value.lower() not in (b"identity", b""):
            self._refuse("it is encoded, which was not asked for")
        self._answer.take_field(name, value)

    def on_headers_complete(self) -> None:
        """Pass the head on, unless it is an interim one."""
        status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            if self._answer is not None and not self._answer.status:
                self._answer.drop_fields()
            if self._interim > _MOST_INTERIM_ANSWERS:
                self._refuse(f"more than {_MOST_INTERIM_ANSWERS} interim answers came before it")
        elif self._answer is not None and self._fault is None and not self._is_complete:
            if self._is_chunked and self._has_length:
                self._refuse("it has a length beside chunks")
                return
            self._answer.take_status(status)

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        self._has_body_come = True
        if self._answer is not None and self._fault is None and not self._is_complete:
            self._answer.take_part(body)

    def on_message_complete(self) -> None:
        """Notice the end, unless it is that of an interim answer."""
        if self._answer is not None and self._answer.status:
            self._is_complete = True
            self._is_kept_alive = self._parser.should_keep_alive()

    def _finish(self) -> None:
        """Let go of an answer that has ended, one way or the other."""
        answer, self._answer = self._answer, None
        transport = self._transport
        if answer is None or transport is None:
            return
        is_reusable = (
            self._is_complete
            and self._fault is None
            and not self._is_rubbish_behind
            and self._is_kept_alive
            # A server that answers before it has all of the request may never read the rest.
            and not transport.get_write_buffer_size()
            and not transport.is_closing()
        )
        answer.take_end(None if self._is_complete else self._fault)
        if not is_reusable:
            transport.abort()
            return
        self._on_free(self)

    def _loss(self, answer: HttpAnswer, exc: Exception | None) -> CallFailed | None:
        """Return why the connection is gone too early, or None where its end is that of the body."""
        if answer.status and exc is None and not self._is_chunked and not self._has_length:
            return None
        when = "in the middle of its answer" if self._is_heard else "before it answered"
        return ConnectionLost(f"the server closed the connection {when}", answered=self._is_heard)

    def _refuse(self, words: str) -> None:
        self._fault = AnswerInvalid(f"the answer is refused: {words}")

    def _end_silence(self) -> None:
        self._fault = AnswerTimedOut("the server said nothing for too long")
        self._finish()

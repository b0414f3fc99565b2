"""uvicorn as Qwenport runs it: no signals of its own, no patience with drip-fed headers, no guess at doubtful ones."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from qwenport.app.doubtful_head import HeadDoubtful, check_head
from qwenport.app.gathered_writes import GatheredWrites
from qwenport.app.staying_parser import StayingParser
from qwenport.server.asgi import ASGIApp
from qwenport.server.response import Patience

READ_BYTES = 256 * 1024
"""What one read can hold beyond the header lines: the end of a body before them."""
KEEP_ALIVE_S = 75
LARGEST_HEADERS_BYTES = 64 * 1024

# Found once: for each header line of each request `super()` costs more than the check of all of them.
_keep_header = HttpToolsProtocol.on_header


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with what it lacks: bounds on the time and the size of header lines, and a check of them."""

    headers_s = 15.0
    stall_s = 60.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the clock for the first request's headers."""
        super().connection_made(transport)
        self.parser = StayingParser(self)
        self._connection = transport
        self._writes = GatheredWrites(transport, self.loop, self._is_half_read)
        self.transport = self._writes  # type: ignore[assignment] # all of a transport that uvicorn writes to
        self._headers_timer: asyncio.TimerHandle | None = None
        self._headers_bytes = 0
        self._unfinished_bytes = 0
        self._stall_timer: asyncio.TimerHandle | None = None
        self._doubt = ""
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks, and leave no circle: garbage collection, which looks seldom, would have to find it."""
        self._disarm()
        self._stop_stall_clock()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._writes.forget_request()
        self.pipeline.clear()
        self.cycle = None  # type: ignore[assignment] # as before the first request

    def shutdown(self) -> None:
        """Close once the answer under way is out; a secured connection that is idle ends at once.

        The end of TLS waits for the other side, and a client's connection in waiting is read by nobody.
        """
        super().shutdown()
        connection = self._connection
        is_secured = connection.get_extra_info("sslcontext") is not None
        if is_secured and connection.is_closing() and not connection.get_write_buffer_size():
            connection.abort()

    def data_received(self, data: bytes) -> None:
        """Count header lines that have not come to their end: the parser tells of a line only when it is complete."""
        if self._writes.lingers:
            return
        super().data_received(data)
        if self._headers_timer is not None:
            self._unfinished_bytes += len(data)
            if self._unfinished_bytes > LARGEST_HEADERS_BYTES + READ_BYTES:
                self._headers_bytes += self._unfinished_bytes
                self._refuse_size()

    def pause_writing(self) -> None:
        """Start the clock for a client that takes no bytes: a close would wait for it, so it is cut off."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that clock."""
        self._stop_stall_clock()
        super().resume_writing()

    def _stop_stall_clock(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def on_message_begin(self) -> None:
        """Start the clock for a further request's headers."""
        super().on_message_begin()
        self._headers_bytes = self._unfinished_bytes = 0
        if self._headers_timer is None:
            self._arm()

    def on_url(self, url: bytes) -> None:
        """Count the request line."""
        self._headers_bytes += len(url)
        if self._headers_bytes > LARGEST_HEADERS_BYTES:
            self._refuse_size()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header line; what follows a body says nothing of who asks for what (RFC 9110, section 6.5.1)."""
        self._headers_bytes += len(name) + len(value)
        if self._headers_bytes > LARGEST_HEADERS_BYTES:
            self._refuse_size()
        if self._headers_timer is not None:
            _keep_header(self, name, value)

    def on_headers_complete(self) -> None:
        """Stop the clock: from here on the endpoint has its own. Raises `HeadDoubtful`, which ends the parsing."""
        self._disarm()
        if self._headers_bytes <= LARGEST_HEADERS_BYTES:
            try:
                check_head(self.headers, self.parser.get_http_version)
            except HeadDoubtful as doubt:
                self._doubt = str(doubt)
                raise
            super().on_headers_complete()
            if self.parser.should_upgrade():
                self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Note the end of a request, unless the parser only stops at an offer of another protocol."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_body_complete(self) -> None:
        """Note the end of a body whose request offered another protocol."""
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Send the end of an answer at once: the log line and the counters come after it."""
        self._writes.flush()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, or can be read in two ways."""
        super().send_400_response(self._doubt or msg)

    def _is_half_read(self) -> bool:
        return bool(self._doubt) or (self.cycle is not None and self.cycle.more_body)

    def _refuse_size(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()

    def _arm(self) -> None:
        self._headers_timer = self.loop.call_later(self.headers_s, self._too_slow)

    def _disarm(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _too_slow(self) -> None:
        self._headers_timer = None
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class HttpServer(uvicorn.Server):
    """One uvicorn server on one socket; several of them may share a process."""

    def __init__(
        self, application: ASGIApp, listener: socket.socket, *, patience: Patience, tls: ssl.SSLContext | None = None
    ) -> None:
        """Serve HTTPS with `tls`, plain HTTP without."""
        protocol = type("Protocol", (GuardedProtocol,), {"headers_s": patience.headers_s, "stall_s": patience.stall_s})
        self._listener = listener
        super().__init__(
            uvicorn.Config(
                application,
                http=protocol,
                loop="none",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                ssl_context_factory=None if tls is None else lambda _config, _default: tls,
                # The worker breaks calls off first, in the face's own words.
                timeout_graceful_shutdown=round(patience.drain_s) + 5,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the worker."""
        yield

    async def serve_listener(self) -> None:
        """Serve until `should_exit`, and until the requests under way are answered."""
        await self.serve(sockets=[self._listener])

"""A parser of requests that stays with HTTP/1.1 when a client offers to go on in another protocol.

Java's HttpClient offers `Upgrade: h2c` with every first request, a body included; RFC 9110, section 7.8, lets a server
ignore it. httptools stops at the head of such a request, and its body would be lost.
"""

from __future__ import annotations

from typing import Protocol

import httptools


class Body(Protocol):
    """Who is told of a request's body."""

    headers: list[tuple[bytes, bytes]]

    def on_body(self, body: bytes) -> None:
        """Take a part of it."""
        ...

    def on_body_complete(self) -> None:
        """Note its end."""
        ...


_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})


class StayingParser(httptools.HttpRequestParser):
    """Reads the body of a request with an offer as that of any other; what follows it is not read."""

    def __init__(self, protocol: Body) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self._rest: httptools.HttpRequestParser | None = None

    def feed_data(self, data: bytes) -> None:  # type: ignore[override] # a transport hands over bytes only
        """Take in bytes; raises what httptools raises, but never `HttpParserUpgrade`."""
        if self._rest is not None:
            self._rest.feed_data(data)
            return
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            # A head of our own, of which nobody is told, so that the framing is read by the same rules.
            lines = (b"%b: %b\r\n" % header for header in self._protocol.headers if header[0] in _LENGTHS)
            self._rest = httptools.HttpRequestParser(_FirstBody(self._protocol))
            self._rest.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(lines) + b"\r\n")
            self._rest.feed_data(data[offer.args[0] :])


class _FirstBody:
    """Passes on one body; the connection is closed after its answer, so nothing that follows is a request."""

    def __init__(self, protocol: Body) -> None:
        self._protocol = protocol
        self._is_over = False

    def on_body(self, body: bytes) -> None:
        if not self._is_over:
            self._protocol.on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._protocol.on_body_complete()

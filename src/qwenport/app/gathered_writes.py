"""Writes that follow one another within one turn of the event loop leave the process as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MOST_HELD_BYTES = 64 * 1024
"""What is held back at most; from there on the connection's own buffer says when a client is too slow."""

LINGER_S = 5.0
"""How long a client whose request was refused before it was sent may go on sending it."""


class GatheredWrites:
    """A connection as those see it who write to it.

    The head of an answer comes just before its body, and an engine's chunks arrive several at a time when it is
    faster than we are; each as a write of its own would cost a system call and a packet.
    """

    __slots__ = ("_held", "_is_half_read", "_loop", "_size", "_transport", "lingers")

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        is_half_read: Callable[[], bool] | None = None,
    ) -> None:
        """Write to a connection; `is_half_read` tells whether a part of the request is still to come."""
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0
        self._is_half_read = is_half_read or _is_whole
        self.lingers = False
        """Whether nothing more is sent, and what comes is only waited for, to be thrown away."""

    def write(self, piece: bytes) -> None:
        """Send at the end of this turn, or at once when much is held back already."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(piece)
        self._size += len(piece)
        if self._size >= MOST_HELD_BYTES:
            self.flush()

    def is_closing(self) -> bool:
        """Tell whether the connection is closed or about to be."""
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """Send what is held back, then close.

        While a part of the request is on its way, a close would reset the connection, and with it what was just sent
        (RFC 9112, section 9.6): then only our side is closed, until the client closes its own or `LINGER_S` is over.
        """
        self.flush()
        transport = self._transport
        if self.lingers or transport.is_closing() or not self._is_half_read() or not transport.can_write_eof():
            transport.close()
            return
        self.lingers = True
        transport.write_eof()
        transport.resume_reading()
        self._loop.call_later(LINGER_S, transport.abort)

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._held.clear()
        self._transport.abort()

    def forget_request(self) -> None:
        """Ask no more whether a part of the request is still to come: the connection is gone."""
        self._is_half_read = _is_whole

    def flush(self) -> None:
        """Send what is held back."""
        held = self._held
        if not held:
            return
        self._held, self._size = [], 0
        if not self._transport.is_closing():
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))


def _is_whole() -> bool:
    return False

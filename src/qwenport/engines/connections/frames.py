"""Bytes of an answer to frames of server-sent events."""

from __future__ import annotations

_LONGEST_FRAME_BYTES = 8 << 20
"""Room for a picture in base64; what goes beyond has no end."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FrameTooLong(ValueError):
    """A frame goes on and on."""


class FrameSplitter:
    """Splits what comes in at blank lines; comments are left out (WHATWG HTML, section 9.2.5)."""

    def __init__(self, longest_bytes: int = _LONGEST_FRAME_BYTES) -> None:
        self._longest_bytes = longest_bytes
        self._pending: list[bytes] = []
        self._size = 0
        self._ends_line = False
        """Whether an end of a line is the last of what is pending."""
        self._held = b""
        self._begins = True

    def split(self, received: bytes) -> list[bytes]:
        """Return the frames that are whole now, without the blank lines between them.

        Raises:
            FrameTooLong: what is not whole yet is longer than any frame may be.
        """
        if self._begins or self._held or b"\r" in received:
            received = self._with_plain_lines(received)
        if b"\n\n" in received or (self._ends_line and received[:1] == b"\n"):
            return self._cut(received)
        if received:
            self._keep(received)
        return []

    def rest(self) -> list[bytes]:
        """Return what no blank line ended, for the end of an answer that ended as it should."""
        rest = b"".join(self._pending).strip(b"\n")
        self._pending.clear()
        return _frames([rest])

    def _cut(self, received: bytes) -> list[bytes]:
        if self._pending:
            received = b"".join(self._pending) + received
            self._pending.clear()
        *whole, last = received.split(b"\n\n")
        self._size, self._ends_line = 0, False
        if last:
            self._keep(last)
        if b"\n:" in received or received[0] == 0x3A or b"\n\n\n" in received or received[0] == 0x0A:
            return _frames(whole)
        return whole

    def _keep(self, received: bytes) -> None:
        self._size += len(received)
        if self._size > self._longest_bytes:
            raise FrameTooLong(f"a frame of more than {self._longest_bytes} bytes")
        self._pending.append(received)
        self._ends_line = received[-1] == 0x0A

    def _with_plain_lines(self, received: bytes) -> bytes:
        """Return it with lines that end as most servers end them; JSON holds no raw end of a line."""
        received = self._held + received
        self._held = b""
        if self._begins:
            if len(received) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(received):
                self._held = received
                return b""
            self._begins = False
            received = received.removeprefix(_BYTE_ORDER_MARK)
        if received.endswith(b"\r"):
            # Whether a line feed follows is yet to be seen.
            self._held, received = b"\r", received[:-1]
        return received.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _frames(parts: list[bytes]) -> list[bytes]:
    """Return the parts without comments; one that holds nothing else is no frame."""
    return [frame for frame in map(_without_comments, parts) if frame]


def _without_comments(part: bytes) -> bytes:
    return b"\n".join(line for line in part.split(b"\n") if line and not line.startswith(b":"))

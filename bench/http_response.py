"""A reader of HTTP/1.1 responses, as lean as a load generator needs it: one response at a time, no pipelining."""

from __future__ import annotations

_HEAD_END = b"\r\n\r\n"
_LINE_END = b"\r\n"


class NotHttp(Exception):
    """What came is no response that this reader understands."""


class ResponseReader:
    """Takes bytes as they come; `body` grows, without the framing of HTTP, until the response is complete."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self._pending = bytearray()
        self._length = 0
        """Bytes of a body that has no chunks."""
        self._is_chunked = False

    def feed(self, received: bytes) -> bool:
        """Take in bytes; return whether the response is complete.

        Raises:
            NotHttp: the head has no length, a chunk has no size, or something follows the end.
        """
        self._pending += received
        if not self.status and not self._read_head():
            return False
        return self._read_chunks() if self._is_chunked else self._read_counted()

    def _read_head(self) -> bool:
        end = self._pending.find(_HEAD_END)
        if end < 0:
            return False
        first, *lines = bytes(self._pending[:end]).split(_LINE_END)
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        self._is_chunked = fields.get(b"transfer-encoding", b"").lower() == b"chunked"
        if not first.startswith(b"HTTP/1.1 ") or not (self._is_chunked or b"content-length" in fields):
            raise NotHttp(f"`{first.decode('latin-1')}` begins no HTTP/1.1 response of known length")
        self.status = int(first[9:12])
        self._length = int(fields.get(b"content-length", b"0"))
        del self._pending[: end + len(_HEAD_END)]
        return True

    def _read_counted(self) -> bool:
        self.body += self._pending
        self._pending.clear()
        if len(self.body) > self._length:
            raise NotHttp("more bytes came than the response has")
        return len(self.body) == self._length

    def _read_chunks(self) -> bool:
        place = 0
        while (end := self._pending.find(_LINE_END, place)) >= 0:
            size = _chunk_size(bytes(self._pending[place:end]))
            following = end + size + 2 * len(_LINE_END)
            if following > len(self._pending):
                break
            self.body += self._pending[end + len(_LINE_END) : end + len(_LINE_END) + size]
            place = following
            if not size:
                if place < len(self._pending):
                    raise NotHttp("bytes came after the last chunk")
                return True
        del self._pending[:place]
        return False


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise NotHttp(f"`{line[:40].decode('latin-1')}` is no size of a chunk") from error

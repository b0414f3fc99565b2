"""Requests as bytes; nothing that comes from elsewhere can end a line of a head."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
"""What RFC 9110, section 5.5, lets a field hold."""
_PATH = re.compile(r"/[!-\"$-~]*")
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect", "upgrade"})
"""Headers that the connection sets and nobody else."""


class RequestInvalid(ValueError):
    """A path or a header cannot be sent; the words do not hold its value."""


class RequestHead:
    """Writes the heads of requests to one server; what all of them share is written once."""

    def __init__(self, authority: str, headers: Mapping[str, str], *, keeps_connections: bool) -> None:
        """Take what every request shows.

        Raises:
            RequestInvalid: a header cannot be sent.
        """
        given = {name.lower(): value for name, value in headers.items()}
        if "user-agent" not in given:
            given["user-agent"] = "qwenport"
        self._has_type = "content-type" in given
        ours = f"Host: {authority}\r\nAccept-Encoding: identity\r\n"
        if not keeps_connections:
            ours += "Connection: close\r\n"
        self._given = given
        self._common = ours.encode("latin-1") + _lines(given)
        self._ours = ours.encode("latin-1")

    def get(self, path: str, headers: Mapping[str, str]) -> bytes:
        """Return the head of a request without a body.

        Raises:
            RequestInvalid: the path or a header cannot be sent.
        """
        return b"GET %b HTTP/1.1\r\n%b\r\n" % (_path(path), self._fields(headers))

    def post(self, path: str, size: int, headers: Mapping[str, str]) -> bytes:
        """Return the head of a request with a body of this many bytes, which is JSON unless a header says otherwise.

        Raises:
            RequestInvalid: the path or a header cannot be sent.
        """
        fields = self._fields(headers)
        if not self._has_type and not any(name.lower() == "content-type" for name in headers):
            fields += b"content-type: application/json\r\n"
        return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (_path(path), fields, size)

    def _fields(self, headers: Mapping[str, str]) -> bytes:
        if not headers:
            return self._common
        own = {name.lower(): value for name, value in headers.items()}
        if self._given.keys().isdisjoint(own):
            return self._common + _lines(own)
        return self._ours + _lines({**self._given, **own})


def _path(path: str) -> bytes:
    if not _PATH.fullmatch(path):
        raise RequestInvalid("a path begins with `/` and holds no spaces, control characters or letters beyond ASCII")
    return path.encode("ascii")


def _lines(headers: Mapping[str, str]) -> bytes:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise RequestInvalid(f"{name!r} is no name of a header")
        if name in _OURS:
            raise RequestInvalid(f"the header `{name}` belongs to the connection")
        if not _VALUE.fullmatch(value):
            raise RequestInvalid(f"the value of the header `{name}` holds what no header can")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")

"""Server-sent events: what every streaming face shares."""

from __future__ import annotations

from qwenport.faces.face import Headers

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment, which every client ignores; keeps proxies and read time-outs from closing a quiet stream."""

STREAM_HEADERS: Headers = ((b"content-type", b"text/event-stream;charset=UTF-8"),)
"""Headers that open a stream."""

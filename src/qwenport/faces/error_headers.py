"""Headers that an error's answer carries, alike on every face."""

from __future__ import annotations

from qwenport.core.errors import MethodNotAllowed, ModelUnavailable, QwenportError
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Headers

_WAITABLE = frozenset({409, 429, 503})
"""Statuses at which clients look for `retry-after`."""


def error_headers(error: QwenportError, status: int) -> Headers:
    """Return the content type, how long to wait where that is known, and the methods that would have been allowed."""
    headers = JSON_HEADERS
    if error.retry_after_s is not None and status in _WAITABLE:
        headers += ((b"retry-after", b"%d" % error.retry_after_s),)
    if isinstance(error, ModelUnavailable) and not error.passes:
        # The official clients would otherwise wait and try again before they show what is missing.
        headers += ((b"x-should-retry", b"false"),)
    if isinstance(error, MethodNotAllowed):
        headers += ((b"allow", ", ".join(error.allowed).encode("latin-1")),)
    return headers

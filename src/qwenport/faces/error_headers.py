"""Headers that an error's answer carries, alike on every face."""

from __future__ import annotations

from qwenport.core.errors import (
    BillUnpaid,
    EngineFailed,
    EngineTimedOut,
    FreeQuotaExceeded,
    MethodNotAllowed,
    ModelUnavailable,
    QwenportError,
    Throttled,
)
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Headers

_WAITABLE = frozenset({409, 429, 503})
"""Statuses at which clients look for `retry-after`."""

LONGEST_WAIT_S = 60
"""A limit of a minute has room again by then; what asks for more is a budget or a quota that is used up."""


def error_headers(error: QwenportError, status: int) -> Headers:
    """Return the content type, how long to wait where that is known, and the methods that would have been allowed."""
    headers = JSON_HEADERS
    if error.retry_after_s is not None and status in _WAITABLE:
        headers += ((b"retry-after", b"%d" % error.retry_after_s),)
    if _lasts(error):
        # The official clients would otherwise try again before they show what is wrong, after whatever wait
        # `retry-after` names: for the rest of a month, where its budget is spent (`_base_client.py` of openai and
        # anthropic).
        headers += ((b"x-should-retry", b"false"),)
    if isinstance(error, MethodNotAllowed):
        headers += ((b"allow", ", ".join(error.allowed).encode("latin-1")),)
    return headers


def _lasts(error: QwenportError) -> bool:
    """Tell whether trying again soon cannot help."""
    match error:
        case ModelUnavailable() | EngineTimedOut() | EngineFailed():
            return not error.passes
        case FreeQuotaExceeded() | BillUnpaid():
            return True
        case Throttled():
            return error.retry_after_s is not None and error.retry_after_s > LONGEST_WAIT_S
        case _:
            return False

"""What an upstream says instead of an answer: found in any of the shapes that servers give it."""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping
from datetime import UTC

import msgspec
from msgspec import Struct

from qwenport.core.secret import Secret
from qwenport.engines.upstream.wire import decode_any
from qwenport.engines.upstream.words import without_key

_LONGEST_WAIT_S = 3600
_BLOCKED = re.compile(r"(?i)\bblock(?:ed|ing)?\b|\breject(?:ed|ion)?\b|firewall|\bwaf\b|\berror code: 10\d\d\b")
"""Words of firewalls about one request; the last is Cloudflare's."""


class Refusal(Struct, frozen=True, kw_only=True):
    """A status other than 200, or an error in the place of an answer."""

    status: int
    """0 in a stream, where there is none."""
    code: str = ""
    """The upstream's own code, else its kind of error."""
    kind: str = ""
    message: str = ""
    context_tokens: int = 0
    """The context of the server, where it says so in a field of its own (llama.cpp)."""
    retry_after_s: int | None = None
    is_page: bool = False
    """Whether it is a web page, which some proxy before the upstream made."""
    is_bare: bool = False
    """Whether the message is a body of no known shape, which may be anything: a trace, the request itself."""

    @property
    def is_of_an_api(self) -> bool:
        """Whether an API says so, and not something before it that knows only statuses.

        Servers refuse a key in plain text too (Go's `http.Error` and most plain frameworks do). So do firewalls refuse
        a request, which then say of it that it is blocked.
        """
        if self.is_page or (self.is_bare and _BLOCKED.search(self.message)):
            return False
        return bool(self.code or self.kind or self.message)


def refusal_of(
    status: int, body: bytes, headers: Mapping[str, str], now_s: float, key: Secret | None = None
) -> Refusal:
    """Return what a body says that is no answer: JSON of OpenAI's, Model Studio's or FastAPI's shape, SSE, a page.

    The key that was shown with the request is in nothing of it.
    """
    wait = retry_after(headers, now_s)
    try:
        said = decode_any(_json_in(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        is_page = body.lstrip()[:1] == b"<"
        text = "" if is_page else without_key(body.decode("utf-8", "replace"), key)[:4096]
        return Refusal(status=status, message=text, retry_after_s=wait, is_page=is_page, is_bare=bool(text))
    return refusal_in(said, status, wait, key=key)


def refusal_in(
    said: object, status: int = 0, retry_after_s: int | None = None, *, key: Secret | None = None
) -> Refusal:
    """Return what a decoded body says, without the key."""
    told = said if isinstance(said, dict) else {}
    inner = told.get("error")
    if isinstance(inner, str) and inner:
        return Refusal(status=status, message=without_key(inner, key), retry_after_s=retry_after_s)
    found = inner if isinstance(inner, dict) else told
    code, kind = found.get("code"), found.get("type")
    if status == 0 and isinstance(code, int) and 400 <= code <= 599:
        status = code
    context = found.get("n_ctx")
    return Refusal(
        status=status,
        code=without_key(code, key) if isinstance(code, str) else "",
        kind=without_key(kind, key) if isinstance(kind, str) else "",
        message=without_key(_message(found), key),
        context_tokens=context if isinstance(context, int) else 0,
        retry_after_s=retry_after_s,
    )


def retry_after(headers: Mapping[str, str], now_s: float) -> int | None:
    """Return how long an upstream asks to wait in whole seconds, an hour at most: seconds, a date or milliseconds."""
    exact = _number(headers.get("retry-after-ms", ""))
    said = headers.get("retry-after", "")
    seconds = exact / 1000 if exact is not None else _number(said)
    if seconds is None:
        seconds = _until(said, now_s)
    return None if seconds is None else max(0, math.ceil(min(seconds, _LONGEST_WAIT_S)))


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(date: str, now_s: float) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s
    except (ValueError, TypeError, OverflowError):
        return None


def _json_in(body: bytes) -> bytes:
    """Return the JSON of a body that may be a frame of a stream, as Model Studio refuses streams."""
    if body.lstrip()[:1] in {b"{", b"[", b""}:
        return body
    lines = (line.strip() for line in body.splitlines())
    return next((line[5:] for line in lines if line.startswith(b"data:") and b"[DONE]" not in line), body)


def _message(found: Mapping[str, object]) -> str:
    message = found.get("message") or found.get("msg") or found.get("detail")
    if isinstance(message, list) and message and isinstance(message[0], dict):
        # FastAPI's list of what is wrong where.
        message = message[0].get("msg")
    return message if isinstance(message, str) else ""

"""What is left of the limits, in OpenAI's header lines.

Names and forms as on https://platform.openai.com/docs/guides/rate-limits ("Rate limits in headers"). Model Studio sends
none of them, so they are sent only where a limit of this server binds the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from qwenport.core.limit_standing import Standing
from qwenport.faces.face import Headers


def limit_headers(standings: Sequence[Standing], _now: datetime) -> Headers:
    """Return three lines for each limit: the cap, what is left, and how long until all is there again."""
    return tuple(line for standing in standings for line in _lines(standing))


def duration_text(seconds: float) -> bytes:
    """Return a time as the service writes it: `20ms`, `1.5s`, `6m0s`, `1h0m0s`."""
    milliseconds = max(0, round(seconds * 1000))
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(milliseconds, 60_000)
    last = f"{rest / 1000:.3f}".rstrip("0").rstrip(".").encode() + b"s"
    if not minutes:
        return last
    hours, minutes = divmod(minutes, 60)
    return (b"%dh%dm" % (hours, minutes) if hours else b"%dm" % minutes) + last


def _lines(standing: Standing) -> Headers:
    what = b"requests" if standing.is_requests else b"tokens"
    return (
        (b"x-ratelimit-limit-" + what, b"%d" % standing.cap),
        (b"x-ratelimit-remaining-" + what, b"%d" % max(0, standing.left)),
        (b"x-ratelimit-reset-" + what, duration_text(standing.reset_s)),
    )

"""What is left of the limits, in Anthropic's header lines.

Names and forms as on https://docs.anthropic.com/en/api/rate-limits ("Response headers"). Model Studio sends none of
them, so they are sent only where a limit of this server binds the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from qwenport.core.limit_standing import Standing
from qwenport.faces.face import Headers


def limit_headers(standings: Sequence[Standing], now: datetime) -> Headers:
    """Return three lines for each limit: the cap, what is left, and when all is there again."""
    return tuple(line for standing in standings for line in _lines(standing, now))


def _lines(standing: Standing, now: datetime) -> Headers:
    name = b"anthropic-ratelimit-" + (b"requests" if standing.is_requests else b"tokens")
    reset = (now + timedelta(seconds=standing.reset_s)).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        (name + b"-limit", b"%d" % standing.cap),
        (name + b"-remaining", b"%d" % max(0, standing.left)),
        (name + b"-reset", reset.encode()),
    )

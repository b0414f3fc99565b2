"""How long one call waits for its upstream: for the first event, between events, and in all."""

from __future__ import annotations

import asyncio

from qwenport.core.errors import EngineTimedOut
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.upstream.place import Place

_SLOWEST_TOKENS_A_SECOND = 10
"""Of a whole answer, which shows no sign of life before it is complete."""


class Deadline:
    """When a call has waited too long; its time begins now."""

    __slots__ = ("_between_s", "_end", "_first", "_time")

    def __init__(self, place: Place) -> None:
        self._time = asyncio.get_running_loop().time
        now = self._time()
        self._end = now + place.total_s
        self._first = min(now + place.first_event_s, self._end)
        self._between_s = place.between_events_s

    def allow_more(self, seconds: float) -> None:
        """Wait longer for the first event: it is the whole answer."""
        self._first = min(self._first + seconds, self._end)

    def of_event(self, *, has_begun: bool) -> float:
        """Return the moment until which the next event must come, or the first; the wait for it begins now."""
        return min(self._time() + self._between_s, self._end) if has_begun else self._first

    def left_until(self, moment: float) -> float:
        """Return the seconds until a moment.

        Raises:
            EngineTimedOut: it has passed.
        """
        left = moment - self._time()
        if left <= 0:
            raise EngineTimedOut
        return left

    def left(self, *, has_begun: bool = False) -> float:
        """Return the seconds until the next event must have come, or the first.

        Raises:
            EngineTimedOut: it should have.
        """
        return self.left_until(self.of_event(has_begun=has_begun))


def generating_s(prepared: PreparedCall) -> float:
    """Return how long the tokens of a whole answer may take after the first, as many as it may have."""
    sampling = prepared.call.sampling
    bound = max(sampling.max_tokens or 0, sampling.max_completion_tokens or 0)
    return bound * sampling.choices / _SLOWEST_TOKENS_A_SECOND

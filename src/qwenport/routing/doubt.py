"""Whether a target still answers, as far as callers tell who left before it did.

One that takes every call and never says a word fails none of them where callers give up sooner than the gateway does.
A caller who leaves proves nothing against it, so that nobody can shut it for others: in doubt it comes after the
targets that are well, and is still asked where there is no other.
"""

from __future__ import annotations

from collections.abc import Callable

from qwenport.routing.breaker import LONGEST_OPEN_S
from qwenport.settings.configuration_file import RetryTable

ENOUGH_TRIES = 3
ENOUGH_S = 3.0
CLEARLY_LONGER = 6.0
"""So many tries in a row, seconds waited in them together, and times the usual first event that these seconds are."""

SHORTEST_S = 0.5
"""A try counts that was waited for so long at least, and for as long as a first event usually takes."""

_NEWEST_PART = 0.2


class Doubt:
    """Cast by tries in a row that were left without a word; an answer ends it.

    It lasts as long as an open breaker would; then one call is let through. Moments are monotonic seconds.
    """

    __slots__ = ("_on_cast", "_row", "_rules", "_times", "_trying", "_until", "_usual_s", "_waited_s")

    def __init__(self, rules: RetryTable, on_cast: Callable[[int], None] = lambda _tries: None) -> None:
        """Tell `on_cast` when a doubt begins, and by how many tries."""
        self._rules = rules
        self._on_cast = on_cast
        self._usual_s: float | None = None
        self._row = 0
        self._waited_s = 0.0
        self._times = 0
        self._until = 0.0
        self._trying = False

    @property
    def is_cast(self) -> bool:
        """Whether nothing has ended it yet, also where a call is let through."""
        return self._times > 0

    def holds(self, now: float) -> bool:
        """Tell whether calls should go to others that are well."""
        return self._times > 0 and (self._trying or now < self._until)

    def enter(self, now: float) -> bool:
        """Note that a call goes there; return whether it is the one by whose end the doubt is ended or renewed."""
        if not self._times or self._trying or now < self._until:
            return False
        self._trying = True
        return True

    def answered(self, seconds: float) -> None:
        """Note a first event after so many seconds."""
        usual = self._usual_s
        self._usual_s = seconds if usual is None else usual + _NEWEST_PART * (seconds - usual)
        self.end()

    def end(self) -> None:
        """Note that the target said something, be it an error."""
        self._row = self._times = 0
        self._waited_s = 0.0
        self._trying = False

    def let_through(self, now: float) -> None:
        """Let the next call decide, as if the time were over."""
        self._until = min(self._until, now)

    def left(self, now: float, waited_s: float, *, is_trial: bool) -> None:
        """Note that a caller left, or that the gateway did, after so many seconds without a word."""
        if is_trial:
            self._trying = False
        usual_s = self._usual_s or 0.0
        if waited_s < max(SHORTEST_S, usual_s):
            return
        self._row += 1
        self._waited_s += waited_s
        is_enough = self._row >= ENOUGH_TRIES and self._waited_s >= max(ENOUGH_S, CLEARLY_LONGER * usual_s)
        if is_trial or (is_enough and not self._times):
            self._until = now + min(LONGEST_OPEN_S, self._rules.breaker_open_s * 2.0 ** min(self._times, 32))
            self._times += 1
            if self._times == 1:
                self._on_cast(self._row)

"""The circuit breaker of one target: closed while it is well, open while it fails, half-open for one probe between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from qwenport.settings.configuration_file import RetryTable

LONGEST_OPEN_S = 300.0
"""Bound of the doubling, and how long a target stays shut that only its operator can mend."""

GRAINS = 10
"""Parts of the window; what leaves it leaves in parts."""

ENOUGH_CALLS = 4
"""Times `breaker_failures` calls must lie in the window before their failed part says something."""


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call passes, and its outcome decides."""


OnChange = Callable[[BreakerState, str], None]
"""Hears of a new state, and why."""

_CLOSED, _OPEN, _HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


class Breaker:
    """Opens after failures in a row, or when more than half of the calls in a window failed.

    Moments are monotonic seconds. Only the outcome of a probe moves a breaker that is not closed: calls that began
    before it opened say nothing new.
    """

    __slots__ = (
        "_closed_at",
        "_grains",
        "_on_change",
        "_openings",
        "_probing",
        "_row",
        "_rules",
        "_until",
        "reason",
        "state",
    )

    def __init__(self, rules: RetryTable, on_change: OnChange = lambda _state, _reason: None) -> None:
        self._rules = rules
        self._on_change = on_change
        self.state = _CLOSED
        self.reason = ""
        """Why it is open, in words; empty while it is closed."""
        self._row: deque[float] = deque(maxlen=rules.breaker_failures)
        self._grains: deque[list[int]] = deque()
        self._until = 0.0
        self._probing = False
        self._openings = 0
        self._closed_at = float("-inf")

    def may_pass(self, now: float) -> bool:
        """Tell whether a call may go to the target; an open one whose time is over takes one."""
        if self.state is _CLOSED:
            return True
        if self.state is _OPEN:
            return now >= self._until
        return not self._probing

    def enter(self, now: float) -> bool:
        """Note that a call goes there that `may_pass`; return whether it is the probe."""
        if self.state is _CLOSED:
            return False
        if self.state is _OPEN and now >= self._until:
            self._change(_HALF_OPEN, self.reason)
        if self.state is not _HALF_OPEN or self._probing:
            return False
        self._probing = True
        return True

    def leave(self, *, is_probe: bool) -> None:
        """Note that a call ended that says nothing about the target; another probe may follow."""
        if is_probe:
            self._probing = False

    def succeeded(self, now: float, *, is_probe: bool) -> None:
        """Note that the target answered."""
        if self.state is _CLOSED:
            if self._row:
                self._row.clear()
            self._count(now, failed=0)
        elif is_probe and self.state is _HALF_OPEN:
            self._close(now)

    def failed(self, now: float, reason: str, *, is_probe: bool) -> None:
        """Note that the target failed."""
        if self.state is _CLOSED:
            self._row.append(now)
            self._count(now, failed=1)
            if self._has_failed_enough(now):
                self._open(now, reason)
        elif is_probe and self.state is _HALF_OPEN:
            self._open(now, reason)

    def trip(self, now: float, reason: str, told_s: float | None = None) -> None:
        """Open for as long as the upstream told, or else for long: trying again changes nothing for now."""
        self._shut(now + (LONGEST_OPEN_S if told_s is None else min(told_s, LONGEST_OPEN_S)), reason)

    def found_well(self) -> None:
        """Let the next call through as a probe: the target's server answered when it was asked."""
        if self.state is _OPEN:
            self._probing = False
            self._change(_HALF_OPEN, self.reason)

    def found_unwell(self, now: float, reason: str) -> None:
        """Note that the target's server did not answer when it was asked."""
        if self.state is _CLOSED:
            self.failed(now, reason, is_probe=False)
        elif self.state is _OPEN:
            self._until = max(self._until, now + self._rules.breaker_open_s)

    def opens_in(self, now: float) -> float:
        """Return in how many seconds a call may pass; 0 where one may already."""
        return max(0.0, self._until - now) if self.state is _OPEN else 0.0

    def _has_failed_enough(self, now: float) -> bool:
        row, most = self._row, self._rules.breaker_failures
        if len(row) == most and now - row[0] <= self._rules.breaker_window_s:
            return True
        calls = sum(grain[1] for grain in self._grains)
        failures = sum(grain[2] for grain in self._grains)
        return calls >= ENOUGH_CALLS * most and 2 * failures > calls

    def _count(self, now: float, *, failed: int) -> None:
        grains = self._grains
        place = int(now * GRAINS / self._rules.breaker_window_s)
        if grains and grains[-1][0] == place:
            last = grains[-1]
            last[1] += 1
            last[2] += failed
            return
        while grains and grains[0][0] <= place - GRAINS:
            grains.popleft()
        grains.append([place, 1, failed])

    def _open(self, now: float, reason: str) -> None:
        is_lasting = now - self._closed_at > self._rules.breaker_window_s and self.state is _CLOSED
        self._openings = 0 if is_lasting else min(self._openings + 1, 32)
        self._shut(now + min(LONGEST_OPEN_S, self._rules.breaker_open_s * 2**self._openings), reason)

    def _shut(self, until: float, reason: str) -> None:
        self._until = until
        self._probing = False
        self._row.clear()
        self._grains.clear()
        self._change(_OPEN, reason)

    def _close(self, now: float) -> None:
        self._closed_at = now
        self._probing = False
        self._change(_CLOSED, "")

    def _change(self, state: BreakerState, reason: str) -> None:
        was, self.state, self.reason = self.state, state, reason
        if was is not state:
            self._on_change(state, reason)

"""How many further tries an upstream is sent, so that its failing cannot multiply what it has to bear.

After the retry budgets of Finagle and Linkerd: a part of the calls of the last minute, and a small reserve.
A call's first try at an upstream is a call to it, wherever else it was tried before; what follows there is a retry.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 60
RESERVE = 10
"""Retries a minute that need no calls."""


class RetryBudget:
    """The calls and retries of one upstream in the last minute, second by second."""

    __slots__ = ("_calls", "_retries", "_seconds", "percent")

    def __init__(self, percent: int) -> None:
        self.percent = percent
        """Part of the calls that retries may be."""
        self._seconds: deque[list[int]] = deque()
        self._calls = 0
        self._retries = 0

    def called(self, now: float) -> None:
        """Note a call; `now` are monotonic seconds."""
        self._second(now)[1] += 1
        self._calls += 1

    def has_room(self, now: float) -> bool:
        """Tell whether a retry is left."""
        self._forget(int(now))
        return (self._retries - RESERVE) * 100 < self._calls * self.percent

    def retried(self, now: float) -> None:
        """Note a retry."""
        self._second(now)[2] += 1
        self._retries += 1

    def _second(self, now: float) -> list[int]:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            return self._seconds[-1]
        self._forget(second)
        self._seconds.append([second, 0, 0])
        return self._seconds[-1]

    def _forget(self, second: int) -> None:
        seconds = self._seconds
        while seconds and seconds[0][0] <= second - WINDOW_S:
            _, calls, retries = seconds.popleft()
            self._calls -= calls
            self._retries -= retries

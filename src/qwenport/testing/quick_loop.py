"""An event loop whose time jumps to whatever is waited for next: hours pass in no time, and in the right order."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class _QuickSelector(selectors.DefaultSelector):
    """Does not wait for files; what would have been waited has passed."""

    waited_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing is left that could happen, and something waits for it")
            self.waited_s += max(0.0, timeout)
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    """For tests with no threads and no connections; `asyncio.sleep` and time-outs take no time."""

    def __init__(self) -> None:
        self._quick = _QuickSelector()
        super().__init__(self._quick)

    def time(self) -> float:
        """Return the seconds that have passed by waiting."""
        return self._quick.waited_s


class LoopClock:
    """The house's clock, by the time of the running loop."""

    def now(self) -> datetime:
        """Return the present moment of the loop."""
        return _BEGAN + timedelta(seconds=self.monotonic())

    def timestamp(self) -> float:
        """Return `now` as seconds since 1970."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Return the loop's seconds."""
        return asyncio.get_running_loop().time()

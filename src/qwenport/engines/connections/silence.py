"""The deadline for a server that says nothing while it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Silence:
    """Calls `on_end` once the server was waited for longer than the limit.

    One timer watches a connection and looks at its deadline only when it fires. A timeout around each read would
    cost more than decoding what was read.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end: Callable[[], None] | None = on_end
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None

    def begin(self, limit_s: float) -> None:
        """Wait for the server from now on."""
        deadline = self._loop.time() + limit_s
        self._deadline = deadline
        if self._timer is None or self._timer.when() > deadline:
            self._set_timer(deadline)

    def pause(self) -> None:
        """Stop waiting: the server spoke, and what follows is the caller's time."""
        self._deadline = None

    def close(self) -> None:
        """Stop watching for good, and let go of who wanted to know."""
        self._on_end = None
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._set_timer(self._deadline)
            return
        self._deadline = None
        if self._on_end is not None:
            self._on_end()

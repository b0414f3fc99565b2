"""What a worker hears from its supervisor: to drain, to hurry, to read its configuration again, or nothing any more."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable


class WorkerSignals:
    """Listens to signals, and to the pipe whose other end closes when the supervisor ends."""

    def __init__(
        self,
        *,
        stop: Callable[[], None],
        break_off: Callable[[], None],
        read_again: Callable[[], Awaitable[object]],
        drain_s: float,
    ) -> None:
        """Let nothing new in by `stop`; after `drain_s` seconds end what still runs by `break_off`."""
        self.is_draining = False
        self._stop = stop
        self._break_off = break_off
        self._read_again = read_again
        self._drain_s = drain_s
        self._readings: set[asyncio.Task[object]] = set()
        """Those that run; a task that nobody holds may vanish."""

    def listen(self, watch_fd: int) -> None:
        """Begin; `watch_fd` reads end of file when the supervisor has ended, however it ended."""
        loop = asyncio.get_running_loop()

        def orphaned() -> None:
            loop.remove_reader(watch_fd)
            self._hurry()

        loop.add_signal_handler(signal.SIGHUP, self._begin_reading)
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        loop.add_signal_handler(signal.SIGINT, self._hurry)
        loop.add_reader(watch_fd, orphaned)

    def _drain(self) -> None:
        if not self.is_draining:
            self.is_draining = True
            self._stop()
            asyncio.get_running_loop().call_later(self._drain_s, self._break_off)

    def _hurry(self) -> None:
        self._drain()
        self._break_off()

    def _begin_reading(self) -> None:
        task = asyncio.ensure_future(self._read_again())
        self._readings.add(task)
        task.add_done_callback(self._readings.discard)

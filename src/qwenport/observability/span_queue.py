"""Spans on their way out: a bounded queue, and a thread that empties it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExportResult

log = logging.getLogger(__name__)

MOST_WAITING = 4096
BATCH = 512
PAUSE_S = 1.0
"""How long spans gather before they are sent, unless a batch is full sooner."""

Count = Callable[[str, int], None]
"""Hears what became of how many spans: `sent`, `failed` or `dropped`; called from any thread."""


class Exporter(Protocol):
    """Sends spans; blocking."""

    def export(self, spans: Sequence[ReadableSpan], /) -> SpanExportResult:
        """Send a batch; tells whether it arrived, and raises nothing."""
        ...

    def shutdown(self) -> None:
        """Break off an export that waits to be tried again."""
        ...


class SpanQueue(SpanProcessor):
    """Takes finished spans without ever waiting; what does not fit any more is dropped and counted."""

    def __init__(self, exporter: Exporter, count: Count, *, most: int = MOST_WAITING, pause_s: float = PAUSE_S) -> None:
        """Start the thread; it ends with the process, or by `close`."""
        self._exporter = exporter
        self._count = count
        self._most = most
        self._pause_s = pause_s
        self._waiting: deque[ReadableSpan] = deque()
        self._taking = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._fails = False
        self._thread = threading.Thread(target=self._send_all, name="qwenport-traces", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Take a finished span."""
        if len(self._waiting) >= self._most or self._ending.is_set():
            self._count("dropped", 1)
            return
        self._waiting.append(span)
        if len(self._waiting) >= BATCH:
            self._wake.set()

    def close(self, seconds: float) -> None:
        """Send what waits, and give up what could not be sent in time."""
        self._ending.set()
        self._wake.set()
        self._thread.join(seconds)
        with self._taking:
            left = len(self._waiting)
            self._waiting.clear()
        self._exporter.shutdown()
        if left:
            self._count("dropped", left)

    def _send_all(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(self._pause_s)
            self._wake.clear()
            while len(self._waiting) >= BATCH:
                self._send_batch()
            self._send_batch()
        while self._waiting and not self._fails:
            self._send_batch()

    def _send_batch(self) -> None:
        with self._taking:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        if not batch:
            return
        arrived = self._exporter.export(batch) is SpanExportResult.SUCCESS
        self._count("sent" if arrived else "failed", len(batch))
        if self._fails is arrived:
            self._tell(arrived=arrived)
        self._fails = not arrived

    def _tell(self, *, arrived: bool) -> None:
        if arrived:
            log.info("traces are taken again")
        else:
            log.warning("traces are not taken by the address in [traces] `endpoint`; spans are lost until they are")

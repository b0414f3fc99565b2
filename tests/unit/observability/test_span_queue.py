"""The queue of spans, before exporters that hang, fail and come back."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from qwenport.observability.span_queue import BATCH, SpanQueue
from qwenport.testing.raw_client import PATIENCE_S

NEVER_S = 3600.0


class ScriptedExporter:
    """Takes what it is given once `go` is set; remembers it."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Semaphore(0)
        self.works = True
        self.batches: list[list[str]] = []
        self.is_shut = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.begun.release()
        self.go.wait(PATIENCE_S)
        if self.works:
            self.batches.append([span.name for span in spans])
        return SpanExportResult.SUCCESS if self.works else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.is_shut.set()
        self.go.set()


class Counts:
    """Adds up what becomes of spans."""

    def __init__(self) -> None:
        self.spans: Counter[str] = Counter()

    def __call__(self, outcome: str, spans: int) -> None:
        self.spans[outcome] += spans


@pytest.fixture
def exporter() -> Iterator[ScriptedExporter]:
    yield ScriptedExporter()
    # A thread whose exporter hung is still to say so, and would be heard by the next test.
    for thread in threading.enumerate():
        if thread.name == "qwenport-traces":
            thread.join(PATIENCE_S)


def span(number: int) -> ReadableSpan:
    return ReadableSpan(name=str(number))


def fill(queue: SpanQueue, spans: range) -> None:
    for number in spans:
        queue.on_end(span(number))


def test_what_waits_is_sent_at_the_end_in_order(exporter: ScriptedExporter) -> None:
    counts = Counts()
    queue = SpanQueue(exporter, counts, pause_s=NEVER_S)

    fill(queue, range(3))
    queue.close(PATIENCE_S)

    assert (exporter.batches, counts.spans, exporter.is_shut.is_set()) == ([["0", "1", "2"]], {"sent": 3}, True)


def test_a_full_batch_does_not_wait_for_the_pause(exporter: ScriptedExporter) -> None:
    queue = SpanQueue(exporter, Counts(), pause_s=NEVER_S)

    fill(queue, range(BATCH))

    assert exporter.begun.acquire(timeout=PATIENCE_S)
    queue.close(PATIENCE_S)


def test_what_does_not_fit_is_dropped_and_counted(exporter: ScriptedExporter) -> None:
    exporter.go.clear()
    counts = Counts()
    queue = SpanQueue(exporter, counts, most=BATCH, pause_s=NEVER_S)

    fill(queue, range(BATCH))
    assert exporter.begun.acquire(timeout=PATIENCE_S)
    fill(queue, range(BATCH + 5))
    exporter.go.set()
    queue.close(PATIENCE_S)

    assert counts.spans == {"sent": 2 * BATCH, "dropped": 5}


def test_the_end_is_not_held_up_by_an_exporter_that_hangs(exporter: ScriptedExporter) -> None:
    exporter.go.clear()
    counts = Counts()
    queue = SpanQueue(exporter, counts, pause_s=NEVER_S)
    fill(queue, range(BATCH))
    assert exporter.begun.acquire(timeout=PATIENCE_S)
    exporter.works = False
    fill(queue, range(7))

    queue.close(0.05)

    assert exporter.is_shut.is_set()
    assert counts.spans["dropped"] == 7


def test_spans_after_the_end_are_dropped(exporter: ScriptedExporter) -> None:
    counts = Counts()
    queue = SpanQueue(exporter, counts)
    queue.close(PATIENCE_S)

    fill(queue, range(1))

    assert counts.spans == {"dropped": 1}


def test_an_operator_hears_once_that_spans_are_lost_and_once_that_they_are_not(
    exporter: ScriptedExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counts = Counts()
    exporter.works = False
    queue = SpanQueue(exporter, counts, pause_s=NEVER_S)
    for _ in range(2):
        fill(queue, range(BATCH))
        assert exporter.begun.acquire(timeout=PATIENCE_S)
    while counts.spans["failed"] < 2 * BATCH:
        threading.Event().wait(0.001)
    exporter.works = True
    fill(queue, range(BATCH))
    queue.close(PATIENCE_S)

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert counts.spans == {"failed": 2 * BATCH, "sent": BATCH}

"""Prometheus metrics, named for questions an operator asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from qwenport.core.money import NANOS
from qwenport.observability.families import collect, counters, text_of
from qwenport.observability.metrics_board import MetricsBoard

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Gauges = Callable[[], Mapping[str, tuple[str, Mapping[str, float]]]]
"""Name of a gauge to its help text and its values by label value; the empty label value stands alone."""


class Metrics:
    """The counters of one gateway worker, and the way to those of the others."""

    def __init__(self, board: MetricsBoard | None = None) -> None:
        """Share with the other workers by `board`; None where there are none."""
        self.registry = CollectorRegistry()
        self._board = board
        requests = self._counter(
            "qwenport_requests", "Requests by face, operation and HTTP status", "face", "operation", "status"
        )
        self.refused = self._counter("qwenport_errors", "Requests that ended in an error, by its code", "code")
        settlements = self._counter("qwenport_settlements", "Holds settled, by outcome of the call", "outcome")
        tokens = self._counter("qwenport_tokens", "Tokens of settled calls", "model", "direction")
        costs = self._counter("qwenport_cost", "Cost of settled calls, in units of the currency", "currency")
        self._unpriced = self._counter("qwenport_unpriced_calls", "Settled calls that have no price")
        self._clamped = self._counter("qwenport_clamped_usage", "Settled calls whose usage could not be true")
        shadowed = self._counter(
            "qwenport_shadow_refusals", "Calls that a limit in shadow mode would have refused", "limit"
        )
        self._bodies_dropped = self._counter(
            "qwenport_bodies_dropped", "Bodies that were to be kept and are not, because their queue was full"
        )
        self._posted = self._counter("qwenport_posted_calls", "Calls written into the books")
        self._flush = self._histogram(
            "qwenport_flush_seconds",
            "Time that one posting of the journal took",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.first_event = self._histogram(
            "qwenport_first_event_seconds",
            "From the request's arrival to the engine's first event",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
        )
        self.duration = self._histogram(
            "qwenport_request_seconds",
            "From the request's arrival to its last byte",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
        )
        tries = self._counter("qwenport_tries", "Tries of calls at a target, by their outcome", "target", "outcome")
        try_first_event = self._histogram(
            "qwenport_try_first_event_seconds",
            "From sending a call to a target to its first event",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            "target",
        )
        cached = self._counter("qwenport_cache", "What the response cache did, by what came of it", "event")
        self._cached_bytes = self._counter(
            "qwenport_cache_stored_bytes", "Bytes of answers put into the response cache"
        )
        spans = self._counter("qwenport_spans", "Spans of traces, by what became of them", "outcome")
        tasks = self._counter("qwenport_tasks", "Asynchronous tasks that ended, by how they did", "outcome")
        self._balanced = Gauge(
            "qwenport_books_balanced",
            "Whether the last look at the books found them balanced; 1 before the first",
            registry=self.registry,
        )
        self._balanced.set(1)

        # Looking the counter of some labels up costs several times what counting does.
        self._requests = cache(requests.labels)
        self._settlements = cache(settlements.labels)
        self._tokens = cache(tokens.labels)
        self._costs = cache(costs.labels)
        self._shadowed = cache(shadowed.labels)
        self._tries = cache(tries.labels)
        self._cached = cache(cached.labels)
        self._spans = cache(spans.labels)
        self._tasks = cache(tasks.labels)
        self._try_first_event = cache(try_first_event.labels)

    def count_request(self, face: str, operation: str, status: int) -> None:
        """Count a request that was answered; status 0 where nothing was sent."""
        self._requests(face, operation, str(status)).inc()

    def count_try(self, target: str, outcome: str, first_event_s: float | None) -> None:
        """Count a try of a call at a target: `ok`, `abandoned` or an error's code; None where no event came."""
        self._tries(target, outcome).inc()
        if first_event_s is not None:
            self._try_first_event(target).observe(first_event_s)

    def count_cache(self, event: str, size_bytes: int = 0) -> None:
        """Count what the response cache did: `hit`, `shared`, `miss`, `stored`, `too_large`, `dropped`, `failed`."""
        self._cached(event).inc()
        if size_bytes:
            self._cached_bytes.inc(size_bytes)

    def count_spans(self, outcome: str, spans: int) -> None:
        """Count spans of traces that were `sent`, `failed` to be sent, or `dropped` because too many waited."""
        self._spans(outcome).inc(spans)

    def count_task(self, outcome: str) -> None:
        """Count an asynchronous task that `succeeded`, `failed`, was `canceled`, or was `given_up` unbilled."""
        self._tasks(outcome).inc()

    def count_settlement(self, model: str, outcome: str, input_tokens: int, output_tokens: int) -> None:
        """Count a call that was settled."""
        self._settlements(outcome).inc()
        if input_tokens:
            self._tokens(model, "input").inc(input_tokens)
        if output_tokens:
            self._tokens(model, "output").inc(output_tokens)

    def count_cost(self, currency: str, cost_nanos: int | None) -> None:
        """Count what a settled call costs in nano-units; None for one without a price."""
        if cost_nanos is None:
            self._unpriced.inc()
        elif cost_nanos:
            # A float, as every metric; what is billed stands in the books.
            self._costs(currency).inc(cost_nanos / NANOS)

    def count_clamped(self) -> None:
        """Count a call whose usage was brought into range."""
        self._clamped.inc()

    def count_shadow_refusal(self, limit: str) -> None:
        """Count a call that passed a limit, named by its id, which would have refused it if it were enforced."""
        self._shadowed(limit).inc()

    def count_dropped_body(self) -> None:
        """Count a body that is not kept."""
        self._bodies_dropped.inc()

    def count_posting(self, calls: int, seconds: float) -> None:
        """Count one posting of the journal: how many calls were new to the books, and how long it took."""
        self._posted.inc(calls)
        self._flush.observe(seconds)

    def note_books(self, *, balanced: bool) -> None:
        """Note what the last look at the books found."""
        self._balanced.set(balanced)

    def watch(self, gauges: Gauges) -> None:
        """Read these gauges at every scrape."""
        self.registry.register(_GaugeCollector(gauges))

    def publish(self) -> None:
        """Write everything down for the other workers; called every few seconds."""
        if self._board is not None:
            self._board.publish(collect(self.registry))

    def leave(self) -> None:
        """Write down for the last time: the counters go on, the gauges end with this worker."""
        if self._board is not None:
            self._board.publish(counters(collect(self.registry)))

    def text(self) -> bytes:
        """Return everything in Prometheus' text format, for all workers where there are several."""
        families = collect(self.registry)
        return text_of(families if self._board is None else self._board.all_workers(families))

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, help_text, labels, buckets=buckets, registry=self.registry)


class _GaugeCollector(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (help_text, values) in self._gauges().items():
            alone = set(values) == {""}
            family = GaugeMetricFamily(name, help_text, labels=() if alone else ("name",))
            for label, value in values.items():
                family.add_metric(() if alone else (label,), value)
            yield family

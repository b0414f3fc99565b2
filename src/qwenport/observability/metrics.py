"""Prometheus metrics, named for questions an operator asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Gauges = Callable[[], Mapping[str, tuple[str, Mapping[str, float]]]]
"""Name of a gauge to its help text and its values by label value; the empty label value stands alone."""


class Metrics:
    """The counters of one gateway worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        requests = Counter(
            "qwenport_requests",
            "Requests by face, operation and HTTP status",
            ("face", "operation", "status"),
            registry=self.registry,
        )
        self.refused = Counter(
            "qwenport_errors", "Requests that ended in an error, by its code", ("code",), registry=self.registry
        )
        settlements = Counter(
            "qwenport_settlements", "Holds settled, by outcome of the call", ("outcome",), registry=self.registry
        )
        tokens = Counter("qwenport_tokens", "Tokens of settled calls", ("model", "direction"), registry=self.registry)
        self.first_event = Histogram(
            "qwenport_first_event_seconds",
            "From the request's arrival to the engine's first event",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=self.registry,
        )
        self.duration = Histogram(
            "qwenport_request_seconds",
            "From the request's arrival to its last byte",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=self.registry,
        )

        # Looking the counter of some labels up costs several times what counting does.
        self._requests = cache(requests.labels)
        self._settlements = cache(settlements.labels)
        self._tokens = cache(tokens.labels)

    def count_request(self, face: str, operation: str, status: int) -> None:
        """Count a request that was answered; status 0 where nothing was sent."""
        self._requests(face, operation, str(status)).inc()

    def count_settlement(self, model: str, outcome: str, input_tokens: int, output_tokens: int) -> None:
        """Count a call that was settled."""
        self._settlements(outcome).inc()
        if input_tokens:
            self._tokens(model, "input").inc(input_tokens)
        if output_tokens:
            self._tokens(model, "output").inc(output_tokens)

    def watch(self, gauges: Gauges) -> None:
        """Read these gauges at every scrape."""
        self.registry.register(_GaugeCollector(gauges))

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


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

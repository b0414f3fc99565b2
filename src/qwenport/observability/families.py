"""Families of metrics as plain values, so that those of several workers can be written down and added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted."""

GAUGE = "gauge"


class Sample(Struct, frozen=True, array_like=True):
    """One value."""

    name: str
    """The family's, with the ending that its kind asks for, such as `_total` or `_bucket`."""
    labels: Labels
    value: float


class Family(Struct, frozen=True, array_like=True):
    """All values of one metric."""

    name: str
    kind: str
    """As `prometheus_client` has it: `counter`, `gauge`, `histogram`."""
    help: str
    samples: tuple[Sample, ...]


def collect(registry: CollectorRegistry) -> list[Family]:
    """Return what a registry holds, without the moments at which its counters were made: a sum has none."""
    return [Family(metric.name, metric.type, metric.documentation, _samples(metric)) for metric in registry.collect()]


def add_up(families: Iterable[Family]) -> list[Family]:
    """Return families whose samples are each the sum of the samples of the same name and labels."""
    first: dict[str, Family] = {}
    sums: dict[str, dict[tuple[str, Labels], float]] = {}
    for family in families:
        first.setdefault(family.name, family)
        values = sums.setdefault(family.name, {})
        for sample in family.samples:
            key = sample.name, sample.labels
            values[key] = values.get(key, 0.0) + sample.value
    return [
        Family(name, family.kind, family.help, tuple(Sample(*key, value) for key, value in sums[name].items()))
        for name, family in first.items()
    ]


def counters(families: Iterable[Family]) -> list[Family]:
    """Return what only ever grows: counters and histograms."""
    return [family for family in families if family.kind != GAUGE]


def of_worker(families: Iterable[Family], worker: int) -> list[Family]:
    """Return the families with the worker's number on every gauge, since those of several cannot be added up."""
    label = ("worker", str(worker))
    return [
        Family(family.name, family.kind, family.help, tuple(_with(sample, label) for sample in family.samples))
        if family.kind == GAUGE
        else family
        for family in families
    ]


def text_of(families: Iterable[Family]) -> bytes:
    """Return families in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Shown(families))
    return generate_latest(registry)


def _samples(metric: Metric) -> tuple[Sample, ...]:
    made_at = f"{metric.name}_created"
    return tuple(
        Sample(sample.name, tuple(sorted(sample.labels.items())), float(sample.value))
        for sample in metric.samples
        if sample.name != made_at
    )


def _with(sample: Sample, label: tuple[str, str]) -> Sample:
    return Sample(sample.name, tuple(sorted((*sample.labels, label))), sample.value)


class _Shown(Collector):
    """Gives families to the writer of the text format."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.help, family.kind)
            for sample in family.samples:
                metric.add_sample(sample.name, dict(sample.labels), sample.value)
            yield metric

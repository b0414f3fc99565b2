"""One scrape tells of all workers, and no counter that anybody has seen goes back."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from qwenport.observability.metrics import Metrics
from qwenport.observability.metrics_board import FRESH_S, MetricsBoard
from qwenport.testing.clock import FakeClock

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def worker(folder: Path, number: int, clock: FakeClock, *, holds: float = 0.0) -> Metrics:
    metrics = Metrics(MetricsBoard(folder, number, clock))
    metrics.watch(lambda: {"qwenport_holds_open": ("Open", {"": holds})})
    return metrics


def values(metrics: Metrics, *names: str) -> Values:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name in names
    }


def settlements(metrics: Metrics) -> Values:
    return values(metrics, "qwenport_settlements_total")


FINISHED = ("qwenport_settlements_total", (("outcome", "finished"),))


def holds_of(number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    return "qwenport_holds_open", (("worker", str(number)),)


def test_counters_are_added_up_whoever_is_asked(tmp_path: Path) -> None:
    clock = FakeClock()
    first, second = worker(tmp_path, 1, clock), worker(tmp_path, 2, clock)
    first.count_settlement("qwen-plus", "finished", 7, 3)
    second.count_settlement("qwen-plus", "finished", 7, 3)
    second.count_settlement("qwen-plus", "failed", 0, 0)
    first.publish()
    second.publish()

    failed = ("qwenport_settlements_total", (("outcome", "failed"),))
    assert settlements(first) == settlements(second) == {FINISHED: 2.0, failed: 1.0}


def test_the_buckets_of_histograms_are_added_up(tmp_path: Path) -> None:
    clock = FakeClock()
    first, second = worker(tmp_path, 1, clock), worker(tmp_path, 2, clock)
    first.duration.observe(0.02)
    second.duration.observe(0.02)
    second.duration.observe(2.0)
    second.publish()
    shown = values(first, "qwenport_request_seconds_bucket", "qwenport_request_seconds_count")

    assert shown["qwenport_request_seconds_bucket", (("le", "0.025"),)] == 2.0
    assert shown["qwenport_request_seconds_bucket", (("le", "+Inf"),)] == 3.0
    assert shown["qwenport_request_seconds_count", ()] == 3.0


def test_each_workers_gauges_stand_by_themselves(tmp_path: Path) -> None:
    clock = FakeClock()
    first, second = worker(tmp_path, 1, clock, holds=3), worker(tmp_path, 2, clock, holds=4)
    second.publish()

    assert values(first, "qwenport_holds_open") == {holds_of(1): 3.0, holds_of(2): 4.0}


def test_a_worker_that_is_started_again_goes_on_counting(tmp_path: Path) -> None:
    clock = FakeClock()
    before = worker(tmp_path, 1, clock, holds=3)
    before.count_settlement("qwen-plus", "finished", 7, 3)
    before.leave()
    again = worker(tmp_path, 1, clock, holds=1)
    again.count_settlement("qwen-plus", "finished", 7, 3)

    assert settlements(again) == {FINISHED: 2.0}
    assert values(again, "qwenport_holds_open") == {holds_of(1): 1.0}


def test_what_a_scrape_has_shown_survives_the_kill_of_its_worker(tmp_path: Path) -> None:
    clock = FakeClock()
    killed = worker(tmp_path, 1, clock)
    other = worker(tmp_path, 2, clock)
    killed.count_settlement("qwen-plus", "finished", 7, 3)
    seen = settlements(killed)

    assert seen == settlements(other) == settlements(worker(tmp_path, 1, clock)) == {FINISHED: 1.0}


def test_a_second_restart_counts_nothing_twice(tmp_path: Path) -> None:
    clock = FakeClock()
    for _ in range(3):
        metrics = worker(tmp_path, 1, clock)
        metrics.count_settlement("qwen-plus", "finished", 7, 3)
        metrics.publish()
        metrics.publish()

    assert settlements(worker(tmp_path, 2, clock)) == {FINISHED: 3.0}


def test_gauges_of_a_worker_that_is_gone_are_left_out_and_its_counters_stay(tmp_path: Path) -> None:
    clock = FakeClock()
    first, gone = worker(tmp_path, 1, clock), worker(tmp_path, 2, clock, holds=4)
    gone.count_settlement("qwen-plus", "finished", 7, 3)
    gone.publish()
    clock.advance(FRESH_S + 1)

    assert values(first, "qwenport_holds_open") == {holds_of(1): 0.0}
    assert settlements(first) == {FINISHED: 1.0}


def test_the_gauges_of_a_worker_that_left_in_order_are_gone_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    first, leaving = worker(tmp_path, 1, clock), worker(tmp_path, 2, clock, holds=4)
    leaving.publish()
    leaving.leave()

    assert values(first, "qwenport_holds_open") == {holds_of(1): 0.0}


@pytest.mark.parametrize("content", [b"", b"{", b'{"at":"x"}', b"\xff"], ids=["empty", "cut", "wrong", "bytes"])
def test_a_file_that_cannot_be_read_is_left_out(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (tmp_path / "worker-2.json").write_bytes(content)
    first = worker(tmp_path, 1, FakeClock(), holds=3)

    assert values(first, "qwenport_holds_open") == {holds_of(1): 3.0}
    assert [record.getMessage() for record in caplog.records] == [
        "the metrics in worker-2.json cannot be read and are left out"
    ]


def test_a_disk_that_takes_nothing_does_not_keep_a_scrape_from_its_answer(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    first = worker(folder, 1, FakeClock(), holds=3)
    folder.rmdir()

    assert values(first, "qwenport_holds_open") == {holds_of(1): 3.0}


def test_an_engines_label_stays_beside_the_workers(tmp_path: Path) -> None:
    metrics = Metrics(MetricsBoard(tmp_path, 1, FakeClock()))
    metrics.watch(lambda: {"qwenport_engine_ready": ("Ready", {"llama/x": 1.0})})

    assert values(metrics, "qwenport_engine_ready") == {
        ("qwenport_engine_ready", (("name", "llama/x"), ("worker", "1"))): 1.0
    }

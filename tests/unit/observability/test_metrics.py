"""What a scrape says."""

from __future__ import annotations

from qwenport.observability.metrics import Metrics


def test_settled_calls_are_counted_by_outcome_and_their_tokens_by_model() -> None:
    metrics = Metrics()
    metrics.count_settlement("qwen-plus", "finished", 7, 3)
    metrics.count_settlement("qwen-plus", "lost", 0, 0)

    lines = metrics.text().decode().splitlines()
    assert [line for line in lines if line.startswith(("qwenport_settlements_total", "qwenport_tokens_total"))] == [
        'qwenport_settlements_total{outcome="finished"} 1.0',
        'qwenport_settlements_total{outcome="lost"} 1.0',
        'qwenport_tokens_total{direction="input",model="qwen-plus"} 7.0',
        'qwenport_tokens_total{direction="output",model="qwen-plus"} 3.0',
    ]

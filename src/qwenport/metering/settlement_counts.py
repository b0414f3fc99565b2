"""What a settlement adds to the metrics."""

from __future__ import annotations

from qwenport.metering.entry_of_call import CLAMPED
from qwenport.metering.records import Settlement
from qwenport.observability.metrics import Metrics


def count_settlement(metrics: Metrics, settlement: Settlement) -> None:
    """Count one settlement of the gate: outcome, tokens, cost, and what is odd about it."""
    hold = settlement.hold
    metrics.count_settlement(hold.model, settlement.outcome, settlement.input_tokens, settlement.output_tokens)
    if settlement.priced:
        metrics.count_cost(hold.currency, settlement.cost_nanos)
    if settlement.usage_source == CLAMPED:
        metrics.count_clamped()

"""What a settlement adds to the metrics."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.settlement_counts import count_settlement
from qwenport.observability.metrics import Metrics

SETTLEMENT = Settlement(
    hold=Hold(
        id=RequestId("request-1"),
        at=0.0,
        expires_at=3600.0,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=9,
        output_tokens=9,
    ),
    at=1.0,
    outcome=Outcome.FINISHED,
    status=200,
    input_tokens=7,
    output_tokens=3,
    usage_source="engine",
    priced=True,
    cost_nanos=1_500_000_000,
)

PLAIN = {
    'qwenport_settlements_total{outcome="finished"}': "1.0",
    'qwenport_tokens_total{direction="input",model="qwen-plus"}': "7.0",
    'qwenport_tokens_total{direction="output",model="qwen-plus"}': "3.0",
}
COST = {'qwenport_cost_total{currency="CNY"}': "1.5"}


def counted(settlement: Settlement) -> dict[str, str]:
    """Return the counters that are not at rest."""
    metrics = Metrics()
    count_settlement(metrics, settlement)
    lines = (line.rpartition(" ") for line in metrics.text().decode().splitlines())
    return {name: value for name, _, value in lines if "_total" in name and name[0] != "#" and value != "0.0"}


@pytest.mark.parametrize(
    ("settlement", "expected"),
    [
        (SETTLEMENT, PLAIN | COST),
        (replace(SETTLEMENT, cost_nanos=0), PLAIN),
        (replace(SETTLEMENT, cost_nanos=None), PLAIN | {"qwenport_unpriced_calls_total": "1.0"}),
        (replace(SETTLEMENT, usage_source="clamped"), PLAIN | COST | {"qwenport_clamped_usage_total": "1.0"}),
        (replace(SETTLEMENT, priced=False, cost_nanos=None), PLAIN),
    ],
    ids=["paid", "free", "unpriced", "clamped", "of an earlier version"],
)
def test_outcome_tokens_and_cost_of_a_settlement_are_counted(settlement: Settlement, expected: dict[str, str]) -> None:
    assert counted(settlement) == expected

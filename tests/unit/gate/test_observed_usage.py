"""What a native service costs that ended before it reported anything."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from qwenport.core.events import Relayed, Started
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.usage import Usage, UsageSource
from qwenport.gate.observed_usage import ObservedUsage
from qwenport.metering.records import Hold

COUNTED = Usage(items=(("characters", 5),), source=UsageSource.COUNTED)
HOLD = Hold(
    id=RequestId("r"),
    at=0,
    expires_at=1,
    key_id=KeyId("k"),
    account_id=AccountId("a"),
    currency="CNY",
    model="m",
    face="dashscope",
    operation="native-service",
    streams=True,
    input_tokens=10,
    output_tokens=20,
    cost_nanos=1,
    items=(("duration", 9),),
)


@pytest.mark.parametrize(
    ("relayed", "hold", "usage"),
    [
        (COUNTED, HOLD, replace(COUNTED, items=(("duration", 9),))),
        (COUNTED, replace(HOLD, items=(("characters", 8),)), COUNTED),
        (COUNTED, replace(HOLD, items=(), cost_nanos=None), COUNTED),
        (Usage(), HOLD, Usage(source=UsageSource.COUNTED)),
    ],
    ids=["as held", "as counted", "without a price", "a task"],
)
def test_a_stream_that_was_left_costs_what_was_counted_or_held(relayed: Usage, hold: Hold, usage: Usage) -> None:
    observed = ObservedUsage()
    observed.add(Started(served_by="up/m", input_tokens=0))
    observed.add(Relayed(piece=b"{}", usage=relayed))

    assert observed.usage(hold) == (usage, "counted")

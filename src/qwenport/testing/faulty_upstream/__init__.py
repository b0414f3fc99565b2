"""A test tool: an OpenAI-compatible server whose answers suffer from faults, by plan and by seed.

In a loop: `async with FaultyUpstream(FaultPlan.evenly(0.3, seed=1)).listening() as port`; in a thread of its own:
`with FaultyUpstreamThread(FaultyUpstream(…)) as running`; as a process: `python -m qwenport.testing.faulty_upstream`.
"""

from qwenport.testing.faulty_upstream.faults import (
    REFUSALS,
    SURVIVABLE,
    Fault,
    FaultPlan,
    Plan,
    RetryAfter,
    Script,
    Shape,
    Step,
)
from qwenport.testing.faulty_upstream.manner import Latency, Manner
from qwenport.testing.faulty_upstream.server import FaultyUpstream, Served
from qwenport.testing.faulty_upstream.thread import FaultyUpstreamThread

__all__ = [
    "REFUSALS",
    "SURVIVABLE",
    "Fault",
    "FaultPlan",
    "FaultyUpstream",
    "FaultyUpstreamThread",
    "Latency",
    "Manner",
    "Plan",
    "RetryAfter",
    "Script",
    "Served",
    "Shape",
    "Step",
]

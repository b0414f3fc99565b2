"""Calls through a gateway whose upstreams fail, and what its books hold of them afterwards.

`ground` starts upstreams that fail and a gateway of its own, `caller` plays clients who write down what they saw,
`judge` holds that beside what the upstreams made and what the books say. `python -m qwenport.testing.failover` does all
of it and prints a report as JSON.
"""

from qwenport.testing.failover.caller import Seen, play
from qwenport.testing.failover.ground import Ground, Order, running_ground
from qwenport.testing.failover.judge import Evidence, Report, judge
from qwenport.testing.failover.run import PLAYED, Played, run

__all__ = [
    "PLAYED",
    "Evidence",
    "Ground",
    "Order",
    "Played",
    "Report",
    "Seen",
    "judge",
    "play",
    "run",
    "running_ground",
]

"""What is read of routing at every scrape."""

from __future__ import annotations

from collections.abc import Mapping

from qwenport.routing.breaker import BreakerState
from qwenport.routing.router import Router

_SHUT = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}


def routing_gauges(router: Router) -> Mapping[str, tuple[str, Mapping[str, float]]]:
    """Return name of a gauge to its help text and its values by target."""
    lanes = router.lanes
    shared = router.parts.shared
    gauges: dict[str, tuple[str, Mapping[str, float]]] = {
        "qwenport_calls_waiting": (
            "Calls that wait for room at a target",
            {name: lane.room.waiting for name, lane in lanes.items()},
        ),
        "qwenport_calls_under_way": (
            "Calls that a target works on",
            {name: lane.under_way for name, lane in lanes.items()},
        ),
        "qwenport_breaker_open": (
            "Whether the breaker of an upstream's model is open; 0.5 while one call probes it",
            {name: _SHUT[lane.breaker.state] for name, lane in lanes.items() if lane.breaker is not None},
        ),
    }
    if shared is not None:
        gauges["qwenport_shared_paces_up"] = (
            "Whether the workers pace together; alone, each keeps to its part",
            {"": float(shared.is_up)},
        )
    return gauges

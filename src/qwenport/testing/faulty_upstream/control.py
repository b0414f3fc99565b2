"""The control surface: by HTTP what a test in the same process does with the object.

`GET /control/counts` tells what was served, `PUT /control/plan` changes what happens next, `POST /control/reset`
forgets what was served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from qwenport.testing.faulty_upstream.faults import Fault, FaultPlan, Plan, Script

if TYPE_CHECKING:
    from qwenport.testing.faulty_upstream.server import FaultyUpstream


class PlanRequest(Struct, forbid_unknown_fields=True):
    """A plan by its rates and seed, by a share of all that can be survived, or by a script."""

    rates: dict[Fault, float] | None = None
    share: float | None = None
    seed: int = 0
    script: list[Fault] | None = None
    repeats_last: bool = False

    def plan(self) -> Plan:
        """Return the plan.

        Raises:
            ValueError: its rates are none.
        """
        if self.script is not None:
            return Script(self.script, repeats_last=self.repeats_last)
        if self.share is not None:
            return FaultPlan.evenly(self.share, seed=self.seed)
        return FaultPlan(self.rates or {}, self.seed)


def response(upstream: FaultyUpstream, method: str, path: str, body: bytes) -> bytes:
    """Return the whole response to a request of the control surface, after having done it."""
    match (method, path):
        case ("GET", "/control/counts"):
            return _json(200, _counts(upstream))
        case ("GET", "/control/served"):
            return _json(200, {"served": list(upstream.served)})
        case ("POST", "/control/reset"):
            upstream.reset()
            return _json(200, {})
        case ("PUT", "/control/plan"):
            try:
                upstream.plan = msgspec.json.decode(body, type=PlanRequest).plan()
            except ValueError as error:
                return _json(400, {"message": str(error)})
            return _json(200, {})
    return _json(404, {"message": "there are /control/counts, /control/served, /control/reset and /control/plan"})


def _counts(upstream: FaultyUpstream) -> dict[str, object]:
    complete = [served for served in upstream.served if served.is_complete]
    return {
        "calls": len(upstream.served),
        "complete": len(complete),
        "input_tokens": sum(served.input_tokens for served in upstream.served),
        "output_tokens": sum(served.output_tokens for served in upstream.served),
        "faults": dict(upstream.faults),
        "open_connections": upstream.open_connections,
    }


def _json(status: int, told: dict[str, object]) -> bytes:
    body = msgspec.json.encode(told)
    reason = b"OK" if status == 200 else b"Refused"
    return b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        reason,
        len(body),
        body,
    )

"""All of it: start, ask, wait until the books are complete, judge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import msgspec
import uvloop

from qwenport.core.clock import SystemClock
from qwenport.testing.failover.caller import Seen, play
from qwenport.testing.failover.ground import MODEL, Ground, Order, running_ground
from qwenport.testing.failover.judge import Booked, Evidence, Ledger, Report, judge
from qwenport.testing.faulty_upstream import SURVIVABLE, Fault

PLAYED = tuple(sorted(SURVIVABLE | {Fault.STATUS_404}))
"""What is played where nothing else is asked for: not 400, 401 and 403, after which a call ends, nor an account that is
used up, which is left alone for minutes."""
_SETTLE_S = 30.0
_CLOCK = SystemClock()


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What was played, how long the calls took, and what came of it."""

    order: Order
    seconds: float
    open_connections: int
    """To the upstreams, after all calls; no more than what is kept for the next ones."""
    report: Report


def run(order: Order) -> Played:
    """Play an order on a ground of its own; raises `StartFailed`."""
    with running_ground(order) as ground:
        began = _CLOCK.monotonic()
        seen = uvloop.run(_played(ground, order))
        seconds = _CLOCK.monotonic() - began
        evidence = Evidence(
            seen=seen,
            served=[ground.served(number) for number in range(len(ground.upstream_ports))],
            booked=list(booked(ground)),
            ledger=settled(ground),
        )
        return Played(
            order=order,
            seconds=round(seconds, 1),
            open_connections=ground.open_connections(),
            report=judge(evidence),
        )


async def _played(ground: Ground, order: Order) -> list[Seen]:
    async with asyncio.timeout(3600):
        return await play(("127.0.0.1", ground.port), ground.key, model=MODEL, calls=order.calls, at_once=order.at_once)


def settled(ground: Ground) -> Ledger:
    """Return what the check of the books says, once nothing is under way any more; it tells where something stays."""
    deadline = _CLOCK.monotonic() + _SETTLE_S
    while True:
        found = msgspec.json.decode(ground.operator("/ledger/check"), type=Ledger)
        if not (found.open_holds or found.unposted) or _CLOCK.monotonic() > deadline:
            return found
        time.sleep(0.1)


def booked(ground: Ground) -> Iterator[Booked]:
    """Yield every call of the books."""
    settled(ground)
    decoder = msgspec.json.Decoder(Booked)
    for line in ground.operator("/calls/export", format="ndjson").splitlines():
        yield decoder.decode(line)

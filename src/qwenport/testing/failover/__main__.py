"""Prints what came of an order as JSON; the exit code is 1 where something was lost or billed wrongly."""

from __future__ import annotations

import argparse
import signal
import sys

import msgspec

from qwenport.testing.failover.ground import Order
from qwenport.testing.failover.run import PLAYED, run
from qwenport.testing.faulty_upstream import Fault


def main() -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(prog="python -m qwenport.testing.failover", description=__doc__)
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help=f"which faults, with commas between; {', '.join(Fault)}")
    parser.add_argument("--first-percent", type=float, default=30.0)
    parser.add_argument("--second-percent", type=float, default=5.0)
    parser.add_argument("--event-s", type=float, default=2.0)
    parser.add_argument("--no-breaker", action="store_true")
    asked = parser.parse_args()
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    played = run(
        Order(
            calls=asked.calls,
            at_once=asked.at_once,
            seed=asked.seed,
            first_percent=asked.first_percent,
            second_percent=asked.second_percent,
            faults=tuple(map(Fault, asked.only.split(","))) if asked.only else PLAYED,
            event_s=asked.event_s,
            breaker=not asked.no_breaker,
        )
    )
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(played)).decode() + "\n")
    return 1 if played.report.findings else 0


if __name__ == "__main__":
    sys.exit(main())

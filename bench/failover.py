"""Calls before upstreams that fail: how many are answered, what failover adds to the slowest, what the books say.

A gateway as `qwenport serve` starts it, with SQLite and one worker, and two upstreams as processes of their own. It is
played twice: with the circuit breaker, which soon sends most calls to the better upstream, and without it, so that
every call meets the worse one first.
"""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.machine import Machine, describe
from bench.written import write_down
from qwenport.testing.failover import PLAYED, Order, Played, run

GOAL_PERCENT = 99.9
OUT = Console(soft_wrap=True, highlight=False)


class Result(Struct, frozen=True, kw_only=True):
    """One run."""

    date: str
    command: str
    machine: Machine
    goal_percent: float
    with_breaker: Played
    without_breaker: Played

    @property
    def is_met(self) -> bool:
        """Tell whether enough calls were answered, and every one was billed once and rightly."""
        return all(is_good(played) for played in (self.with_breaker, self.without_breaker))


def is_good(played: Played) -> bool:
    """Tell whether the goal is met."""
    report = played.report
    answered = min(report.whole.answered_percent, report.streams.begun_percent)
    return answered >= GOAL_PERCENT and not report.billed_twice and not report.findings


def main() -> int:
    """Play, show and write down; the exit code is 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.failover", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file for the result; default: bench/results/<date>-<machine>-…json")
    asked = parser.parse_args()
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plays = [
        run(Order(calls=asked.calls, seed=asked.seed, faults=PLAYED, breaker=breaker)) for breaker in (True, False)
    ]
    result = Result(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=f"python -m bench.failover --calls {asked.calls} --seed {asked.seed}",
        machine=describe(),
        goal_percent=GOAL_PERCENT,
        with_breaker=plays[0],
        without_breaker=plays[1],
    )
    show(result)
    OUT.print(f"written to {write_down(result, 'failover', asked.out)}", markup=False)
    return 0 if result.is_met else 1


def show(result: Result) -> None:
    """Print the figures."""
    table = Table("", "with breaker", "without", title=f"{result.with_breaker.order.calls:,} calls")
    plays = (result.with_breaker, result.without_breaker)
    reports = [played.report for played in plays]
    rows: dict[str, list[object]] = {
        "calls a second": [round(played.report.calls / played.seconds) for played in plays],
        "tries at the first and the second upstream": [" + ".join(map(str, report.tries)) for report in reports],
        f"whole calls answered, % (goal {GOAL_PERCENT})": [report.whole.answered_percent for report in reports],
        f"streams begun, % (goal {GOAL_PERCENT})": [report.streams.begun_percent for report in reports],
        "streams that broke after their begin": [report.streams.broke_midway for report in reports],
        "calls tried more than once": [report.tried_more_than_once for report in reports],
        "added p99 of failover, whole calls, ms": [report.whole_latency.added_p99_ms for report in reports],
        "added p99 of failover, first byte of streams, ms": [report.stream_latency.added_p99_ms for report in reports],
        "longest call, s": [report.longest_s for report in reports],
        "billed": [report.billed for report in reports],
        "billed twice": [report.billed_twice for report in reports],
        "lost or billed wrongly": [len(report.findings) for report in reports],
    }
    for name, values in rows.items():
        table.add_row(name, *map(str, values))
    OUT.print(table)
    for report in reports:
        for finding in report.findings[:10]:
            OUT.print(finding, markup=False)


if __name__ == "__main__":
    sys.exit(main())

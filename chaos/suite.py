"""The command: so many schedules from a seed, on SQLite or PostgreSQL; exit code 1 where anything was found."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from chaos.run import Tale, play_all
from chaos.schedule import draw
from chaos.world import World
from qwenport.testing.failover import PLAYED, Order, run
from qwenport.testing.postgres import PostgresServer

OF_ONE_WORLD = 25
"""Schedules that share a data directory; then a new one begins, so that the checks stay short."""
MOST_FINDINGS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Play schedules and report; return the exit code."""
    asked = _parser().parse_args(arguments)
    print(f"seed {asked.seed}: {asked.schedules:,} schedules on {asked.database}", flush=True)
    # Failing engines, full disks and refused posts are what this is about; each would write a line.
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    if asked.database == "postgresql":
        with PostgresServer() as server:
            tale = _play(asked.seed, asked.schedules, server)
    else:
        tale = _play(asked.seed, asked.schedules, None)
    print(_words(tale, time.monotonic() - began))
    if asked.database == "sqlite" and asked.upstream_calls:
        tale.findings += _play_upstreams(asked.seed, asked.upstream_calls)
    for finding in tale.findings[:MOST_FINDINGS]:
        print(f"FOUND {finding}")
    return 1 if tale.findings else 0


def _play(seed: int, number: int, server: PostgresServer | None) -> Tale:
    tale = Tale()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for first in range(0, number, OF_ONE_WORLD):
            schedules = [draw(seed, each) for each in range(first, min(first + OF_ONE_WORLD, number))]
            with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
                place = Path(folder) / "qwenport.db" if server is None else server.database()
                runner.run(play_all(World(Path(folder), place), schedules, tale))
            if len(tale.findings) >= MOST_FINDINGS:
                break
    return tale


def _play_upstreams(seed: int, calls: int) -> Sequence[str]:
    """Play calls before whole upstreams that fail, and tell of them; return what is wrong."""
    played = run(Order(calls=calls, seed=seed, faults=PLAYED, event_s=1.0, breaker=bool(seed % 2)))
    report = played.report
    print(
        f"{calls:,} calls before upstreams that fail in {played.seconds:.0f} s: "
        f"{report.whole.answered_percent:g} % of whole calls were answered, {report.streams.begun_percent:g} % of "
        f"streams begun, {report.tried_more_than_once:,} tried more than once, {report.billed_twice:,} billed twice"
    )
    return report.findings


def _words(tale: Tale, seconds: float) -> str:
    statuses = ", ".join(f"{times:,} x {status or 'left'}" for status, times in sorted(tale.statuses.items()))
    storms = ", ".join(f"{times:,} x {storm}" for storm, times in sorted(tale.storms.items()))
    return (
        f"{tale.schedules:,} schedules, {tale.calls:,} calls in {seconds:.0f} s ({statuses}; {storms}); "
        f"{tale.posted:,} had consumed something, {tale.recovered:,} were answered by a further try, "
        f"the books balanced {'each time' if not tale.findings else 'NOT'}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**8))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--upstream-calls", type=int, default=5_000, help="calls before upstreams that fail; SQLite")
    return parser

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


def _words(tale: Tale, seconds: float) -> str:
    statuses = ", ".join(f"{times:,} x {status or 'left'}" for status, times in sorted(tale.statuses.items()))
    storms = ", ".join(f"{times:,} x {storm}" for storm, times in sorted(tale.storms.items()))
    return (
        f"{tale.schedules:,} schedules, {tale.calls:,} calls in {seconds:.0f} s ({statuses}; {storms}); "
        f"{tale.posted:,} had consumed something, the books balanced {'each time' if not tale.findings else 'NOT'}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**8))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    return parser

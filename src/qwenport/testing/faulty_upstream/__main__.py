"""Runs the faulty upstream as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys

import uvloop

from qwenport.testing.faulty_upstream.faults import SURVIVABLE, Fault, FaultPlan
from qwenport.testing.faulty_upstream.manner import Latency, Manner
from qwenport.testing.faulty_upstream.server import FaultyUpstream


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m qwenport.testing.faulty_upstream",
        description="An OpenAI-compatible server whose answers suffer from faults.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, which is printed")
    parser.add_argument("--faults", type=float, default=0.0, help="calls of a hundred that suffer")
    parser.add_argument("--only", default="", help=f"which faults, with commas between; {', '.join(Fault)}")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same faults in the same order")
    parser.add_argument("--models", default="faulty", help="names that are listed; any name is answered")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="median before the head of every answer")
    parser.add_argument("--latency-sigma", type=float, default=0.0, help="spread of a lognormal latency; 0 for none")
    parser.add_argument("--pause-ms", type=float, default=0.0, help="after each chunk of a stream")
    parser.add_argument("--tokens", type=int, default=Manner().tokens, help="of answers whose requests set no number")
    parser.add_argument("--key", default="", help="what must be shown as bearer; empty takes everybody")
    return parser.parse_args()


def _upstream(arguments: argparse.Namespace) -> FaultyUpstream:
    faults = [Fault(name) for name in arguments.only.split(",")] if arguments.only else SURVIVABLE
    manner = Manner(
        latency=Latency(median_s=arguments.latency_ms / 1000, sigma=arguments.latency_sigma),
        between_chunks_s=arguments.pause_ms / 1000,
        tokens=arguments.tokens,
        key=arguments.key,
    )
    plan = FaultPlan.evenly(arguments.faults / 100, faults, seed=arguments.seed)
    return FaultyUpstream(plan, manner=manner, models=tuple(arguments.models.split(",")), seed=arguments.seed)


async def _listen(upstream: FaultyUpstream, port: int) -> None:
    async with upstream.listening(port=port) as taken:
        sys.stdout.write(f"http://127.0.0.1:{taken}/v1\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted."""
    arguments = _arguments()
    try:
        uvloop.run(_listen(_upstream(arguments), arguments.port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()

"""The whole run: command line, the four ways of asking, and the report."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import uvloop

from fuzz.engine import Engines
from fuzz.gateway import fuzzed_gateway
from fuzz.run import Outcome, Run
from fuzz.shrunk import faults_of_decoders
from fuzz.sockets import ask_by_schema, background_gateway
from qwenport.faces.face import Face
from qwenport.faces.registry import FACES
from qwenport.server.openapi import openapi_document

MOST_SHOWN = 20
GUIDED_SHARE = 2
"""Bodies that follow coverage, for each mutated request: they cost a hundredth of one."""
SOCKET_SHARE = 100
"""One request by the schema, over a socket, for so many mutated ones: it costs fifty of them."""
SHRUNK_SHARE = 50
GUIDED_S = 600


def main() -> int:
    """Run what the command line asks for; returns 1 where anything was found."""
    logging.disable(logging.CRITICAL)  # a line for each request would be most of the work
    options = _options()
    print(f"seed {options.seed}: again with `make fuzz SEED={options.seed}`", flush=True)
    found = 0
    for face in FACES:
        if options.face in {None, face.name}:
            for part in _parts(options):
                words, findings = part(face, options.seed)
                print(f"{face.name}: {words}, {len(findings)} findings", flush=True)
                for finding in findings[:MOST_SHOWN]:
                    print(f"FOUND {finding}", file=sys.stderr, flush=True)
                found += len(findings)
    return 1 if found else 0


Part = Callable[[Face, int], tuple[str, list[str]]]
"""Asks one face in one way; returns what was done, in words, and what was found."""


def _parts(options: argparse.Namespace) -> Iterator[Part]:
    requests: int = options.requests
    if options.only is not None:
        yield lambda face, seed: _mutated(face, seed, [options.only])
        return
    yield lambda face, seed: _mutated(face, seed, range(requests))
    yield lambda face, seed: _by_schema(face, seed, requests // SOCKET_SHARE)
    yield lambda face, seed: _shrunk(face, seed, requests // SHRUNK_SHARE)
    yield lambda face, seed: _guided(face, seed, requests * GUIDED_SHARE)


def _mutated(face: Face, seed: int, numbers: Sequence[int]) -> tuple[str, list[str]]:
    async def run(folder: Path) -> Outcome:
        engines = Engines(seed)
        async with fuzzed_gateway(folder, engines) as gateway:
            return await Run(face, seed, gateway, engines)(numbers)

    with tempfile.TemporaryDirectory(prefix="qwenport-fuzz-") as folder:
        outcome = uvloop.run(run(Path(folder)))
    return str(outcome), outcome.findings


def _by_schema(face: Face, seed: int, cases: int) -> tuple[str, list[str]]:
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="qwenport-fuzz-") as folder,
        background_gateway(Path(folder), seed) as background,
    ):
        outcome = ask_by_schema(face, openapi_document(FACES), background, seed, cases)
        calls = len(background.engines.ran)
    words = f"{outcome.statuses.total():,} requests by the schema over sockets in {time.monotonic() - began:.0f} s"
    return f"{words}, {calls:,} calls of engines", outcome.findings


def _shrunk(face: Face, seed: int, examples: int) -> tuple[str, list[str]]:
    return f"{examples:,} bodies by hypothesis", faults_of_decoders(face, seed, examples)


def _guided(face: Face, seed: int, runs: int) -> tuple[str, list[str]]:
    if importlib.util.find_spec("atheris") is None:
        return "no bodies by coverage, because atheris is not installed for this Python", []
    with tempfile.TemporaryDirectory(prefix="qwenport-fuzz-") as folder:
        ended = subprocess.run(
            [sys.executable, "-m", "fuzz.guided", face.name, folder, f"-runs={runs}", f"-seed={seed % 2**32}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=GUIDED_S,
        )
    told = "\n".join(line for line in ended.stdout.splitlines() if not line.startswith(("INFO", "#")))
    return f"{runs:,} bodies by coverage", [] if ended.returncode == 0 else [told[-4000:]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many mutated requests to each face")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="what the requests follow from")
    parser.add_argument("--face", choices=[face.name for face in FACES], help="only this face")
    parser.add_argument("--only", type=int, help="only the mutated request of this number")
    return parser.parse_args()

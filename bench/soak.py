"""`make soak`: streams and whole calls mixed, for an hour, at 70 % of what the gateway can do; does anything grow?

The gateway runs as in `make bench`, with keys, limits and ledger on, and passes everything to the fake upstream. First
both kinds of load are measured at full speed by themselves; then half of 70 % of each goes on together, evenly paced,
with new connections every 30 seconds. After each such part memory, open files, sockets and tasks are looked at; after
the last one the gateway is left alone until its connections have had time to go.
Run as `python -m bench.soak --minutes 60`. It exits with 1 when a call failed or something has grown.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import msgspec
from msgspec import Struct

from bench.figures import MAIN, STREAMS
from bench.gateway import MODEL, Gateway, serving
from bench.goals import MIB
from bench.load import Load, LoadOrder
from bench.machine import Machine, describe
from bench.places import STREAM_TOKENS, WHOLE_TOKENS, Cell, run_load
from bench.processes import anonymous_bytes, free_port, pinned, python, resident_bytes, running, wait_for_port
from bench.written import write_down

SHARE = 0.7
PART_S = 30.0
SETTLED_S = 600.0
"""Time after which memory may not grow any more."""
MOST_GROWTH_MIB = 1.0
"""An hour."""
_CALM_S = 25.0
"""Idle connections to an upstream are kept for 15 s, those of clients for 5."""
_SPARE_FILES = 16
"""Connections to the database and files of the journal come and go."""


class Sample(Struct, frozen=True, kw_only=True):
    """What the worker held at one moment."""

    seconds: float
    """Since the load began."""
    resident_bytes: int
    anonymous_bytes: int
    """Without the pages of files, which the kernel drops and reads again at will."""
    files: int
    """Open files and sockets together."""
    sockets: int
    tasks: int
    """Of the event loop, as the worker itself counts them."""
    threads: int


class SoakResult(Struct, frozen=True, kw_only=True):
    """One soak."""

    date: str
    machine: Machine
    minutes: float
    saturation_calls_a_second: float
    """Whole calls alone, 32 at a time."""
    saturation_streams_a_second: float
    """Streams alone, 16 at a time."""
    calls: int
    streams: int
    chunks: int
    faults: int
    """Calls that failed or were wrong, chunks lost, doubled or misplaced."""
    whole_p99_ms: float
    """Median of the parts."""
    first_p99_ms: float
    """Until a stream's first chunk: median of the parts."""
    before: Sample
    samples: tuple[Sample, ...]
    after: Sample
    """Once nothing ran any more."""
    growth_mib_an_hour: float
    """Of anonymous memory: slope of the straight line through the samples after ten minutes, or after the first third
    of a shorter soak."""
    measured_after_s: float
    problems: tuple[str, ...]


class Soak:
    """One gateway under an even load."""

    def __init__(self, gateway: Gateway, core: int) -> None:
        self._gateway = gateway
        self._core = core
        self._began = time.monotonic()

    def saturation(self, cell: Cell, seconds: float) -> float:
        """Return the calls a second of one kind of load alone."""
        load = run_load(self._order(cell, seconds, 0.0), self._core)
        return load.calls / load.seconds

    def part(self, rates: Sequence[float], seconds: float) -> tuple[Load, Load]:
        """Send both kinds of load at their rates, for so long."""
        orders = [self._order(cell, seconds, rate) for cell, rate in zip((MAIN, STREAMS), rates, strict=True)]
        with ThreadPoolExecutor(len(orders)) as threads:
            whole, streams = threads.map(lambda order: run_load(order, self._core), orders)
        return whole, streams

    def begin(self) -> None:
        """Count the time from now on."""
        self._began = time.monotonic()

    def sample(self) -> Sample:
        """Look at the worker."""
        process = Path(f"/proc/{self._gateway.worker}")
        files = [_target(each) for each in (process / "fd").iterdir()]
        return Sample(
            seconds=round(time.monotonic() - self._began, 1),
            resident_bytes=resident_bytes(self._gateway.worker),
            anonymous_bytes=anonymous_bytes(self._gateway.worker),
            files=len(files),
            sockets=sum(each.startswith("socket:") for each in files),
            tasks=round(_metric(self._gateway, "qwenport_gateway_tasks")),
            threads=len(list((process / "task").iterdir())),
        )

    def _order(self, cell: Cell, seconds: float, rate: float) -> LoadOrder:
        return LoadOrder(
            port=self._gateway.port,
            path="/v1/chat/completions",
            key=self._gateway.key,
            model=MODEL,
            streams=cell.streams,
            tokens=STREAM_TOKENS if cell.streams else WHOLE_TOKENS,
            concurrency=cell.concurrency,
            seconds=seconds,
            body_bytes=1000 * cell.body_kib,
            calls_a_second=rate,
        )


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""  # it was closed while we looked


def _metric(gateway: Gateway, name: str) -> float:
    """Return a gauge of the worker, read on the operator's own port."""
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.port}/metrics", headers=gateway.operator_headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        lines = answer.read().decode().splitlines()
    values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
    return values[0] if values else 0.0


def slope_an_hour(samples: Sequence[Sample]) -> float:
    """Return how many bytes an hour the straight line through the samples rises; 0.0 for fewer than two."""
    if len(samples) < 2:
        return 0.0
    middle_s = fmean(each.seconds for each in samples)
    middle = fmean(each.anonymous_bytes for each in samples)
    spread = sum((each.seconds - middle_s) ** 2 for each in samples)
    rise = sum((each.seconds - middle_s) * (each.anonymous_bytes - middle) for each in samples)
    return 3600 * rise / spread if spread else 0.0


def problems_of(found: SoakResult) -> tuple[str, ...]:
    """Return in words what was not as it has to be."""
    leaks = {
        "open files": (found.before.files, found.after.files),
        "sockets": (found.before.sockets, found.after.sockets),
        "tasks": (found.before.tasks, found.after.tasks),
        "threads": (found.before.threads, found.after.threads),
    }
    spare = {"open files": _SPARE_FILES, "threads": _SPARE_FILES}
    problems = [f"{found.faults} faults"] * bool(found.faults)
    problems += [
        f"{name}: {before} before, {after} after"
        for name, (before, after) in leaks.items()
        if after > before + spare.get(name, 0)
    ]
    if found.measured_after_s >= SETTLED_S and found.growth_mib_an_hour >= MOST_GROWTH_MIB:
        problems.append(f"memory grows by {found.growth_mib_an_hour:.2f} MiB an hour")
    return tuple(problems)


def soak(minutes: float, cores: tuple[int, int], say: Callable[[str], None]) -> SoakResult:
    """Run one soak."""
    server, load = cores
    with tempfile.TemporaryDirectory(prefix="qwenport-soak-") as place, ExitStack() as stack:
        folder = Path(place)
        (folder / "models").mkdir()
        upstream, log = free_port(), folder / "host.log"
        host = stack.enter_context(running(pinned(load, python("bench.fake_upstream", str(upstream))), log))
        wait_for_port(upstream, host, log)
        gateway = stack.enter_context(
            serving(folder / "server", core=server, models_dir=folder / "models", upstream_port=upstream)
        )
        return _soaked(Soak(gateway, load), minutes, say)


def _soaked(soaking: Soak, minutes: float, say: Callable[[str], None]) -> SoakResult:
    moment = datetime.now(UTC)
    saturation = [soaking.saturation(cell, 5.0) for cell in (MAIN, STREAMS)]
    say(f"saturation: {saturation[0]:,.0f} whole calls a second, or {saturation[1]:,.0f} streams")
    time.sleep(_CALM_S)
    soaking.begin()
    before, samples, parts = soaking.sample(), list[Sample](), list[tuple[Load, Load]]()
    while samples[-1].seconds < 60 * minutes if samples else True:
        parts.append(soaking.part([SHARE / 2 * rate for rate in saturation], min(PART_S, 60 * minutes)))
        samples.append(soaking.sample())
        say(_line(samples[-1], parts[-1]))
    time.sleep(_CALM_S)
    after_s = min(SETTLED_S, 20 * minutes)
    found = SoakResult(
        date=moment.isoformat(timespec="seconds"),
        machine=describe(),
        minutes=minutes,
        saturation_calls_a_second=saturation[0],
        saturation_streams_a_second=saturation[1],
        calls=sum(whole.calls for whole, _ in parts),
        streams=sum(streams.calls for _, streams in parts),
        chunks=sum(streams.pieces for _, streams in parts),
        faults=sum(_faults(each) for part in parts for each in part),
        whole_p99_ms=fmean(whole.p99_ms for whole, _ in parts),
        first_p99_ms=fmean(streams.first_p99_ms for _, streams in parts),
        before=before,
        samples=tuple(samples),
        after=soaking.sample(),
        growth_mib_an_hour=slope_an_hour([each for each in samples if each.seconds >= after_s]) / MIB,
        measured_after_s=after_s,
        problems=(),
    )
    return msgspec.structs.replace(found, problems=problems_of(found))


def _faults(load: Load) -> int:
    return load.failed + load.wrong + load.lost + load.doubled + load.misplaced


def _line(sample: Sample, part: tuple[Load, Load]) -> str:
    whole, streams = part
    return (
        f"{sample.seconds:7.0f} s: {sample.resident_bytes / MIB:6.1f} MiB, "
        f"{sample.anonymous_bytes / MIB:.1f} of them anonymous, {sample.files} files, {sample.sockets} "
        f"sockets, {sample.tasks} tasks; {whole.calls} calls, p99 {whole.p99_ms:.1f} ms, {streams.calls} streams, "
        f"faults {_faults(whole) + _faults(streams)}"
    )


def main() -> int:
    """Read the command line, soak, say what was found."""
    parser = argparse.ArgumentParser(prog="soak", description="Look whether anything grows under an even load.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--out", type=Path, help="file for the result; default: bench/results/<date>-<machine>-soak.json"
    )
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("a soak needs two cores: one for the server, one for the load")
        return 2
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = soak(arguments.minutes, (cores[0], cores[1]), lambda line: print(line, flush=True))
    path = write_down(found, "soak", arguments.out)
    print(f"{found.calls:,} calls, {found.streams:,} streams, {found.chunks:,} chunks, {found.faults} faults")
    print(f"memory: {found.growth_mib_an_hour:+.2f} MiB an hour after {found.measured_after_s:.0f} s")
    print(f"after the load: {found.after}\nbefore: {found.before}")
    print("problems: " + ("; ".join(found.problems) or "none") + f"\nwritten to {path}")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())

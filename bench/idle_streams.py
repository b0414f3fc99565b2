"""10,000 streams that are open and say nothing, on one worker: what do they hold in memory?

The fake upstream sends each stream one piece and then nothing; the gateway keeps it alive with comments. Worker and
supervisor have one core, load and upstream the other. Every process may open as many files as the system lets it, and
two connections a stream are needed in the worker: `ulimit -n` is told in the result.
Run as `python -m bench.idle_streams`. It exits with 1 when a stream was lost or the worker holds more than 1 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from bench.answers import pieces
from bench.gateway import MODEL, Gateway, serving
from bench.goals import MIB
from bench.load import LoadOrder, request_bytes
from bench.machine import Machine, describe
from bench.processes import ROOT, cpu_seconds, free_port, pinned, python, resident_bytes, running, wait_for_port
from bench.written import write_down

STREAMS = 10_000
MOST_BYTES = 1_000_000_000
WANTED_FILES = 65_536
_AT_ONCE = 100
_OPEN_S = 300.0
_GONE_S = 60.0
_PIECE = pieces(1)[0]
_COMMENT = b": keep-alive"


class HeldOrder(Struct, frozen=True, kw_only=True):
    """What the load side has to do."""

    port: int
    key: str
    streams: int
    hold_s: float


class Held(Struct, frozen=True, kw_only=True):
    """What the load side saw."""

    opened: int
    """Streams whose one piece came."""
    lost: int
    """Those that ended before they were told to."""
    comments: int
    """Keep-alive comments, of all streams together, while all were open."""
    open_s: float
    """Until the last one had its piece."""


class IdleResult(Struct, frozen=True, kw_only=True):
    """One run."""

    date: str
    machine: Machine
    open_files_limit: int
    """`ulimit -n` of all processes."""
    streams: int
    hold_s: float
    held: Held
    idle_bytes: int
    """Resident memory of the worker before the first stream."""
    open_bytes: int
    """With all of them open, at the end of the hold."""
    closed_bytes: int
    """After all had gone."""
    bytes_a_stream: int
    hold_cpu_share: float
    """Share of its core that the worker used while all streams were open and silent."""
    files_before: int
    files_open: int
    files_after: int


class _Stream(asyncio.Protocol):
    """One open stream."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._seen = b""
        self.comments = 0
        self.first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.is_open = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio tells why
        """Note that it is gone."""
        self.is_open = False
        if not self.first.done():
            self.first.set_result(False)

    def data_received(self, data: bytes) -> None:
        """Wait for the piece, then count comments."""
        self.comments += data.count(_COMMENT)
        if self.first.done():
            return
        self._seen += data
        if _PIECE in self._seen:
            self.is_open = True
            self.first.set_result(True)
            self._seen = b""


async def hold(order: HeldOrder) -> Held:
    """Open all streams, tell by a line on standard output, hold them, count."""
    loop, began = asyncio.get_running_loop(), time.monotonic()
    request = request_bytes(
        LoadOrder(
            port=order.port,
            path="/v1/chat/completions",
            key=order.key,
            model=MODEL,
            streams=True,
            tokens=1,
            concurrency=1,
            seconds=0,
        )
    )
    streams: list[_Stream] = []
    while len(streams) < order.streams:
        wanted = min(_AT_ONCE, order.streams - len(streams))
        some = [
            (await loop.create_connection(lambda: _Stream(request), "127.0.0.1", order.port))[1] for _ in range(wanted)
        ]
        async with asyncio.timeout(_OPEN_S):
            await asyncio.gather(*(each.first for each in some))
        streams += some
    open_s, opened = time.monotonic() - began, sum(each.is_open for each in streams)
    before = sum(each.comments for each in streams)
    print("open", flush=True)
    await asyncio.sleep(order.hold_s)
    kept = sum(each.is_open for each in streams)
    comments = sum(each.comments for each in streams) - before
    print(msgspec.json.encode(Held(opened=opened, lost=opened - kept, comments=comments, open_s=open_s)).decode())
    sys.stdout.flush()
    sys.stdin.readline()  # what holds the streams is this process; it ends when it is told to
    return Held(opened=opened, lost=opened - kept, comments=comments, open_s=open_s)


def raise_limit() -> int:
    """Let this process and its children open as many files as the system allows; return how many those are."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, WANTED_FILES), max(most, WANTED_FILES)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def run(streams: int, hold_s: float, cores: tuple[int, int]) -> IdleResult:
    """Open the streams, look at the worker, let them go."""
    limit = raise_limit()
    server, load = cores
    with tempfile.TemporaryDirectory(prefix="qwenport-idle-") as place, ExitStack() as stack:
        folder = Path(place)
        (folder / "models").mkdir()
        upstream, log = free_port(), folder / "host.log"
        command = pinned(load, python("bench.fake_upstream", str(upstream), "--hold"))
        wait_for_port(upstream, stack.enter_context(running(command, log)), log)
        gateway = stack.enter_context(
            serving(folder / "server", core=server, models_dir=folder / "models", upstream_port=upstream)
        )
        return _held(gateway, streams, hold_s, limit, load)


def _held(gateway: Gateway, streams: int, hold_s: float, limit: int, core: int) -> IdleResult:
    worker, began = gateway.worker, time.gmtime()
    files, idle = _files(worker), resident_bytes(worker)
    order = HeldOrder(port=gateway.port, key=gateway.key, streams=streams, hold_s=hold_s)
    command = pinned(core, python("bench.idle_streams", "--order", msgspec.json.encode(order).decode()))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        if process.stdout.readline() != b"open\n":
            raise SystemExit("the streams could not be opened; the load side said why")
        cpu, moment = cpu_seconds(worker), time.monotonic()
        held = msgspec.json.decode(process.stdout.readline(), type=Held)
        share = (cpu_seconds(worker) - cpu) / (time.monotonic() - moment)
        full, files_open = resident_bytes(worker), _files(worker)
        process.stdin.close()
    deadline = time.monotonic() + _GONE_S
    while _files(worker) > files + 16 and time.monotonic() < deadline:
        time.sleep(0.2)
    return IdleResult(
        date=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", began),
        machine=describe(),
        open_files_limit=limit,
        streams=streams,
        hold_s=hold_s,
        held=held,
        idle_bytes=idle,
        open_bytes=full,
        closed_bytes=resident_bytes(worker),
        bytes_a_stream=(full - idle) // streams,
        hold_cpu_share=share,
        files_before=files,
        files_open=files_open,
        files_after=_files(worker),
    )


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def main() -> int:
    """Read the command line, run, say what was found."""
    parser = argparse.ArgumentParser(prog="idle_streams", description="Hold many silent streams open on one worker.")
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--hold-s", type=float, default=40.0)
    parser.add_argument(
        "--out", type=Path, help="file for the result; default: bench/results/<date>-<machine>-idle.json"
    )
    parser.add_argument("--order", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.order:
        raise_limit()
        uvloop.run(hold(msgspec.json.decode(arguments.order, type=HeldOrder)))
        return 0
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = sorted(os.sched_getaffinity(0))
    found = run(arguments.streams, arguments.hold_s, (cores[0], cores[-1]))
    path = write_down(found, "idle", arguments.out)
    held = found.held
    print(
        f"{held.opened:,} of {found.streams:,} streams open after {held.open_s:.0f} s, {held.lost} lost, "
        f"{held.comments:,} keep-alive comments in {found.hold_s:.0f} s; `ulimit -n` {found.open_files_limit:,}\n"
        f"worker: {found.idle_bytes / MIB:.0f} MiB before, {found.open_bytes / MIB:.0f} MiB with all of them open "
        f"({found.bytes_a_stream:,} bytes a stream), {found.closed_bytes / MIB:.0f} MiB after; "
        f"{100 * found.hold_cpu_share:.0f} % of its core meanwhile\n"
        f"open files: {found.files_before} before, {found.files_open:,} meanwhile, {found.files_after} after\n"
        f"written to {path}"
    )
    good = found.held.opened == found.streams and not found.held.lost and found.open_bytes <= MOST_BYTES
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

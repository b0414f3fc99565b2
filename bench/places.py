"""The measurements of one place: the bare upstream, or nginx, Qwenport or another gateway before it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bench import wrk
from bench.load import Load, LoadOrder
from bench.processes import cpu_seconds, pinned, python, resident_bytes

_T = TypeVar("_T")

STREAM_TOKENS = 100
_REST_S = 15.0
_LOOK_S = 0.2
_IDLE_SHARE = 0.15
WHOLE_TOKENS = 10


class Cell(Struct, frozen=True, kw_only=True):
    """One kind of load."""

    streams: bool
    concurrency: int
    body_kib: int = 1
    """Length of a request's body, in units of 1,000 bytes."""


class Timed(Struct, frozen=True, kw_only=True):
    """One kind of load and for how long it lasts."""

    cell: Cell
    seconds: float


class Plan(Struct, frozen=True, kw_only=True):
    """What is measured for how long, and how often all of it is repeated."""

    rounds: int
    rival_rounds: int
    """In so many of the rounds other gateways take part, which are far slower than the rest."""
    warm_up_s: float
    """Of each place before the first round, by each kind of call."""
    cells: tuple[Timed, ...]
    gate_rounds: int
    engine_pairs: int
    engine_tokens: int
    engine_s: float
    """No further pair of measurements of the engine begins after this time, half of it for each kind."""
    wire_rounds: int
    ledger_rounds: int


def _whole(concurrency: int, body_kib: int, seconds: float) -> Timed:
    return Timed(cell=Cell(streams=False, concurrency=concurrency, body_kib=body_kib), seconds=seconds)


def _streams(concurrency: int, seconds: float) -> Timed:
    return Timed(cell=Cell(streams=True, concurrency=concurrency), seconds=seconds)


FULL = Plan(
    rounds=3,
    rival_rounds=2,
    warm_up_s=2,
    cells=(
        _whole(1, 1, 3),
        _whole(1, 32, 2),
        _whole(1, 400, 2),
        _streams(1, 2),
        _whole(32, 1, 5),
        _whole(32, 32, 3),
        _whole(32, 400, 3),
        _streams(16, 4),
        _whole(256, 1, 3),
        _whole(256, 32, 3),
        _whole(256, 400, 3),
        _streams(256, 4),
    ),
    gate_rounds=60,
    engine_pairs=8,
    engine_tokens=128,
    engine_s=120,
    wire_rounds=40,
    ledger_rounds=10,
)
QUICK = Plan(
    rounds=1,
    rival_rounds=1,
    warm_up_s=0.3,
    cells=(
        _whole(1, 1, 0.7),
        _whole(32, 1, 2),
        _whole(32, 400, 1),
        _streams(16, 1),
    ),
    gate_rounds=6,
    engine_pairs=1,
    engine_tokens=32,
    engine_s=8,
    wire_rounds=4,
    ledger_rounds=1,
)


class Measured(Struct, frozen=True, kw_only=True):
    """One measurement and the processor time that it took."""

    cell: Cell
    load: Load
    by_wrk: bool
    """Whether wrk sent it: it looks at the status of an answer only, and breaks off what is under way at the end."""
    server_cpu_s: float
    """Of what is measured: nginx, or a gateway's process; of the direct way, of the fake upstream."""
    host_cpu_s: float
    """Of the fake upstream."""
    seconds: float


class Round(Struct, frozen=True, kw_only=True):
    """All measurements of one place, once."""

    place: str
    measured: tuple[Measured, ...]
    memory_after: int
    """Resident bytes of the server at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something that answers, and who pays for it."""

    name: str
    port: int
    pid: int
    host_pid: int
    model: str
    exact_key: str
    """For calls that the load generator counts to the last."""
    wrk_key: str
    """For calls by wrk, which breaks off those that are under way when time is up."""
    folder: Path
    generator_core: int
    warm_key: str = ""
    """For calls before any is measured."""
    headers: dict[str, str] = field(default_factory=dict)

    def warm_up(self, seconds: float) -> None:
        """Let the server import, compile and connect whatever its first calls make it."""
        for cell in (Cell(streams=False, concurrency=8), Cell(streams=True, concurrency=8)):
            run_load(self._order(cell, seconds, self.warm_key or self.exact_key), self.generator_core)

    def measure(self, plan: Plan) -> Round:
        """Do all measurements once."""
        measured = tuple(self.load(timed.cell, timed.seconds) for timed in plan.cells)
        return Round(place=self.name, measured=measured, memory_after=resident_bytes(self.pid))

    def load(self, cell: Cell, seconds: float) -> Measured:
        """Do one measurement, once the server has done what the one before has left it."""
        _rest(self.pid)
        by_wrk = not cell.streams and cell.concurrency > 1 and not wrk.reason_to_skip()
        order = self._order(cell, seconds, self.wrk_key if by_wrk else self.exact_key)
        work = self._by_wrk if by_wrk else self._exactly
        load, server, host, elapsed = self._watched(lambda: work(order))
        return Measured(cell=cell, load=load, by_wrk=by_wrk, server_cpu_s=server, host_cpu_s=host, seconds=elapsed)

    def _exactly(self, order: LoadOrder) -> Load:
        return run_load(order, self.generator_core)

    def _by_wrk(self, order: LoadOrder) -> Load:
        return as_load(wrk.run_wrk(order, self.folder, core=self.generator_core))

    def _watched(self, work: Callable[[], _T]) -> tuple[_T, float, float, float]:
        """Return the result, the processor seconds of server and host, and the seconds that it took."""
        server, host, began = cpu_seconds(self.pid), cpu_seconds(self.host_pid), time.monotonic()
        result = work()
        elapsed = time.monotonic() - began
        return result, cpu_seconds(self.pid) - server, cpu_seconds(self.host_pid) - host, elapsed

    def _order(self, cell: Cell, seconds: float, key: str) -> LoadOrder:
        return LoadOrder(
            port=self.port,
            path="/v1/chat/completions",
            key=key,
            model=self.model,
            streams=cell.streams,
            tokens=STREAM_TOKENS if cell.streams else WHOLE_TOKENS,
            concurrency=cell.concurrency,
            seconds=seconds,
            body_bytes=1000 * cell.body_kib,
            headers=self.headers,
        )


def _rest(pid: int) -> None:
    """Return when a process is idle; a gateway may still answer, or write down, what nobody waits for any more."""
    deadline = time.monotonic() + _REST_S
    while time.monotonic() < deadline:
        before = cpu_seconds(pid)
        time.sleep(_LOOK_S)
        if cpu_seconds(pid) - before <= _IDLE_SHARE * _LOOK_S:
            return


_NOTHING = Load(
    calls=0,
    failed=0,
    wrong=0,
    seconds=0.0,
    p50_ms=0.0,
    p99_ms=0.0,
    first_p50_ms=0.0,
    first_p99_ms=0.0,
    pieces=0,
    lost=0,
    doubled=0,
    misplaced=0,
    cpu_share=0.0,
)


def as_load(rate: wrk.Rate) -> Load:
    """Return what wrk counted in the words of the load generator."""
    seconds = rate.calls / rate.calls_a_second if rate.calls_a_second else 0.0
    return replace(
        _NOTHING, calls=rate.calls, failed=rate.failed, seconds=seconds, p50_ms=rate.p50_ms, p99_ms=rate.p99_ms
    )


def run_load(order: LoadOrder, core: int) -> Load:
    """Run the load generator as a process on its core.

    Raises:
        subprocess.CalledProcessError: it could not connect, or answers stayed out.
    """
    command = pinned(core, python("bench.load", msgspec.json.encode(order).decode()))
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=order.seconds + 120, check=True)
    return msgspec.json.decode(done.stdout, type=Load)

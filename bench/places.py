"""The measurements of one place: the bare host, nginx before it, or Qwenport before it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from bench import wrk
from bench.load import Load, LoadOrder
from bench.processes import cpu_seconds, pinned, python
from bench.wrk import Rate

_T = TypeVar("_T")

CONCURRENCY = 32
STREAM_TOKENS = 100
WHOLE_TOKENS = 10


class Plan(Struct, frozen=True, kw_only=True):
    """How long each measurement lasts and how often all of them are repeated."""

    rounds: int
    one_call_s: float
    one_stream_s: float
    full_speed_s: float
    streams_s: float
    gate_rounds: int
    engine_pairs: int
    engine_tokens: int
    engine_s: float
    """No further pair of measurements of the engine begins after this time, half of it for each kind."""
    wire_rounds: int = 0
    """0 in results from before the wire layer was measured by itself."""
    ledger_rounds: int = 0
    """0 in results from before the ledger's speed was measured."""


FULL = Plan(
    rounds=3,
    one_call_s=4,
    one_stream_s=3,
    full_speed_s=6,
    streams_s=6,
    gate_rounds=60,
    engine_pairs=8,
    engine_tokens=128,
    engine_s=160,
    wire_rounds=40,
    ledger_rounds=10,
)
QUICK = Plan(
    rounds=1,
    one_call_s=1,
    one_stream_s=1,
    full_speed_s=2,
    streams_s=2,
    gate_rounds=10,
    engine_pairs=2,
    engine_tokens=48,
    engine_s=16,
    wire_rounds=8,
    ledger_rounds=2,
)


class Measured(Struct, frozen=True, kw_only=True):
    """One measurement and the processor time that it took."""

    load: Load
    server_cpu_s: float
    """Of what is measured: nginx, or the gateway's worker; of the direct way, of the fake host."""
    host_cpu_s: float
    """Of the fake host."""
    seconds: float


class MeasuredRate(Struct, frozen=True, kw_only=True):
    """Like `Measured`, by wrk."""

    rate: Rate
    server_cpu_s: float
    host_cpu_s: float
    seconds: float


class Round(Struct, frozen=True, kw_only=True):
    """All measurements of one place, once."""

    place: str
    one_call: Measured
    """Answers in one piece, one after the other."""
    one_stream: Measured
    """Streams, one after the other."""
    full_speed: MeasuredRate
    """Answers in one piece, `CONCURRENCY` at a time."""
    streams: Measured
    """Streams, `CONCURRENCY` at a time."""


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

    def measure(self, plan: Plan) -> Round:
        """Do all measurements once."""
        return Round(
            place=self.name,
            one_call=self._load(streams=False, concurrency=1, seconds=plan.one_call_s),
            one_stream=self._load(streams=True, concurrency=1, seconds=plan.one_stream_s),
            full_speed=self._rate(plan.full_speed_s),
            streams=self._load(streams=True, concurrency=CONCURRENCY, seconds=plan.streams_s),
        )

    def _load(self, *, streams: bool, concurrency: int, seconds: float) -> Measured:
        order = self._order(self.exact_key, streams=streams, concurrency=concurrency, seconds=seconds)
        load, server, host, elapsed = self._watched(lambda: run_load(order, self.generator_core))
        return Measured(load=load, server_cpu_s=server, host_cpu_s=host, seconds=elapsed)

    def _rate(self, seconds: float) -> MeasuredRate:
        order = self._order(self.wrk_key, streams=False, concurrency=CONCURRENCY, seconds=seconds)
        rate, server, host, elapsed = self._watched(lambda: self._full_speed(order))
        return MeasuredRate(rate=rate, server_cpu_s=server, host_cpu_s=host, seconds=elapsed)

    def _full_speed(self, order: LoadOrder) -> Rate:
        if not wrk.reason_to_skip():
            return wrk.run_wrk(order, self.folder, core=self.generator_core)
        load = run_load(order, self.generator_core)
        failed = load.failed + load.wrong
        return Rate(calls=load.calls, failed=failed, calls_a_second=load.calls / load.seconds)

    def _watched(self, work: Callable[[], _T]) -> tuple[_T, float, float, float]:
        """Return the result, the processor seconds of server and host, and the seconds that it took."""
        server, host, began = cpu_seconds(self.pid), cpu_seconds(self.host_pid), time.monotonic()
        result = work()
        elapsed = time.monotonic() - began
        return result, cpu_seconds(self.pid) - server, cpu_seconds(self.host_pid) - host, elapsed

    def _order(self, key: str, *, streams: bool, concurrency: int, seconds: float) -> LoadOrder:
        return LoadOrder(
            port=self.port,
            path="/v1/chat/completions",
            key=key,
            model=self.model,
            streams=streams,
            tokens=STREAM_TOKENS if streams else WHOLE_TOKENS,
            concurrency=concurrency,
            seconds=seconds,
        )


def run_load(order: LoadOrder, core: int) -> Load:
    """Run the load generator as a process on its core.

    Raises:
        subprocess.CalledProcessError: it could not connect, or answers stayed out.
    """
    command = pinned(core, python("bench.load", msgspec.json.encode(order).decode()))
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=order.seconds + 60, check=True)
    return msgspec.json.decode(done.stdout, type=Load)

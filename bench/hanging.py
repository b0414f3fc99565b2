"""An upstream that hangs, then answers again: what its breaker does, how long calls wait, whether memory stays flat.

A gateway as `qwenport serve` starts it, with SQLite and one worker, a route to two upstreams, and 64 clients who ask
without a pause. The first upstream is well, then takes every call and says nothing, then is well again; the second one
is well all the time. Memory is looked at whenever the clients have all their answers.
Run as `python -m bench.hanging`. It exits with 1 where a call stayed out or waited too long, where the breaker did not
open, half open and close, and where memory grew.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Event

import httpx
import msgspec
import uvloop
from msgspec import Struct

from bench.goals import MIB
from bench.machine import Machine, describe
from bench.processes import StartFailed, anonymous_bytes, child_with
from bench.written import write_down
from qwenport.routing.breaker import BreakerState
from qwenport.server.admin.answers import UpstreamAnswer
from qwenport.settings.configuration_file import RetryTable
from qwenport.testing.failover import Ground, Order, play, running_ground
from qwenport.testing.failover.caller import TOKENS
from qwenport.testing.failover.ground import MODEL, UPSTREAMS
from qwenport.testing.failover.judge import Ledger
from qwenport.testing.failover.run import settled
from qwenport.testing.faulty_upstream import Fault

EVENT_S = 2.0
MOST_S = 2 * EVENT_S + TOKENS / 10
"""What a call may take: the time-out of one try, to which a whole answer adds 0.1 s a token, then that of a second."""
MOST_GROWTH_MIB = 4.0
PART_CALLS = 2000
_LOOK_S = 0.2
_BACK_S = 180.0
"""Longest wait for a breaker to close; a further opening doubles its time."""
_ORDER = Order(
    calls=PART_CALLS, first_percent=0.0, second_percent=0.0, faults=(Fault.HANG_BEFORE_HEAD,), event_s=EVENT_S
)


class Phase(StrEnum):
    """How the first upstream is."""

    WELL = "well"
    HANGING = "hanging"
    BACK = "back"


class Part(Struct, frozen=True, kw_only=True):
    """Some calls, and the worker after them."""

    phase: Phase
    seconds: float
    """At its end, since the load began."""
    calls: int
    answered: int
    longest_s: float
    anonymous_bytes: int
    files: int
    """Open files and sockets together."""


class Change(Struct, frozen=True, kw_only=True):
    """A state of the breaker, and when it was first seen."""

    seconds: float
    state: str


class HangingResult(Struct, frozen=True, kw_only=True):
    """One run; moments are in seconds since the load began."""

    date: str
    command: str
    machine: Machine
    most_s: float
    """What a call may take."""
    hung_at: float
    back_at: float
    parts: tuple[Part, ...]
    changes: tuple[Change, ...]
    tries: tuple[int, ...]
    """Of each upstream."""
    books: Ledger
    problems: tuple[str, ...] = ()

    @property
    def grown_mib(self) -> float:
        """By how much more the worker held at any later moment than while all was well."""
        before = [each.anonymous_bytes for each in self.parts if each.phase is Phase.WELL]
        after = [each.anonymous_bytes for each in self.parts if each.phase is not Phase.WELL]
        return (max(after) - before[-1]) / MIB

    def first(self, state: BreakerState, since: float) -> float | None:
        """Return when the breaker was first seen so from a moment on; None where it never was."""
        return next((each.seconds for each in self.changes if each.state == state and each.seconds >= since), None)


def problems_of(found: HangingResult) -> tuple[str, ...]:
    """Return in words what was not as it has to be."""
    calls, answered = sum(each.calls for each in found.parts), sum(each.answered for each in found.parts)
    longest_s = max(each.longest_s for each in found.parts)
    problems = [f"{calls - answered} of {calls} calls were not answered"] * (answered < calls)
    problems += [f"a call took {longest_s:.2f} s, more than {found.most_s:g} s"] * (longest_s > found.most_s)
    problems += [f"memory grew by {found.grown_mib:.1f} MiB"] * (found.grown_mib > MOST_GROWTH_MIB)
    problems += _breaker_problems(found)
    if not found.books.balanced or found.books.open_holds or found.books.unposted:
        problems.append(f"the books are not complete: {found.books}")
    return tuple(problems)


def _breaker_problems(found: HangingResult) -> list[str]:
    window_s = RetryTable().breaker_window_s
    problems = [
        f"the breaker was {each.state} before anything hung"
        for each in found.changes
        if each.seconds < found.hung_at and each.state != BreakerState.CLOSED
    ]
    opened = found.first(BreakerState.OPEN, found.hung_at)
    if opened is None or opened > found.hung_at + window_s:
        return [*problems, f"the breaker did not open within {window_s:g} s"]
    if found.first(BreakerState.HALF_OPEN, opened) is None:
        problems.append("the breaker was never half open")
    if found.changes[-1].state != BreakerState.CLOSED:
        problems.append(f"the breaker stayed {found.changes[-1].state}")
    return problems


class _Run:
    """One gateway under the calls of its clients."""

    def __init__(self, ground: Ground, say: Callable[[str], None]) -> None:
        worker = child_with(ground.gateway, ("qwenport", "worker"))
        if worker is None:
            raise StartFailed("the gateway has no worker")
        self._ground = ground
        self._worker = worker
        self._say = say
        self._began = time.monotonic()
        self._over = Event()
        self.changes: list[Change] = []
        self.parts: list[Part] = []

    def now(self) -> float:
        """Return the seconds since the load began."""
        return round(time.monotonic() - self._began, 1)

    def watch(self) -> None:
        """Note every state of the breaker until the run is over."""
        while not self._over.wait(_LOOK_S):
            found = msgspec.json.decode(self._ground.operator("/upstreams"), type=list[UpstreamAnswer])
            state = next(each.models[0].breaker for each in found if each.name == UPSTREAMS[0])
            if not self.changes or self.changes[-1].state != state:
                self.changes.append(Change(seconds=self.now(), state=state))
                self._say(f"{self.now():6.1f} s: the breaker is {state}")

    def end(self) -> None:
        """Let the watch come to its end."""
        self._over.set()

    def hang(self, *, hangs: bool) -> float:
        """Let the first upstream hang, or be well; return when."""
        script = [Fault.HANG_BEFORE_HEAD] if hangs else []
        url = f"http://127.0.0.1:{self._ground.upstream_ports[0]}/control/plan"
        httpx.put(url, json={"script": script, "repeats_last": hangs}).raise_for_status()
        return self.now()

    def ask(self, phase: Phase, until: Callable[[], bool]) -> None:
        """Make calls, a part of them at a time, at least two parts."""
        for number in range(sys.maxsize):
            if number > 1 and until():
                return
            self._part(phase)

    def _part(self, phase: Phase) -> None:
        address = ("127.0.0.1", self._ground.port)
        seen = uvloop.run(play(address, self._ground.key, model=MODEL, calls=PART_CALLS, at_once=_ORDER.at_once))
        part = Part(
            phase=phase,
            seconds=self.now(),
            calls=len(seen),
            answered=sum(each.is_answered for each in seen),
            longest_s=round(max(each.seconds for each in seen), 3),
            anonymous_bytes=anonymous_bytes(self._worker),
            files=len(list(Path(f"/proc/{self._worker}/fd").iterdir())),
        )
        self.parts.append(part)
        self._say(
            f"{part.seconds:6.1f} s: {phase}, {part.answered} of {part.calls} answered, the longest in "
            f"{part.longest_s:.2f} s, {part.anonymous_bytes / MIB:.1f} MiB, {part.files} files"
        )

    def is_closed(self) -> bool:
        """Tell whether the breaker is closed, as far as was seen."""
        return bool(self.changes) and self.changes[-1].state == BreakerState.CLOSED


def play_all(well_s: float, hang_s: float, say: Callable[[str], None]) -> HangingResult:
    """Play all three phases on a ground of their own; raises `StartFailed`."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    with running_ground(_ORDER) as ground, ThreadPoolExecutor(1) as threads:
        run = _Run(ground, say)
        watching = threads.submit(run.watch)
        try:
            run.ask(Phase.WELL, lambda: run.now() > well_s)
            hung_at = run.hang(hangs=True)
            run.ask(Phase.HANGING, lambda: run.now() > hung_at + hang_s)
            back_at = run.hang(hangs=False)
            run.ask(Phase.BACK, lambda: run.is_closed() or run.now() > back_at + _BACK_S)
            run.ask(Phase.BACK, lambda: True)
        finally:
            run.end()
            watching.result()
        found = HangingResult(
            date=date,
            command=f"python -m bench.hanging --well-s {well_s:g} --hang-s {hang_s:g}",
            machine=describe(),
            most_s=MOST_S,
            hung_at=hung_at,
            back_at=back_at,
            parts=tuple(run.parts),
            changes=tuple(run.changes),
            tries=tuple(len(ground.served(number)) for number in range(len(UPSTREAMS))),
            books=settled(ground),
        )
    return msgspec.structs.replace(found, problems=problems_of(found))


def main() -> int:
    """Read the command line, play, say what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.hanging", description="Let an upstream hang and come back.")
    parser.add_argument("--well-s", type=float, default=20.0, help="seconds before it hangs")
    parser.add_argument("--hang-s", type=float, default=45.0)
    parser.add_argument("--out", type=Path, help="default: bench/results/<date>-<machine>-hanging.json")
    asked = parser.parse_args()
    # Whoever ends this process by SIGTERM ends what it started as well: the blocks that hold it are left in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = play_all(asked.well_s, asked.hang_s, lambda line: print(line, flush=True))
    print(f"memory: {found.grown_mib:+.1f} MiB; tries: {found.tries}; problems: {'; '.join(found.problems) or 'none'}")
    print(f"written to {write_down(found, 'hanging', asked.out)}")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())

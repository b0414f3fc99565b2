"""A rehearsal of failing upstreams: a gateway of its own, with books of its own, in a folder that goes afterwards."""

from __future__ import annotations

import subprocess
import sys

import msgspec
from msgspec import Struct

CALLS = 600
EVENT_S = 1.0
"""How long the gateway of the drill waits for an event; a hang costs so much."""
MOST_S = 120.0
_END_S = 30.0


class DrillFailed(Exception):
    """The drill could not be held; the message says why."""


class MetFault(Struct, frozen=True, kw_only=True):
    """What became of the calls that met a fault; a call may meet several."""

    fault: str
    calls: int
    answered: int
    """By a further try, or in spite of it."""
    broke_midway: int
    """Streams that had begun, and ended in an error."""
    failed: int
    longest_s: float


class Drill(Struct, frozen=True, kw_only=True):
    """What the gateway made of it."""

    calls: int
    tried_more_than_once: int
    longest_s: float
    billed: int
    billed_twice: int
    faults: tuple[MetFault, ...]
    findings: tuple[str, ...]
    """Calls that were lost, or billed wrongly or twice; nothing where all is well."""


class _Played(Struct):
    report: Drill


def hold_drill(seed: int) -> Drill:
    """Play faults at random against a gateway made for it, within two minutes; raises `DrillFailed`.

    The upstreams and the clients are the test tool `qwenport.testing.failover`, as a process that cleans up after
    itself; nothing of this installation is touched.
    """
    command = [sys.executable, "-m", "qwenport.testing.failover", "--calls", str(CALLS), "--event-s", str(EVENT_S)]
    command += ["--seed", str(seed), "--no-breaker"]
    process = subprocess.Popen(  # noqa: S603 - our own words
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        output, errors = process.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired as error:
        raise DrillFailed(f"the drill took more than {MOST_S:g} s, and was ended") from error
    finally:
        _end(process)
    try:
        return msgspec.json.decode(output, type=_Played).report
    except msgspec.MsgspecError as error:
        last = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise DrillFailed(f"the drill did not come to its end: {last}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it end what it started; kill it where it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()

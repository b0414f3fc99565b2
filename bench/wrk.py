"""Calls in one piece at full speed: wrk sends them, since a load generator in Python would be the bottleneck."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

from bench.load import LoadOrder, request_bytes
from bench.processes import pinned

_DONE = re.compile(r"(\d+) requests in ")
_RATE = re.compile(r"Requests/sec: +([\d.]+)")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_LATENCY = re.compile(r"^ +(50|99)% +([\d.]+)(us|ms|s|m)$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_BROKEN = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


class Rate(Struct, frozen=True, kw_only=True):
    """What wrk counted."""

    calls: int
    """Calls that were answered; up to one more for each connection was under way when time was up."""
    failed: int
    calls_a_second: float
    p50_ms: float
    p99_ms: float


def reason_to_skip() -> str:
    """Return why wrk cannot be used here; empty where it can."""
    return "" if shutil.which("wrk") else "wrk is not installed: `apt-get install wrk`"


def run_wrk(order: LoadOrder, folder: Path, *, core: int) -> Rate:
    """Send calls over `order.concurrency` connections for `order.seconds`, rounded up to whole seconds."""
    script = folder / "post.lua"
    script.write_text(_script(request_bytes(order)), "utf-8")
    url = f"http://127.0.0.1:{order.port}{order.path}"
    seconds = max(1, round(order.seconds))
    command = ["wrk", "-t1", f"-c{order.concurrency}", f"-d{seconds}s", "--latency", "--timeout", "60s"]
    command += ["-s", str(script), url]
    done = subprocess.run(pinned(core, command), capture_output=True, text=True, timeout=seconds + 120, check=True)
    return read_report(done.stdout)


def read_report(text: str) -> Rate:
    """Read what wrk printed.

    Raises:
        ValueError: it printed no result.
    """
    done, rate = _DONE.search(text), _RATE.search(text)
    if done is None or rate is None:
        raise ValueError(f"wrk printed no result: {text}")
    refused, broken = _REFUSED.search(text), _BROKEN.search(text)
    failed = (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)
    latency = {share: round(float(value) * _MILLISECONDS[unit], 6) for share, value, unit in _LATENCY.findall(text)}
    return Rate(
        calls=int(done[1]),
        failed=failed,
        calls_a_second=float(rate[1]),
        p50_ms=latency.get("50", 0.0),
        p99_ms=latency.get("99", 0.0),
    )


def _script(request: bytes) -> str:
    """Return the Lua script that makes wrk send this request."""
    head, _, body = request.decode("ascii").partition("\r\n\r\n")
    fields = (line.partition(": ") for line in head.split("\r\n")[1:])
    headers = "".join(
        f'wrk.headers["{name}"] = "{value}"\n' for name, _, value in fields if name not in {"Host", "Content-Length"}
    )
    return f'wrk.method = "POST"\n{headers}wrk.body = [==[{body}]==]\n'

"""Two upstreams that fail and a gateway before them, each a process as an operator would start it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from qwenport.core.clock import SystemClock
from qwenport.testing.faulty_upstream import REFUSALS, Fault, Served
from qwenport.testing.held_port import held_port

MODEL = "failing"
INPUT_PRICE, OUTPUT_PRICE = "0.8", "2"
"""In CNY for a million tokens."""
UPSTREAMS = ("first", "second")
_CLOCK = SystemClock()
_START_S = 60.0
_END_S = 20.0
_MODEL_FILE = f"""
name = "{MODEL}"
description = "Answers of upstreams that fail"
family = "test"
released = 2026-01-01
context_tokens = 100_000
max_input_tokens = 95_000
max_output_tokens = 4096
route = ["llama/smollm2-135m-instruct"]

[[prices]]
region = "beijing"
currency = "CNY"
input = "{INPUT_PRICE}"
output = "{OUTPUT_PRICE}"
per_tokens = 1_000_000
since = 2026-01-01
source = "made up"
"""


class Order(Struct, frozen=True, kw_only=True):
    """What is played."""

    calls: int
    at_once: int = 64
    seed: int = 0
    first_percent: float = 30.0
    """Calls of a hundred at the first upstream that suffer."""
    second_percent: float = 5.0
    faults: tuple[Fault, ...]
    """Those that they suffer from, each as often; of refusals only the first upstream does, or the second is none."""
    latency_ms: float = 5.0
    """Median of the upstreams, before the head of an answer."""
    event_s: float = 2.0
    """How long the gateway waits for a first event, and between events."""
    breaker: bool = True
    """Whether upstreams that fail too often are given a pause; without, the first one is asked by every call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What runs."""

    port: int
    key: str
    token: str
    gateway: int
    """Process id of the supervisor."""
    upstream_ports: tuple[int, ...]

    def operator(self, path: str, **parameters: str) -> bytes:
        """Return what the admin API answers to a GET."""
        url = f"http://127.0.0.1:{self.port}/admin/v1{path}"
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.get(url, params=parameters, headers=headers, timeout=60).raise_for_status().content

    def metrics(self) -> str:
        """Return what the gateway counts."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        return httpx.get(url, headers={"authorization": f"Bearer {self.token}"}, timeout=60).raise_for_status().text

    def served(self, number: int) -> list[Served]:
        """Return what an upstream made."""
        answer = httpx.get(f"http://127.0.0.1:{self.upstream_ports[number]}/control/served", timeout=60)
        return msgspec.json.decode(answer.content, type=dict[str, list[Served]])["served"]

    def open_connections(self) -> int:
        """Return how many connections the upstreams hold, that of the question left out."""
        counts = [httpx.get(f"http://127.0.0.1:{port}/control/counts", timeout=60) for port in self.upstream_ports]
        return sum(int(answer.json()["open_connections"]) - 1 for answer in counts)


class StartFailed(Exception):
    """A process did not come up; the message holds its last words."""


@contextmanager
def running_ground(order: Order) -> Iterator[Ground]:
    """Run upstreams and a gateway with books of its own, in a temporary folder that goes with them.

    Raises:
        StartFailed: one of them did not come up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qwenport-failover-")))
        shares = (order.first_percent, order.second_percent)
        ports = tuple(
            stack.enter_context(_upstream(folder, order, number, share)) for number, share in enumerate(shares)
        )
        (folder / "catalog").mkdir()
        (folder / "catalog" / f"{MODEL}.toml").write_text(_MODEL_FILE, "utf-8")
        (folder / "qwenport.toml").write_text(configuration(order, ports), "utf-8")
        port = stack.enter_context(held_port())
        yield stack.enter_context(_gateway(folder, port, ports))


def configuration(order: Order, ports: tuple[int, ...]) -> str:
    """Return the gateway's configuration file."""
    upstreams = "".join(
        f"""
[[upstreams]]
name = "{name}"
kind = "openai"
dialect = "{dialect}"
base_url = "http://127.0.0.1:{port}/v1"
health_path = "/health"
connect_s = 2.0
first_event_s = {order.event_s}
between_events_s = {order.event_s}
"""
        # Whole answers come whole from the first, and as a stream inside from the second.
        for name, dialect, port in zip(UPSTREAMS, ("vllm", "plain"), ports, strict=True)
    )
    retries = "" if order.breaker else "[retries]\nbreaker_failures = 1_000_000\n"
    return f'{retries}{upstreams}\n[[routes]]\nmodel = "{MODEL}"\nto = ["first", "second"]\n'


@contextmanager
def _upstream(folder: Path, order: Order, number: int, percent: float) -> Iterator[int]:
    """Run an upstream; its port is yielded."""
    log = folder / f"upstream-{number}.log"
    command = [sys.executable, "-m", "qwenport.testing.faulty_upstream", "--faults", f"{percent}"]
    faults = order.faults if number == 0 else [fault for fault in order.faults if fault not in REFUSALS]
    command += ["--only", ",".join(faults), "--seed", f"{order.seed * 2 + number}"]
    command += ["--latency-ms", f"{order.latency_ms}", "--latency-sigma", "0.5"]
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own upstream
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        line = process.stdout.readline().decode() if process.stdout else ""
        if not line.strip():
            raise StartFailed(f"an upstream did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
        yield httpx.URL(line.strip()).port or 80
    finally:
        _end(process)


@contextmanager
def _gateway(folder: Path, port: int, ports: tuple[int, ...]) -> Iterator[Ground]:
    log = folder / "serve.log"
    key, token = f"sk-{secrets.token_hex(32)}", secrets.token_hex(32)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "qwenport", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(folder, port=port, key=key, token=token),
            cwd=folder,
        )
    try:
        deadline = _CLOCK.monotonic() + _START_S
        while not _is_ready(port, key):
            if process.poll() is not None or _CLOCK.monotonic() > deadline:
                raise StartFailed(f"the gateway did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.05)
        yield Ground(port=port, key=key, token=token, gateway=process.pid, upstream_ports=ports)
    finally:
        _end(process)


def _environment(folder: Path, *, port: int, key: str, token: str) -> Mapping[str, str]:
    """Return an environment in which nothing of the operator's own installation is left."""
    own = ("QWENPORT_", "DASHSCOPE_", "OPENAI_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return environment | {
        "QWENPORT_DATA_DIR": str(folder),
        "QWENPORT_MODELS_DIR": str(folder / "no-models"),
        "QWENPORT_HOST": "127.0.0.1",
        "QWENPORT_PORT": str(port),
        "QWENPORT_BOOTSTRAP_API_KEY": key,
        "QWENPORT_ADMIN_TOKEN": token,
    }


def _is_ready(port: int, key: str) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/models", headers={"authorization": f"Bearer {key}"}, timeout=5)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()

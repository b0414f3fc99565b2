"""Qwenport as an operator starts it, in a folder of its own: server, worker, keys and books."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import StartFailed, child_with, free_port, pinned, python, running, wait_for_port

MODEL = "bench"
_START_S = 60.0
_MODEL_FILE = f"""
name = "{MODEL}"
description = "Answers of the benchmark's fake upstream"
family = "bench"
released = 2026-01-01
context_tokens = 1_000_000
max_input_tokens = 995_000
max_output_tokens = 4096
route = ["llama/smollm2-135m-instruct"]

# A price, so that the books have money to count.
[[prices]]
region = "beijing"
currency = "CNY"
input = "0.0008"
output = "0.002"
per_tokens = 1_000
since = 2026-01-01
source = "made up for the benchmark"
"""
_CONFIGURATION = f"""
[[upstreams]]
name = "fake"
kind = "openai"
dialect = "vllm"
base_url = "http://127.0.0.1:{{port}}/v1"
health_path = "/health"
# Idle streams stay open as long as the one who measures wants.
between_events_s = 1800

[[routes]]
model = "{MODEL}"
to = ["fake"]

# Limits that bind every call and refuse none.
[[limits]]
name = "bench-requests"
unit = "requests"
window = "minute"
cap = 1_000_000_000
per = ["key"]

[[limits]]
name = "bench-tokens"
unit = "total_tokens"
window = "hour"
cap = 1_000_000_000_000
per = ["key"]

[[limits]]
name = "bench-money"
unit = "money"
window = "day"
cap = "1000000000"
currency = "CNY"
per = ["account"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One running server."""

    port: int
    key: str
    """The bootstrap API key."""
    operator_headers: Mapping[str, str]
    """What lets the operator's requests in on the public port."""
    supervisor: int
    worker: int
    """Process ids."""
    environment: Mapping[str, str]
    folder: Path

    def command(self, *arguments: str) -> Any:
        """Run a command of `qwenport` against this server, and return the JSON that it prints."""
        command = python("qwenport", *arguments, "--json")
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, timeout=60, check=False
        )
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            words = done.stderr.decode("utf-8", "replace")
            raise StartFailed(f"`qwenport {' '.join(arguments)}` printed no JSON: {words}") from error

    def create_key(self, name: str) -> tuple[str, str]:
        """Return id and key of a new API key, once the worker knows it."""
        made = self.command("keys", "create", "--name", name)
        key_id, key = str(made["id"]), str(made["key"])
        deadline = time.monotonic() + 10
        while answer_status(self.port, "/v1/models", key) != 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        return key_id, key


@contextmanager
def serving(
    folder: Path, *, core: int | None, models_dir: Path, upstream_port: int | None = None, configuration: str = ""
) -> Iterator[Gateway]:
    """Run a server while the block runs; with `upstream_port`, the model `bench` leads to the upstream there.

    `configuration` is what its `qwenport.toml` says where there is no such upstream.
    """
    folder.mkdir()
    if configuration:
        (folder / "qwenport.toml").write_text(configuration, "utf-8")
    port, key, token = free_port(), f"sk-{secrets.token_hex(32)}", secrets.token_hex(32)
    if upstream_port is not None:
        catalog = folder / "catalog"
        catalog.mkdir()
        (catalog / f"{MODEL}.toml").write_text(_MODEL_FILE, "utf-8")
        (folder / "qwenport.toml").write_text(_CONFIGURATION.format(port=upstream_port), "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QWENPORT_")}
    environment |= {
        "QWENPORT_DATA_DIR": str(folder),
        "QWENPORT_MODELS_DIR": str(models_dir),
        "QWENPORT_PORT": str(port),
        "QWENPORT_BOOTSTRAP_API_KEY": key,
        "QWENPORT_ADMIN_TOKEN": token,
    }
    log = folder / "serve.log"
    command = pinned(core, python("qwenport", "serve"))
    with running(command, log, environment=environment, directory=folder) as process:
        wait_for_port(port, process, log)
        worker = _await_worker(process, port, log)
        yield Gateway(
            port=port,
            key=key,
            operator_headers={"Authorization": f"Bearer {token}"},
            supervisor=process.pid,
            worker=worker,
            environment=environment,
            folder=folder,
        )


def _await_worker(process: subprocess.Popen[bytes], port: int, log: Path) -> int:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        worker = child_with(process.pid, ("qwenport", "worker"))
        if worker is not None and answer_status(port, "/readyz") == 200:
            return worker
        time.sleep(0.05)
    raise StartFailed(f"qwenport did not become ready: {log.read_text('utf-8', 'replace')[-2000:]}")


def answer_status(
    port: int, path: str, key: str = "", body: bytes | None = None, more: Mapping[str, str] | None = None
) -> int:
    """Return the HTTP status of one request, which may have further headers; 0 where nobody answers in time."""
    headers = (
        {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}) | dict(more or {})
    )
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0

"""Other gateways in Qwenport's place: LiteLLM and Portkey, of pinned versions, installed aside from the project.

Both are installed under `build/rivals/` on their first use, with hashes, and stay there until `make clean`. Neither
keeps accounts, limits or a ledger in these measurements: LiteLLM checks its one master key, Portkey checks nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import LITELLM, PORTKEY
from bench.gateway import answer_status
from bench.load import LoadOrder, request_bytes
from bench.machine import first_line
from bench.processes import ROOT, StartFailed, free_port, pinned, running, wait_for_port

RIVALS = (LITELLM, PORTKEY)
_LOCKS = ROOT / "bench" / "rivals"
_PLACE = ROOT / "build" / "rivals"
_COMPLETE = "complete"
_INSTALL_S = 600.0
_START_S = 90.0
_LITELLM_CONFIGURATION = """
model_list:
  - model_name: {model}
    litellm_params: {{model: openai/{model}, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
general_settings: {{master_key: {key}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One that runs."""

    port: int
    pid: int
    key: str
    headers: dict[str, str] = field(default_factory=dict)
    """What it wants to be told with every call."""


def versions() -> dict[str, str]:
    """Return the versions that the locks pin, and of Node.js where it is there."""
    wanted = (_LOCKS / "litellm.in").read_text("utf-8").split("==")[1].split()[0]
    packages = json.loads((_LOCKS / "package-lock.json").read_text("utf-8"))["packages"]
    found = {LITELLM: wanted, PORTKEY: packages["node_modules/@portkey-ai/gateway"]["version"]}
    return found | ({"node": first_line("node", "--version")} if shutil.which("node") else {})


def reason_to_skip(name: str) -> str:
    """Install a rival where it is not yet; return why it cannot be measured here, empty where it can."""
    missing = [program for program in ("node", "npm") if name == PORTKEY and shutil.which(program) is None]
    if missing:
        return f"{' and '.join(missing)} is not installed: `apt-get install nodejs npm`"
    try:
        _installed(name)
    except (OSError, subprocess.SubprocessError) as error:
        return f"it could not be installed: {_words(error)}"
    return ""


@contextmanager
def running_rival(name: str, folder: Path, *, core: int, upstream_port: int, model: str) -> Iterator[Rival]:
    """Run a rival in one process while the block runs.

    Raises:
        StartFailed: it does not answer a call.
    """
    folder.mkdir()
    port, key, log = free_port(), f"sk-{secrets.token_hex(16)}", folder / "rival.log"
    if name == LITELLM:
        text = _LITELLM_CONFIGURATION.format(model=model, upstream=upstream_port, key=key)
        (folder / "config.yaml").write_text(text, "utf-8")
    command = pinned(core, _command(name, folder, port))
    with running(command, log, environment=_environment(folder), directory=folder) as process:
        wait_for_port(port, process, log, limit_s=_START_S)
        rival = Rival(port=port, pid=process.pid, key=key, headers=_headers(name, upstream_port))
        _await_answer(rival, model, process, log)
        yield rival


def _command(name: str, folder: Path, port: int) -> list[str]:
    place = _installed(name)
    if name == LITELLM:
        address = ["--host", "127.0.0.1", "--port", str(port)]
        return [str(place / "bin" / "litellm"), "--config", str(folder / "config.yaml"), *address, "--num_workers", "1"]
    script = place / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    return ["node", str(script), f"--port={port}", "--headless"]


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment without the caller's keys and settings, quiet and without calls home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False"}
    return {**kept, **quiet, "HOME": str(folder), "NODE_ENV": "production"}


def _headers(name: str, upstream_port: int) -> dict[str, str]:
    if name == LITELLM:
        return {}
    return {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}/v1"}


def _await_answer(rival: Rival, model: str, process: subprocess.Popen[bytes], log: Path) -> None:
    order = LoadOrder(
        port=rival.port,
        path="/v1/chat/completions",
        key=rival.key,
        model=model,
        streams=False,
        tokens=1,
        concurrency=1,
        seconds=0,
        headers=rival.headers,
    )
    body = request_bytes(order).partition(b"\r\n\r\n")[2]
    deadline, status = time.monotonic() + _START_S, 0
    while time.monotonic() < deadline and process.poll() is None:
        status = answer_status(rival.port, order.path, rival.key, body, rival.headers)
        if status == 200:
            return
        time.sleep(0.2)
    raise StartFailed(f"it answers with status {status}: {log.read_text('utf-8', 'replace')[-1000:]}")


def _installed(name: str) -> Path:
    """Return the folder of a rival, installed by its lock."""
    lock = _LOCKS / ("litellm.txt" if name == LITELLM else "package-lock.json")
    place = _PLACE / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if (place / _COMPLETE).exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if name == LITELLM:
        _run([sys.executable, "-m", "venv", str(place)], place)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-input", "--require-hashes", "-r", str(lock)], place)
    else:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(_LOCKS / file, place / file)
        _run(["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], place)
    (place / _COMPLETE).touch()
    return place


def _run(command: Sequence[str], directory: Path) -> None:
    subprocess.run(command, cwd=directory, capture_output=True, timeout=_INSTALL_S, check=True)


def _words(error: Exception) -> str:
    """Return the last line that an installer said."""
    said = getattr(error, "stderr", None) or b""
    lines = said.decode("utf-8", "replace").strip().splitlines() if isinstance(said, bytes) else []
    return lines[-1] if lines else f"{type(error).__name__}: {error}"

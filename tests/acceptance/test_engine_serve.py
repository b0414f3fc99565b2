"""An engine in a process group of its own, as on another machine, and a gateway without weights that uses it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import Server


Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
MODEL = "smollm2-135m-instruct"
SECRET = "the-secret-of-an-engine-in-tests"
TABLE = re.compile(r"^\[engine\]\n(.+?)\n\n", re.MULTILINE | re.DOTALL)


class EngineProcess:
    """One `qwenport engine serve` and its children."""

    def __init__(self, near: Server, name: str) -> None:
        """Start it with the folders of a server that does not run."""
        self._out = near.folder / "engine.out"
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "qwenport", "engine", "serve", name, "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=near.environment | {"QWENPORT_ENGINE_SECRET": SECRET},
                cwd=near.folder,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._out.read_text("utf-8")

    @property
    def table(self) -> str:
        """Return the printed table of the engine, empty until it is printed."""
        found = TABLE.search(self.output)
        return found[1] if found else ""

    @property
    def url(self) -> str:
        return str(tomllib.loads(self.table)["url"])

    @property
    def is_healthy(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        return False

    @property
    def hosts(self) -> list[int]:
        """Return the processes that hold a model."""
        rows = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        found = [row.split(None, 2) for row in rows]
        return [int(pid) for pid, parent, command in found if int(parent) == self.process.pid and ".host" in command]

    def close(self) -> None:
        """Leave nothing behind, however the test went; the hosts end with it."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start_engine(make_server: MakeServer, models_dir: Path, eventually: Eventually) -> Iterator[Callable[..., Any]]:
    started = []

    def start(name: str = MODEL) -> EngineProcess:
        engine = EngineProcess(make_server(models_dir), name)
        started.append(engine)
        eventually(lambda: engine.table or engine.process.poll() is not None, "it says where it listens")
        eventually(lambda: engine.is_healthy, f"it is ready: {engine.output}")
        return engine

    yield start
    for engine in started:
        engine.close()


def use(gateway: Server, name: str, table: str) -> None:
    """Put the printed table into the model file of a gateway, as its operator does."""
    shipped = (files("qwenport.catalog") / "models" / f"{name}.toml").read_text("utf-8")
    own = gateway.data_dir / "catalog"
    own.mkdir(parents=True)
    (own / f"{name}.toml").write_text(f"{shipped.partition('[engine]')[0]}[engine]\n{table}\n", "utf-8")


def ask(server: Server, **settings: object) -> httpx.Response:
    body = {
        "model": "qwen-plus",
        "messages": [{"role": "user", "content": "Name three rivers."}],
        "temperature": 0,
        "max_tokens": 24,
        **settings,
    }
    return httpx.post(f"{server.url}/v1/chat/completions", json=body, headers=server.bearer, timeout=60)


def test_a_gateway_gives_the_same_answer_as_with_an_engine_of_its_own(
    make_server: MakeServer,
    models_dir: Path,
    start_engine: Callable[..., EngineProcess],
    eventually: Eventually,
) -> None:
    # Both engines are new and are asked the same: what one has cached of other prompts was rounded otherwise.
    engine, embedded = start_engine(), make_server(models_dir)
    gateway = make_server(QWENPORT_ENGINE_SECRET=SECRET)
    use(gateway, MODEL, engine.table)
    gateway.start(until="/healthz")
    embedded.start()
    eventually(lambda: ask(gateway).status_code == 200, "the gateway has seen that the engine answers")
    eventually(lambda: ask(embedded).status_code == 200, "the engine of the other one answers")
    near, far = ask(embedded).json(), ask(gateway).json()

    assert [*gateway.children("llama.host"), *gateway.children("embed.host")] == []
    assert near["choices"][0]["message"]["content"]
    assert (far["choices"], far["usage"]["total_tokens"]) == (near["choices"], near["usage"]["total_tokens"])


def test_vectors_are_the_same_too(
    live: Server, make_server: MakeServer, start_engine: Callable[..., EngineProcess], eventually: Eventually
) -> None:
    def vectors(server: Server) -> httpx.Response:
        body = {"model": "multilingual-e5-small", "input": ["one", "二"]}
        return httpx.post(f"{server.url}/v1/embeddings", json=body, headers=server.bearer, timeout=60)

    engine = start_engine("multilingual-e5-small")
    gateway = make_server(QWENPORT_ENGINE_SECRET=SECRET)
    use(gateway, "multilingual-e5-small", engine.table)
    gateway.start(until="/healthz")
    eventually(lambda: vectors(gateway).status_code == 200, "the gateway has seen that the engine answers")

    assert vectors(gateway).json()["data"] == vectors(live).json()["data"]


def test_an_engine_ends_in_order_and_is_restarted_when_its_host_dies(
    start_engine: Callable[..., EngineProcess], eventually: Eventually
) -> None:
    engine = start_engine()
    shown = {"authorization": f"Bearer {SECRET}"}
    body = {"messages": [{"role": "user", "content": "Tell me a long story."}], "stream": True, "max_tokens": 60}
    refused = httpx.post(f"{engine.url}/v1/chat/completions", json=body, timeout=60)
    [host] = engine.hosts
    os.kill(host, signal.SIGKILL)
    eventually(lambda: engine.hosts not in ([], [host]) and engine.is_healthy, "another host runs")
    with httpx.stream("POST", f"{engine.url}/v1/chat/completions", json=body, headers=shown, timeout=60) as response:
        lines = response.iter_lines()
        first = next(lines)
        engine.process.terminate()
        eventually(lambda: not engine.is_healthy, "nobody new is let in")
        rest = list(lines)

    assert refused.status_code == 401
    assert first.startswith("data: ")
    assert rest[-2:] == ["data: [DONE]", ""]
    assert engine.process.wait(60) == 0


def test_a_second_signal_breaks_off_what_runs(
    start_engine: Callable[..., EngineProcess], eventually: Eventually
) -> None:
    engine = start_engine()
    shown = {"authorization": f"Bearer {SECRET}"}
    body = {"messages": [{"role": "user", "content": "Count."}], "stream": True, "max_tokens": 3000, "ignore_eos": True}
    with httpx.stream("POST", f"{engine.url}/v1/chat/completions", json=body, headers=shown, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        engine.process.terminate()
        eventually(lambda: not engine.is_healthy, "nobody new is let in")
        engine.process.terminate()
        with pytest.raises(httpx.TransportError):
            list(lines)

    assert engine.process.wait(60) == 0


def test_what_stands_in_the_way_of_a_start_is_told(make_server: MakeServer, models_dir: Path) -> None:
    server = make_server(models_dir)
    missing = server.run("engine", "serve", MODEL, "--host", "0.0.0.0")  # noqa: S104 - which is the matter
    short = server.run("engine", "serve", MODEL, "--host", "0.0.0.0", QWENPORT_ENGINE_SECRET="short")  # noqa: S104
    unknown = server.run("engine", "serve", "qwen-plus")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = server.run("engine", "serve", MODEL, "--port", str(other.getsockname()[1]))

    assert [each.returncode for each in (missing, short, unknown, taken)] == [1, 1, 1, 1]
    assert "choose a free `--port`" in taken.stderr
    assert "QWENPORT_ENGINE_SECRET must hold a secret" in missing.stderr
    assert "at least 16 characters" in short.stderr
    assert f"`{MODEL}` answers for it" in unknown.stderr

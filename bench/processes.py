"""Processes of the benchmark: started on a core, observed through /proc, ended by their own id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_END_S = 20.0
_POLL_S = 0.02
_START_S = 30.0
ROOT = Path(__file__).resolve().parent.parent


class StartFailed(Exception):
    """A process of the benchmark did not come up; the message holds its last words."""


def pinned(core: int | None, command: Sequence[str]) -> list[str]:
    """Return the command bound to a core; None for all of them."""
    return [*command] if core is None else ["taskset", "-c", str(core), *command]


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


@contextmanager
def running(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, directory: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block runs; its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=directory
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, *, limit_s: float = _START_S) -> None:
    """Return once something listens on the port.

    Raises:
        StartFailed: the process ended, or the time passed.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(_POLL_S)
    last = log.read_text("utf-8", "replace")[-2000:]
    raise StartFailed(f"`{process.args!r}` did not listen on port {port} (exit code {process.poll()}): {last}")


def cpu_seconds(pid: int) -> float:
    """Return the processor time, user and system, that all threads of a process have used; exact to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds."""
    return _status_bytes(pid, "VmRSS")


def anonymous_bytes(pid: int) -> int:
    """Return the memory that a process has written to: without the pages of files, which the kernel drops at will."""
    return _status_bytes(pid, "RssAnon")


def _status_bytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def cpu_seconds_of_tree(pid: int) -> float:
    """Return the same of a process and its children together; a child that has ended is left out."""
    total = cpu_seconds(pid)
    for child, _ in _children(pid):
        with suppress(OSError):
            total += cpu_seconds(child)
    return total


def child_with(parent: int, words: Sequence[str]) -> int | None:
    """Return the id of the child of `parent` whose command line holds all these words."""
    return next((pid for pid, arguments in _children(parent) if all(word in arguments for word in words)), None)


def _children(parent: int) -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            stat = (folder / "stat").read_text("ascii", "replace")
            arguments = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue  # it ended while we looked
        if int(stat.rpartition(")")[2].split()[1]) == parent:
            yield int(folder.name), arguments

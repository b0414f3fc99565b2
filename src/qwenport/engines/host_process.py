"""What the host of an embedded engine does as a child process: it withdraws, watches its supervisor, ends in words."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
from enum import IntEnum
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from qwenport.engines.engine import WATCH_VARIABLE
from qwenport.engines.host_parameters import PARAMETERS_VARIABLE, HostParameters

_Parameters = TypeVar("_Parameters", bound=HostParameters)


class HostExit(IntEnum):
    """Exit codes of a host; others are crashes."""

    ENDED = 0
    PARAMETERS_INVALID = 10
    WEIGHTS_MISSING = 11
    WEIGHTS_CORRUPT = 12
    SOCKET_IN_USE = 13
    SOCKET_REFUSED = 14


class HostProcess:
    """This process, as the host of one kind of engine."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def begin(self) -> None:
        """Let nobody else read what is made here, and end when the supervisor does."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a memory image would hold callers' texts
        self._watch(os.environ.pop(WATCH_VARIABLE, None))

    def parameters(self, wanted: type[_Parameters]) -> _Parameters:
        """Return what the supervisor put into the environment, and remove it from there."""
        text = os.environ.pop(PARAMETERS_VARIABLE, None)
        if text is None:
            words = f"{PARAMETERS_VARIABLE} is not set: this process is started by a supervisor"
            self.end(HostExit.PARAMETERS_INVALID, words)
        try:
            return msgspec.json.decode(text, type=wanted)
        except msgspec.MsgspecError as error:
            self.end(HostExit.PARAMETERS_INVALID, f"{PARAMETERS_VARIABLE} is not understood: {error}")

    def check_weights(self, path: Path) -> None:
        """End unless the file can be read."""
        try:
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            self.end(HostExit.WEIGHTS_MISSING, f"the weights file `{path}` cannot be read: {error.strerror}")

    def free_socket(self, path: Path) -> None:
        """Remove the socket that an earlier host left behind, unless somebody answers on it."""
        try:
            if not _is_in_use(path):
                path.unlink(missing_ok=True)
                return
        except OSError as error:
            self.end(HostExit.SOCKET_REFUSED, f"the socket `{path}` cannot be used: {error.strerror or error}")
        self.end(HostExit.SOCKET_IN_USE, f"another process answers on the socket `{path}`: end it first")

    def say(self, text: str) -> None:
        """Write a line to the log; never with a text of a caller."""
        sys.stderr.write(f"qwenport {self._kind} host: {text}\n")
        sys.stderr.flush()

    def end(self, code: HostExit, text: str) -> NoReturn:
        """Say why and end at once."""
        self.say(text)
        # Native threads may be running; an orderly end of the interpreter would wait for them.
        os._exit(code)

    def _watch(self, descriptor: str | None) -> None:
        """End this process when the other end of the pipe is closed, which the death of the supervisor does."""
        if descriptor is None:
            return
        try:
            number = int(descriptor)
            os.fstat(number)
        except (ValueError, OSError):
            words = f"{WATCH_VARIABLE} is `{descriptor}`, which is no open file descriptor"
            self.end(HostExit.PARAMETERS_INVALID, words)

        def wait_for_the_end() -> None:
            while os.read(number, 1):
                pass
            os._exit(HostExit.ENDED)

        threading.Thread(target=wait_for_the_end, daemon=True, name="watch").start()


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_in_use(path: Path) -> bool:
    if path.exists() and not path.is_socket():
        raise FileExistsError("something that is no socket lies there")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True

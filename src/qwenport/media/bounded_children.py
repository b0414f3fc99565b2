"""Child processes that read what callers sent: a few at a time, bounded in time and memory, gone when nobody waits.

What is read ends its own process and nothing else when it breaks its reader. The child is a module of this package,
`python -I -m MODULE SECONDS MEMORY …`, which calls `withdrawal.withdraw` before anything else; it has no environment.
"""

from __future__ import annotations

import asyncio
import math
import sys
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from msgspec import Struct

_Read = TypeVar("_Read")

_PIPE_BYTES = 1 << 20
"""Of a child's output that wait to be read."""


class ChildOrder(Struct, frozen=True, kw_only=True):
    """What a child is to do, and within which bounds."""

    module: str
    arguments: tuple[str, ...]
    seconds: float
    memory_bytes: int

    @property
    def command(self) -> tuple[str, ...]:
        """The command line."""
        # The child's own alarm is for the day when this process is no more.
        bounds = (math.ceil(self.seconds) + 1, self.memory_bytes)
        return (sys.executable, "-I", "-m", self.module, *(str(bound) for bound in bounds), *self.arguments)


class BoundedChildren:
    """Runs children, `at_once` of them at the same time; the others wait for their turn."""

    def __init__(self, at_once: int) -> None:
        self._slots = asyncio.Semaphore(at_once)

    async def run(
        self, order: ChildOrder, source: Path | bytes, read: Callable[[StreamReader], Awaitable[_Read]]
    ) -> tuple[_Read, int]:
        """Return what `read` makes of the child's output, and the child's exit code; `source` is its input.

        Raises:
            TimeoutError: it took longer than its order says; whatever the reason, the child is gone afterwards.
        """
        async with self._slots:
            child = await _begin(order.command, source)
            try:
                async with asyncio.timeout(order.seconds):
                    return await _talk(child, source, read), await child.wait()
            finally:
                await _end(child)


async def _begin(command: Sequence[str], source: Path | bytes) -> Process:
    if isinstance(source, bytes):
        return await _start(command, PIPE)
    with await asyncio.to_thread(source.open, "rb") as document:
        return await _start(command, document)


async def _start(command: Sequence[str], source: BinaryIO | int) -> Process:
    """Start the child, and end it again where the client leaves meanwhile, which uvloop does not do by itself."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(*command, stdin=source, stdout=PIPE, stderr=DEVNULL, env={}, limit=_PIPE_BYTES)
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError):
            await _end(await starting)
        raise


async def _talk(child: Process, source: Path | bytes, read: Callable[[StreamReader], Awaitable[_Read]]) -> _Read:
    """Hand the child its input while what it writes is read: either pipe could be full."""
    if child.stdout is None:
        raise RuntimeError("the child was started without a pipe")
    feeding = asyncio.create_task(_feed(child, source)) if isinstance(source, bytes) else None
    try:
        return await read(child.stdout)
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def _feed(child: Process, content: bytes) -> None:
    if child.stdin is None:
        raise RuntimeError("the child was started without a pipe")
    with suppress(ConnectionError):  # It ended before it had read everything, and its exit code says why.
        child.stdin.write(content)
        await child.stdin.drain()
        child.stdin.close()


async def _end(child: Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.communicate()

"""Child processes that read what callers sent: a few at a time, bounded in time and memory, gone when nobody waits.

What is read ends its own process and nothing else when it breaks its reader. The child is a module of the house,
`python -I -m MODULE SECONDS MEMORY …`, which calls `withdrawal.withdraw` before anything else; it has no environment.
"""

from __future__ import annotations

import asyncio
import math
import sys
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from qwenport.children.fair_slots import FairSlots
from qwenport.children.starting import end_child, start_child

_Read = TypeVar("_Read")

_WAIT_S = 60.0


class ChildOrder(Struct, frozen=True, kw_only=True):
    """What a child is to do, and within which bounds."""

    module: str
    arguments: tuple[str, ...]
    seconds: float
    memory_bytes: int
    owner: str = ""
    """For whom it works: whoever asks for much waits behind himself."""

    @property
    def command(self) -> tuple[str, ...]:
        """The command line."""
        # The child's own alarm is for the day when this process is no more.
        bounds = (math.ceil(self.seconds) + 1, self.memory_bytes)
        return (sys.executable, "-I", "-m", self.module, *(str(bound) for bound in bounds), *self.arguments)


class BoundedChildren:
    """Runs children, `at_once` of them at the same time; the others wait for their turn, by turns of their owners."""

    def __init__(self, at_once: int, *, wait_s: float = _WAIT_S) -> None:
        self._slots = FairSlots(at_once, wait_s=wait_s)

    async def run(
        self, order: ChildOrder, source: Path | bytes, read: Callable[[StreamReader], Awaitable[_Read]]
    ) -> tuple[_Read, int]:
        """Return what `read` makes of the child's output, and the child's exit code; `source` is its input.

        Raises:
            TimeoutError: it took longer than its order says; whatever the reason, the child is gone afterwards.
            Overloaded: its turn did not come in time.
        """
        async with self._slots.hold(order.owner):
            child = await _begin(order.command, source)
            try:
                async with asyncio.timeout(order.seconds):
                    return await _talk(child, source, read), await child.wait()
            finally:
                await end_child(child)


async def _begin(command: Sequence[str], source: Path | bytes) -> Process:
    if isinstance(source, bytes):
        return await start_child(command, {}, errors=DEVNULL)
    with await asyncio.to_thread(source.open, "rb") as document:
        return await start_child(command, {}, source=document, errors=DEVNULL)


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

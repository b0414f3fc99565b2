"""How a child process is started, so that none stays behind whose caller left meanwhile."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

_PIPE_BYTES = 1 << 20
"""Of a child's output that wait to be read."""


async def start_child(
    command: Sequence[str], environment: Mapping[str, str], *, source: BinaryIO | int = PIPE, errors: int | None = None
) -> Process:
    """Return a child that reads `source` and writes to a pipe; `errors` is its standard error, None for our own.

    Raises:
        OSError: it cannot be started.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command, stdin=source, stdout=PIPE, stderr=errors, env=environment, limit=_PIPE_BYTES
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # uvloop leaves a child behind whose start is cancelled.
        with suppress(OSError):
            await end_child(await starting)
        raise


async def end_child(child: Process) -> None:
    """End a child, and read what it wrote to the end: it is not gone before its pipes are empty."""
    if child.returncode is None:
        child.kill()
        await child.communicate()

"""The host's end of one reading process."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from contextlib import suppress

import msgspec

from qwenport.children.starting import start_child
from qwenport.engines.ocr.frames import LENGTH_BYTES, framed, length_of
from qwenport.engines.ocr.wire import PageReply, decode_reply
from qwenport.engines.ocr.worker_order import MODULE, READY, WorkerExit, WorkerOrder, encode_order


class ProcessEnded(Exception):
    """A reading process ended, or said what cannot be understood; the words say how."""


class ReadingProcess:
    """One child; starts once, reads pages one after another."""

    def __init__(self, module: str = MODULE) -> None:
        """Start nothing yet; `module` is what the child runs."""
        self._module = module
        self._child: Process | None = None
        self.pages = 0
        """How many it has read."""
        self.rest: asyncio.TimerHandle | None = None
        """What ends it when it has had nothing to do for long."""

    @property
    def pid(self) -> int:
        """Return its process id, 0 before it was started."""
        return self._child.pid if self._child is not None else 0

    @property
    def is_alive(self) -> bool:
        """Tell whether it can be given a page."""
        return self._child is not None and self._child.returncode is None

    async def start(self, order: WorkerOrder) -> None:
        """Start it, and wait until its models are loaded.

        Raises:
            ProcessEnded: it ended instead.
        """
        command = (sys.executable, "-I", "-m", self._module)
        # By this, OpenMP of whichever library is told how many threads to use.
        environment = {"OMP_NUM_THREADS": str(order.reader.threads)}
        try:
            self._child = await start_child(command, environment)
        except OSError as error:
            raise ProcessEnded(f"it cannot be run: {error.strerror}") from error
        if await self._ask(encode_order(order)) != READY:
            raise ProcessEnded("it did not say that it is ready")

    async def read(self, message: bytes) -> PageReply:
        """Return the reply to a `PageOrder` in MessagePack.

        Raises:
            ProcessEnded: it ended on the way, or its reply is none.
        """
        self.pages += 1
        try:
            return decode_reply(await self._ask(message))
        except msgspec.MsgspecError as error:
            raise ProcessEnded("its reply is not understood") from error

    def wake(self) -> None:
        """Stop the time after which it would be ended."""
        if self.rest is not None:
            self.rest.cancel()

    def kill(self) -> None:
        """End it at once, without waiting for the end."""
        self.wake()
        if self._child is not None and self._child.returncode is None:
            with suppress(ProcessLookupError):
                self._child.kill()

    async def end(self) -> None:
        """End it, and wait until it is gone."""
        self.kill()
        if self._child is not None:
            # Shielded: a child that was killed ends in any case, and one that is not waited for stays in the list.
            await asyncio.shield(self._child.wait())

    async def _ask(self, message: bytes) -> bytes:
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise ProcessEnded("it was not started")
        try:
            child.stdin.write(framed(message))
            await child.stdin.drain()
            length = length_of(await child.stdout.readexactly(LENGTH_BYTES))
            return await child.stdout.readexactly(length)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise ProcessEnded(_words(await child.wait())) from error
        except ValueError as error:
            raise ProcessEnded(str(error)) from error


def _words(code: int) -> str:
    match code:
        case WorkerExit.WEIGHTS_UNREADABLE:
            return "a model file is missing or not the pinned one; its log says which"
        case WorkerExit.OUT_OF_MEMORY:
            return "it ran out of the memory that it may have"
        case _ if code < 0:
            return f"it was ended by signal {-code}"
        case _:
            return f"it ended with status {code}"

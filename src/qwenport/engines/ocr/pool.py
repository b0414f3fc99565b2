"""Processes that read pages: as many as the machine has cores, replaced when they are worn, stuck or dead."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from qwenport.engines.ocr.pool_order import PoolOrder
from qwenport.engines.ocr.reading_process import ProcessEnded, ReadingProcess
from qwenport.engines.ocr.wire import Failure, PageFailed, PageOrder, PageReply, encode
from qwenport.engines.ocr.worker_order import MODULE, WorkerOrder

_LOAD_S = 60.0
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 15.0


class _Unready(Exception):
    """No process could be made ready; the words say why."""


class ReadingPool:
    """Reads pages, each in a process of its own kind; whoever came first is read first.

    A page that ends its process, or exhausts one that had read others, is given to a fresh one, once: the process may
    have been worn, or dead already. What ends that one too has failed, and costs other pages nothing but the processes.
    Only where none can be made ready the next is started later, and later still.
    A process is started for the first page that finds none free. Cancelling `read` gives up the place in the queue,
    or ends the process that is at work on the page.
    """

    def __init__(self, order: PoolOrder, *, module: str = MODULE) -> None:
        """Start nothing yet; `module` is what the processes run."""
        self._order = order
        self._module = module
        self._worker_order = WorkerOrder(reader=order.reader, page_s=order.page_s, memory_bytes=order.memory_bytes)
        # Its waiters are served in the order in which they came, and leave when they are cancelled.
        self._places = asyncio.Semaphore(order.size)
        self._idle: list[ReadingProcess] = []
        self._alive: set[ReadingProcess] = set()
        self._failures = 0
        """Starts in a row after which no process was ready."""
        self._not_before = 0.0
        """When the next process may be started, by the loop's clock."""

    @property
    def processes(self) -> tuple[int, ...]:
        """Return the process ids of all that are alive."""
        return tuple(sorted(process.pid for process in self._alive if process.pid))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End every process."""
        while self._alive:
            await self._end(self._alive.pop())
        self._idle.clear()

    async def read(self, order: PageOrder) -> PageReply:
        """Return what was read, or why nothing was; waits for a process that is free."""
        message = encode(order)
        async with self._places:
            try:
                process = await self._idle_process() or await self._new_process()
                had_read = process.pages > 0
                reply = await self._read(message, process)
                if _may_be_worn(reply, had_read=had_read):
                    reply = await self._read(message, await self._new_process())
            except _Unready as error:
                return PageFailed(failure=Failure.NO_READER, reason=str(error))
            return reply

    async def _read(self, message: bytes, process: ReadingProcess) -> PageReply:
        reply: PageReply | None = None
        try:
            async with asyncio.timeout(self._order.page_s):
                reply = await process.read(message)
        except TimeoutError:
            return PageFailed(failure=Failure.TOO_SLOW, reason=f"it took longer than {self._order.page_s:g} seconds")
        except ProcessEnded as ended:
            return PageFailed(failure=Failure.CRASHED, reason=str(ended))
        else:
            return reply
        finally:
            await self._release(process, is_good=reply is not None and not _spoils(reply))

    async def _idle_process(self) -> ReadingProcess | None:
        while self._idle:
            process = self._idle.pop()
            process.wake()
            if process.is_alive:
                return process
            await self._end(process)
        return None

    async def _new_process(self) -> ReadingProcess:
        """Return one that is ready; raises `_Unready`."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._not_before - loop.time()))
        process = ReadingProcess(self._module)
        self._alive.add(process)
        try:
            async with asyncio.timeout(_LOAD_S):
                await process.start(self._worker_order)
        except BaseException as error:
            await self._end(process)
            if isinstance(error, TimeoutError):
                self._count_failure()
                raise _Unready(f"its models were not loaded within {_LOAD_S:g} seconds") from error
            if isinstance(error, ProcessEnded):
                self._count_failure()
                raise _Unready(str(error)) from error
            raise
        self._failures = 0
        return process

    async def _release(self, process: ReadingProcess, *, is_good: bool) -> None:
        if not is_good or process.pages >= self._order.recycle_pages or process not in self._alive:
            await self._end(process)
            return
        process.rest = asyncio.get_running_loop().call_later(self._order.idle_s, self._retire, process)
        self._idle.append(process)

    def _retire(self, process: ReadingProcess) -> None:
        with suppress(ValueError):
            self._idle.remove(process)
            process.kill()
            self._alive.discard(process)

    async def _end(self, process: ReadingProcess) -> None:
        self._alive.discard(process)
        await process.end()

    def _count_failure(self) -> None:
        self._failures += 1
        delay = min(_FIRST_DELAY_S * 2 ** (self._failures - 1), _LONGEST_DELAY_S)
        self._not_before = asyncio.get_running_loop().time() + delay


def _spoils(reply: PageReply) -> bool:
    return isinstance(reply, PageFailed) and reply.failure is Failure.OUT_OF_MEMORY


def _may_be_worn(reply: PageReply, *, had_read: bool) -> bool:
    """Tell whether another process may read what this one failed at."""
    if not isinstance(reply, PageFailed):
        return False
    return reply.failure is Failure.CRASHED or (reply.failure is Failure.OUT_OF_MEMORY and had_read)

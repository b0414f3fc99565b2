"""Bodies on their way into the database: taken without waiting, written a batch at a time.

Failure policy: the queue is bounded in bytes, and what does not fit is dropped and counted. Bodies are for looking at,
nothing is billed by them, so a slow database costs some of them and no call. While the database cannot be written to
they wait; with the process they end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from qwenport.files.blocking import RunBlocking
from qwenport.storage import body_rows
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.database import Database

MOST_BYTES = 64 << 20
"""Memory that waiting bodies may take."""
BATCH_BYTES = 4 << 20
"""In one transaction: the books are written by the same thread, and must not wait long."""
BODY_BYTES = 512
"""What a body takes beside its content."""


class BodyQueue:
    """The queue of one gateway worker."""

    def __init__(
        self,
        database: Database,
        run: RunBlocking,
        *,
        on_dropped: Callable[[], None],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Write in the thread of `run`; `on_dropped` hears of every body that did not fit."""
        self._database = database
        self._run = run
        self._on_dropped = on_dropped
        self._most_bytes = most_bytes
        self._waiting: deque[StoredBody] = deque()
        self._bytes = 0
        self._flushing = asyncio.Lock()

    def keep(self, body: StoredBody) -> None:
        """Take a body to be written, or drop it where the queue is full."""
        size = _size(body)
        if self._bytes + size > self._most_bytes:
            self._on_dropped()
            return
        self._waiting.append(body)
        self._bytes += size

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            StorageUnavailable: what was not written goes on waiting.
        """
        async with self._flushing:
            while batch := self._batch():
                await self._run(partial(self._write, batch))
                for body in batch:
                    self._waiting.popleft()
                    self._bytes -= _size(body)

    def _write(self, batch: Sequence[StoredBody]) -> None:
        with self._database.write() as transaction:
            body_rows.add(transaction, batch)

    def _batch(self) -> list[StoredBody]:
        """Return the oldest bodies, at least one where any waits."""
        batch: list[StoredBody] = []
        room = BATCH_BYTES
        for body in self._waiting:
            if batch and _size(body) > room:
                break
            batch.append(body)
            room -= _size(body)
        return batch


def _size(body: StoredBody) -> int:
    return len(body.request) + len(body.answer) + BODY_BYTES

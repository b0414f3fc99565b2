"""What a worker does beside its calls: sync and post the journal, follow changes of keys, void dead holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from qwenport.accounts.accounts import Accounts
from qwenport.accounts.key_ring import KeyRing
from qwenport.app.background import every
from qwenport.core.errors import StorageUnavailable
from qwenport.gate.admission import Gate
from qwenport.metering.flush import Books
from qwenport.metering.replay import Poster

T = TypeVar("T")

SYNC_S = 0.05
"""A power cut loses at most what was settled within this time."""
POST_S = 0.5
KEYS_S = 0.25
"""A change of a key is in force everywhere within a second."""
EXPIRE_S = 1.0
USES_S = 10.0


class Bookkeeper:
    """The worker's only way to the database: one thread, so that nothing of it delays a call."""

    def __init__(self, gate: Gate, books: Books, accounts: Accounts, ring: KeyRing) -> None:
        self._gate = gate
        self._accounts = accounts
        self._ring = ring
        self._poster = Poster(gate.journal, books.post)
        self._books_thread = ThreadPoolExecutor(1, thread_name_prefix="books")
        self._sync_thread = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._posting = asyncio.Lock()

    async def keep(self) -> None:
        """Do all of it until cancelled."""
        async with asyncio.TaskGroup() as group:
            for seconds, step in (
                (SYNC_S, self._sync),
                (POST_S, self.post),
                (KEYS_S, self.follow_keys),
                (EXPIRE_S, self._expire),
                (USES_S, self._note_uses),
            ):
                group.create_task(every(seconds, step))

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work of the database in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._books_thread, work)

    async def post(self) -> None:
        """Bring the books up to the journal.

        Raises:
            StorageUnavailable: the database cannot be written; nothing is lost, the journal keeps it.
        """
        async with self._posting:
            number, offset = self._gate.journal.number, self._gate.journal.offset
            await self.run(lambda: self._poster.post_written(number, offset))

    async def follow_keys(self) -> None:
        """Take in the changes of keys since the last time."""
        changes = await self.run(lambda: self._accounts.changed_since(self._ring.revision))
        self._ring.update(changes)

    async def close(self) -> None:
        """Do everything once more, at the end."""
        await self._gate.drain()
        try:
            await self.post()
            await self._note_uses()
        except StorageUnavailable:
            pass  # the journal keeps what could not be posted; the next start replays it
        self._books_thread.shutdown()
        self._sync_thread.shutdown()

    async def _sync(self) -> None:
        journal = self._gate.journal
        if journal.unwritten:
            journal.retry()
        if journal.is_dirty:
            await asyncio.get_running_loop().run_in_executor(self._sync_thread, journal.sync)

    async def _expire(self) -> None:
        self._gate.void_expired()

    async def _note_uses(self) -> None:
        uses = self._ring.take_uses()
        if uses:
            await self.run(lambda: self._accounts.touch_last_used(uses))

"""What a worker does beside its calls: sync and post the journal, follow changes, void dead holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from qwenport.accounts.api_keys import ApiKeys
from qwenport.app.background import every
from qwenport.app.followed import Followed
from qwenport.core.errors import StorageUnavailable
from qwenport.gate.admission import Gate
from qwenport.metering.backlog import Backlog
from qwenport.metering.flush import Books
from qwenport.metering.neighbour import Neighbour
from qwenport.metering.records import Hold
from qwenport.metering.replay import Poster
from qwenport.observability.metrics import Metrics
from qwenport.server.admin.parts import OpenBooks

T = TypeVar("T")

SYNC_S = 0.05
"""A power cut loses at most what was settled within this time."""
POST_S = 0.5
FOLLOW_S = 0.25
"""A change is in force everywhere within a second."""
EXPIRE_S = 1.0
USES_S = 10.0
READERS = 2
"""Long reads at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookkeeperParts:
    """What the bookkeeper works with."""

    gate: Gate
    books: Books
    followed: Followed
    keys: ApiKeys
    metrics: Metrics
    backlog: Backlog
    neighbours: Sequence[Neighbour] = ()
    """The journals of the other workers."""
    grace_s: float = 5.0
    """How long calls still run when the database does not answer."""


class Bookkeeper:
    """The worker's way to the database: one thread for what is written, so that nothing of it delays a call."""

    def __init__(self, parts: BookkeeperParts) -> None:
        self._parts = parts
        self._gate = parts.gate
        self._poster = Poster(parts.gate.journal, parts.books.post)
        self._books_thread = ThreadPoolExecutor(1, thread_name_prefix="books")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="reads")
        self._sync_thread = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._posting = asyncio.Lock()
        self._following = asyncio.Lock()
        self._failing: dict[str, float] = {}
        """Since when what does not work any more, on the monotonic clock."""

    async def keep(self) -> None:
        """Do all of it until cancelled."""
        async with asyncio.TaskGroup() as group:
            for seconds, step in (
                (SYNC_S, self._sync),
                (POST_S, lambda: self._watched("post", self.post)),
                (FOLLOW_S, lambda: self._watched("follow", self.follow)),
                (EXPIRE_S, self._expire),
                (USES_S, self._note_uses),
            ):
                group.create_task(every(seconds, step))

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work of the database in the thread that writes it."""
        return await asyncio.get_running_loop().run_in_executor(self._books_thread, work)

    async def read_aside(self, work: Callable[[], T]) -> T:
        """Run a long read in a thread of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, work)

    async def post(self) -> None:
        """Bring the books up to this worker's journal.

        Raises:
            StorageUnavailable: the database cannot be written; nothing is lost, the journal keeps it.
        """
        parts, loop = self._parts, asyncio.get_running_loop()
        async with self._posting:
            number, offset = parts.backlog.begin()
            began = loop.time()
            new = await self.run(lambda: self._poster.post_written(number, offset))
            parts.backlog.done()
            if new:
                parts.metrics.count_posting(new, loop.time() - began)

    async def post_all(self) -> None:
        """Bring the books up to the journals of all workers; raises as `post` does."""
        await self.post()
        for neighbour in self._parts.neighbours:
            await self.run(neighbour.post_written)

    async def follow(self) -> None:
        """Take in what has changed since the last time; raises `StorageUnavailable`."""
        followed = self._parts.followed
        async with self._following:
            followed.take_in(await self.run(followed.read), self._gate.counters)

    @property
    def storage_up(self) -> bool:
        """Return whether the database answered the last time."""
        return not self._failing

    def open_holds(self) -> list[Hold]:
        """Return the calls that are running, of all workers as far as their journals were read."""
        neighbours = (neighbour.open_holds.values() for neighbour in self._parts.neighbours)
        return [*self._gate.journal.open_holds.values(), *chain.from_iterable(neighbours)]

    def open_books(self) -> OpenBooks:
        """Return what the journals hold that the books do not."""
        now = self._gate.clock.timestamp()
        holds = self.open_holds()
        return OpenBooks(
            open_holds=len(holds),
            stale_holds=sum(hold.expires_at <= now for hold in holds),
            unposted=self._parts.backlog.settlements,
            backlog_bytes=self._parts.backlog.size_bytes,
        )

    async def close(self) -> None:
        """Do everything once more, at the end."""
        await self._gate.drain()
        try:
            await self.post()
            await self._note_uses()
        except StorageUnavailable:
            pass  # the journal keeps what could not be posted; the next start replays it
        for thread in (self._books_thread, self._read_threads, self._sync_thread):
            thread.shutdown()

    async def _watched(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step; when it has failed for too long the gate lets nothing through, until it works again.

        What is not in the books cannot be billed, and a backlog without end would fill the disk.
        """
        now = self._gate.clock.monotonic()
        try:
            await step()
        except StorageUnavailable as error:
            if now - self._failing.setdefault(name, now) >= self._parts.grace_s:
                self._gate.closed = error
            raise
        self._failing.pop(name, None)
        if not self._failing:
            self._gate.closed = None

    async def _sync(self) -> None:
        journal = self._gate.journal
        if journal.unwritten:
            journal.retry()
        if journal.is_dirty:
            await asyncio.get_running_loop().run_in_executor(self._sync_thread, journal.sync)

    async def _expire(self) -> None:
        self._gate.void_expired()

    async def _note_uses(self) -> None:
        uses = self._parts.followed.keys.take_uses()
        if uses:
            await self.run(lambda: self._parts.keys.touch_last_used(uses))

"""Receiving one file: straight to disk under a name of no meaning, with its size and digest, bounded.

A megabyte at most waits in memory. Disk work runs in threads; cancelling whoever waits for one does not stop it, so
a lock keeps the pieces and the removal apart.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from qwenport.core.errors import StorageUnavailable
from qwenport.files.disk_errors import FULL, translated

FLUSH_BYTES = 1 << 20
HEAD_BYTES = 16
"""How much of the beginning is kept in mind, to tell what kind of file it is."""


class StagedFile:
    """A file that is coming in. Every coroutine raises `StorageUnavailable` where the disk refuses."""

    def __init__(self, path: Path, *, limit_bytes: int, has_room: Callable[[], bool]) -> None:
        """Begin at a path where nothing is yet; `has_room` tells whether the disk has space to spare."""
        self.path = path
        self.size_bytes = 0
        self.head = b""
        self._limit_bytes = limit_bytes
        self._has_room = has_room
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._lock = threading.Lock()
        self._is_open = True
        with translated():
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @property
    def is_too_large(self) -> bool:
        """Whether more came than the limit; nothing is on disk any more then."""
        return self.size_bytes > self._limit_bytes

    @property
    def md5(self) -> str:
        """Lower-case hexadecimal digits; of the whole file once it is closed."""
        return self._digest.hexdigest()

    async def write(self, piece: bytes) -> None:
        """Take in the next piece; beyond the limit it is only counted."""
        was_too_large = self.is_too_large
        self.size_bytes += len(piece)
        if self.is_too_large:
            if not was_too_large:
                await self.discard()
            return
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + piece[:HEAD_BYTES])[:HEAD_BYTES]
        self._pending.append(piece)
        self._pending_bytes += len(piece)
        if self._pending_bytes >= FLUSH_BYTES:
            await self._flush()

    async def close(self) -> None:
        """Bring everything to the disk; afterwards the file survives a power cut."""
        await self._flush()
        await asyncio.to_thread(self._sync)

    async def discard(self) -> None:
        """Remove the file; may be called at any time and again."""
        self._pending.clear()
        self._pending_bytes = 0
        await asyncio.to_thread(self._remove)

    async def _flush(self) -> None:
        pieces, self._pending, self._pending_bytes = self._pending, [], 0
        if pieces:
            await asyncio.to_thread(self._append, pieces)

    def _append(self, pieces: list[bytes]) -> None:
        with self._lock, translated():
            if not self._is_open:
                return
            if not self._has_room():
                raise StorageUnavailable(FULL)
            for piece in pieces:
                self._digest.update(piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]

    def _sync(self) -> None:
        with self._lock, translated():
            if self._is_open:
                os.fsync(self._descriptor)
                self._close()

    def _remove(self) -> None:
        with self._lock, translated():
            if self._is_open:
                self._close()
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        self._is_open = False
        os.close(self._descriptor)

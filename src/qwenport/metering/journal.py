"""The usage journal: a hold before a call runs, a settlement before its last byte leaves.

Failure policy: a call that cannot be written down is not run (`StorageUnavailable`). Room for the settlement is set
aside together with the hold, so that a disk that fills up in between loses nothing. A line that was written survives
the end of the process; `sync`, called every 50 ms, makes it survive a power cut.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import msgspec

from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import RequestId
from qwenport.metering.records import Hold, Settlement
from qwenport.metering.segment import allocate, frame

log = logging.getLogger(__name__)

SEGMENT_BYTES = 8 << 20
SETTLEMENT_EXTRA_BYTES = 1536
"""A settlement holds its hold and, beyond that, at most this many bytes: numbers, an error code, engine and model, and
eight names with their counts."""


def segment_name(number: int) -> str:
    """Return the file name of a segment; names sort as numbers do."""
    return f"{number:012d}.journal"


def segments(folder: Path) -> list[Path]:
    """Return a slot's segments, oldest first."""
    return sorted(folder.glob("*.journal"))


class Journal:
    """Writer of one worker slot's journal. Not shared between threads or processes, but for `sync`."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Begin a new segment in `folder`; earlier segments are left for replay.

        Raises:
            StorageUnavailable: the folder cannot be written to, or the disk is full.
        """
        self.folder = folder
        self.open_holds: dict[RequestId, Hold] = {}
        self.unwritten: list[Settlement] = []
        """Settlements that the disk did not take; they are tried again at every `retry`."""
        self._segment_bytes = segment_bytes
        self._encoder = msgspec.json.Encoder()
        self._reserved = 0
        self._sizes: dict[RequestId, int] = {}
        self._dirty = False
        self._syncing = threading.Lock()
        """Held while the descriptor is synced, so that it is not closed and its number reused meanwhile."""
        self._descriptor = -1
        self.number = 0
        self.offset = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        used = [int(path.stem) for path in folder.iterdir() if path.stem.isdecimal()]
        self._begin_segment(max(used, default=0) + 1, 0)

    def hold(self, hold: Hold) -> None:
        """Write down that a call was admitted, and set room for its settlement aside.

        Raises:
            StorageUnavailable: the disk is full or broken; nothing was written.
        """
        if self.unwritten:
            raise StorageUnavailable("earlier settlements are still waiting for the disk")
        line = frame(self._encoder.encode(hold))
        reserve = len(line) + SETTLEMENT_EXTRA_BYTES
        if self.offset + len(line) + reserve + self._reserved > self._size:
            self._begin_segment(self.number + 1, len(line) + reserve)
        self._write(line)
        self._reserved += reserve
        self._sizes[hold.id] = reserve
        self.open_holds[hold.id] = hold

    def settle(self, settlement: Settlement) -> bool:
        """Replace a hold by what was consumed; the first settlement of a hold wins.

        Returns whether this was the first. Never raises: what the disk does not take is kept and tried again.
        """
        if self.open_holds.pop(settlement.hold.id, None) is None:
            return False
        try:
            self._write(frame(self._encoder.encode(settlement)))
        except StorageUnavailable:
            log.critical("a settlement could not be written, and is kept in memory", exc_info=True)
            self.unwritten.append(settlement)
        else:
            self._reserved -= self._sizes.pop(settlement.hold.id)
        return True

    def retry(self) -> None:
        """Write the settlements that the disk refused earlier.

        Raises:
            StorageUnavailable: the disk still refuses.
        """
        while self.unwritten:
            settlement = self.unwritten[0]
            self._write(frame(self._encoder.encode(settlement)))
            self._reserved -= self._sizes.pop(settlement.hold.id)
            del self.unwritten[0]

    @property
    def is_dirty(self) -> bool:
        """Whether something was written since the last `sync`."""
        return self._dirty

    def sync(self) -> None:
        """Make all that was written survive a power cut; may be called from another thread.

        Raises:
            OSError: the disk reports an error.
        """
        with self._syncing:
            self._sync()

    def close(self) -> None:
        """Sync and close; holds that are still open are left for replay."""
        with self._syncing:
            if self._descriptor >= 0:
                try:
                    self._sync()
                finally:
                    os.close(self._descriptor)
                    self._descriptor = -1

    def _sync(self) -> None:
        if self._dirty:
            self._dirty = False
            try:
                os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
            except OSError:
                self._dirty = True
                raise

    def _begin_segment(self, number: int, need: int) -> None:
        """Go on in a new file, which starts with a copy of every open hold, so that older files can be dropped."""
        carried = b"".join(frame(self._encoder.encode(hold)) for hold in self.open_holds.values())
        # Twice what is needed: with room for the one call alone, each further call would copy every open hold again.
        size = max(self._segment_bytes, 2 * (len(carried) + self._reserved + need))
        path = self.folder / segment_name(number)
        try:
            descriptor = allocate(path, size)
        except OSError as error:
            raise StorageUnavailable(f"the journal cannot grow: {error.strerror}") from error
        try:
            _write(descriptor, carried, 0)
        except OSError as error:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise StorageUnavailable(f"the journal cannot go on in a new file: {error.strerror}") from error
        try:
            self.close()
        except OSError:
            # Everything was written and survives the end of the process; the calls that run go on in the new file.
            log.critical("segment %d of the journal could not be synced", self.number, exc_info=True)
        self._descriptor, self._size, self.number, self.offset = descriptor, size, number, len(carried)
        self._dirty = bool(carried)

    def _write(self, lines: bytes) -> None:
        try:
            _write(self._descriptor, lines, self.offset)
        except OSError as error:
            raise StorageUnavailable(f"the journal cannot be written: {error.strerror}") from error
        self.offset += len(lines)
        self._dirty = True


def _write(descriptor: int, content: bytes, offset: int) -> None:
    """Write all of it, also where the system takes it in parts; raises `OSError`."""
    written = os.pwrite(descriptor, content, offset)
    while written < len(content):
        written += os.pwrite(descriptor, memoryview(content)[written:], offset + written)

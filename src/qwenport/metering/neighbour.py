"""The journal of another worker, read while it is written: what stands in it goes into the books before they are read.

Posting is idempotent by request id, so that its own worker may post the same settlements at the same time.
"""

from __future__ import annotations

from pathlib import Path

from qwenport.core.ids import RequestId
from qwenport.metering.journal import segments
from qwenport.metering.records import Hold, Settlement
from qwenport.metering.replay import BATCH, Post, decode_line
from qwenport.metering.segment import read_lines

_HEAD_BYTES = 64
"""Of a segment: the checksum of its first line and the id in it, so that no two begin alike."""


class Neighbour:
    """Follows one worker slot's journal without ever writing to it. Used from the books' thread alone."""

    def __init__(self, folder: Path, post: Post) -> None:
        self._folder = folder
        self._post = post
        self._path: Path | None = None
        self._offset = 0
        self._head = b""
        self.open_holds: dict[RequestId, Hold] = {}
        """Calls of that worker that were running when it was last read."""

    def post_written(self) -> int:
        """Post what was written since the last time; return how many rows were new.

        Raises:
            StorageUnavailable: the books cannot be written; what was not posted is read again.
        """
        new = 0
        while True:
            try:
                new += self._read()
            except FileNotFoundError:
                # Its worker has posted and dropped the segment. The oldest that is left begins with every open hold.
                self._path = None
                continue
            return new

    def _read(self) -> int:
        new = 0
        paths = segments(self._folder)
        if self._path is None or self._path not in paths or self._is_another(self._path):
            self._begin(paths[0] if paths else None)
        for path in paths:
            if self._path is None or path < self._path:
                continue
            if path != self._path:
                self._path, self._offset = path, 0
            new += self._read_segment(path)
        return new

    def _is_another(self, path: Path) -> bool:
        """Tell whether a file is not the one that was read: a slot that was cleared counts its files from 1 again."""
        return self._offset > 0 and _head(path) != self._head

    def _begin(self, path: Path | None) -> None:
        self._path, self._offset = path, 0
        self.open_holds = {}

    def _read_segment(self, path: Path) -> int:
        new = 0
        batch: list[Settlement] = []
        place = self._offset
        for place, line in read_lines(path, self._offset):
            record = decode_line(line, path)
            if isinstance(record, Hold):
                self.open_holds[record.id] = record
            elif record is not None:
                self.open_holds.pop(record.hold.id, None)
                batch.append(record)
            if len(batch) >= BATCH:
                new += self._post(batch)
                self._offset, batch = place, []
        if batch:
            new += self._post(batch)
        self._offset = place
        self._head = _head(path)
        return new


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)

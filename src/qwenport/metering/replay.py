"""From journal to books: the same reading serves the running gateway and the slot of a process that ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from qwenport.core.clock import Clock
from qwenport.core.ids import RequestId
from qwenport.metering.journal import Journal, segment_name, segments
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.metering.segment import CHECK_BYTES, read_lines, unframe

log = logging.getLogger(__name__)

BATCH = 500

Post = Callable[[Sequence[Settlement]], int]
"""Writes settlements into the books, once each however often they come; raises `StorageUnavailable`."""

_HOLD = b'{"line":"hold",'
"""How the payload of every hold begins."""

_decoder: msgspec.json.Decoder[Hold | Settlement] = msgspec.json.Decoder(Hold | Settlement)


def decode_line(line: bytes, where: Path) -> Hold | Settlement | None:
    """Return what a line says, or None, with an error in the log, where it is torn or damaged."""
    payload = unframe(line)
    if payload is not None:
        try:
            return _decoder.decode(payload)
        except msgspec.DecodeError:
            pass
    log.error("a damaged line of %d bytes in journal %s was passed over", len(line), where.name)
    return None


class Poster:
    """Carries settlements from a live journal into the books, batch by batch, and drops segments that are done."""

    def __init__(self, journal: Journal, post: Post) -> None:
        self._journal = journal
        self._post = post
        self._number = journal.number
        self._offset = 0

    def post_written(self, number: int, offset: int) -> int:
        """Post all that was written before this place of the journal; return how many rows were new.

        Called from the books' thread; the place is read on the writer's thread beforehand.

        Raises:
            StorageUnavailable: the books cannot be written; what was posted stays posted, the rest is tried again.
        """
        new = 0
        while (self._number, self._offset) < (number, offset):
            end = offset if self._number == number else None
            new += self._post_segment(end)
            if self._number < number:
                done = self._path()
                self._number, self._offset = self._number + 1, 0
                done.unlink(missing_ok=True)
            else:
                break
        return new

    def _path(self) -> Path:
        return self._journal.folder / segment_name(self._number)

    def _post_segment(self, end: int | None) -> int:
        new = 0
        batch: list[Settlement] = []
        place, path = self._offset, self._path()
        for place, line in read_lines(path, self._offset, end):
            # What holds say is said again by their settlements; those without one are known to the journal.
            if line.startswith(_HOLD, CHECK_BYTES):
                continue
            record = decode_line(line, path)
            if isinstance(record, Settlement):
                batch.append(record)
            if len(batch) >= BATCH:
                new += self._post(batch)
                self._offset, batch = place, []
        if batch:
            new += self._post(batch)
        self._offset = place
        return new


def replay(folder: Path, post: Post, clock: Clock) -> int:
    """Post what a worker slot left behind when its process ended, and clear the slot; return the number of new rows.

    A hold without a settlement belonged to a call that was cut off: it is posted as `lost`, with nothing consumed.
    A segment with damaged lines is kept beside the others, its name ending in `.damaged`.

    Raises:
        StorageUnavailable: the books cannot be written; the slot is left as it is.
    """
    paths = segments(folder)
    holds: dict[RequestId, Hold] = {}
    new = 0
    damaged: set[Path] = set()
    for batch in _batches(_records(paths, damaged), holds):
        new += post(batch)
    now = clock.timestamp()
    lost = [Settlement(hold=hold, at=now, outcome=Outcome.LOST, status=500, error="lost") for hold in holds.values()]
    for start in range(0, len(lost), BATCH):
        new += post(lost[start : start + BATCH])
    for path in paths:
        if path in damaged:
            path.rename(path.with_suffix(".damaged"))
        else:
            path.unlink()
    return new


def _records(paths: Sequence[Path], damaged: set[Path]) -> Iterator[Hold | Settlement]:
    for path in paths:
        for _, line in read_lines(path, 0):
            record = decode_line(line, path)
            if record is None:
                damaged.add(path)
            else:
                yield record


def _batches(records: Iterator[Hold | Settlement], holds: dict[RequestId, Hold]) -> Iterator[list[Settlement]]:
    """Yield settlements in batches; `holds` is left with the holds that none of them settled."""
    batch: list[Settlement] = []
    settled: set[RequestId] = set()
    for record in records:
        if isinstance(record, Hold):
            if record.id not in settled:
                holds[record.id] = record
            continue
        holds.pop(record.hold.id, None)
        settled.add(record.hold.id)
        batch.append(record)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch

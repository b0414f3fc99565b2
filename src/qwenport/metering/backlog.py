"""How far the books are behind the journal: how many settlements, since when, how many bytes."""

from __future__ import annotations

from qwenport.core.clock import Clock
from qwenport.metering.journal import Journal, segment_name


class Backlog:
    """Told of every settlement and every posting of one worker's journal; costs a call two additions."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._posted = self._posting = (journal.number, 0)
        self._counts = [0, 0]
        """Settlements that are being posted, or were when that failed, and those after them."""
        self._since: list[float] = [0.0, 0.0]
        """When the first of each was written, on the monotonic clock."""

    def settled(self) -> None:
        """Count a settlement that was written."""
        if not self._counts[1]:
            self._since[1] = self._clock.monotonic()
        self._counts[1] += 1

    def begin(self) -> tuple[int, int]:
        """Take all that is written for what is posted next, and return where it ends: segment and offset."""
        if self._counts[1] and not self._counts[0]:
            self._since[0] = self._since[1]
        self._counts = [sum(self._counts), 0]
        self._posting = (self._journal.number, self._journal.offset)
        return self._posting

    def done(self) -> None:
        """Count as posted what `begin` took; not called where the books could not be written."""
        self._counts[0] = 0
        self._posted = self._posting

    @property
    def settlements(self) -> int:
        """Return how many settlements the books do not hold yet."""
        return sum(self._counts)

    @property
    def oldest_s(self) -> float:
        """Return how long the oldest of them has waited, in seconds; 0 where there is none."""
        for count, since in zip(self._counts, self._since, strict=True):
            if count:
                return self._clock.monotonic() - since
        return 0.0

    @property
    def size_bytes(self) -> int:
        """Return how much of the journal lies behind what was posted, the room set aside in full segments included."""
        number, offset = self._posted
        if number == self._journal.number:
            return self._journal.offset - offset
        full = (self._journal.folder / segment_name(each) for each in range(number, self._journal.number))
        return max(0, sum(path.stat().st_size for path in full if path.exists()) - offset) + self._journal.offset

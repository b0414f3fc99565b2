"""How much fell into the last so many seconds, to the moment, in bounded memory."""

from __future__ import annotations

from collections import deque

GRAINS = 1000
"""Parts of a window. What comes within one part is kept as one amount with the latest of its moments, so that nothing
leaves too early, and a window holds at most GRAINS + 1 amounts (about 170 KB; a few hundred bytes for most)."""


class Bucket:
    """What came at one moment, or within one part of the window."""

    __slots__ = ("amount", "first", "moment")

    def __init__(self, moment: int, amount: int) -> None:
        self.first = moment
        self.moment = moment
        self.amount = amount


class SlidingWindow:
    """Amounts of the last `width`; moments are whole microseconds of a clock that never goes back."""

    __slots__ = ("_buckets", "_grain", "_width", "total")

    def __init__(self, width_us: int) -> None:
        self._width = width_us
        self._grain = width_us // GRAINS
        self._buckets: deque[Bucket] = deque()
        self.total = 0
        """What lies in the window, after `look`."""

    def look(self, now: int) -> int:
        """Drop what has left the window, and return what is in it."""
        buckets, gone = self._buckets, now - self._width
        while buckets and buckets[0].moment <= gone:
            self.total -= buckets.popleft().amount
        return self.total

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted that has not left, after `look`."""
        return not self._buckets

    def add(self, now: int, amount: int) -> Bucket:
        """Count an amount now."""
        buckets = self._buckets
        self.total += amount
        if buckets:
            last = buckets[-1]
            if now < last.moment:  # noqa: PLR1730 - max() takes three times as long, on the path of every call
                now = last.moment
            if now - last.first <= self._grain:
                last.moment = now
                last.amount += amount
                return last
        bucket = Bucket(now, amount)
        buckets.append(bucket)
        return bucket

    def correct(self, now: int, bucket: Bucket, difference: int) -> None:
        """Change an amount that was counted earlier; what is more than it counts from now on."""
        self.look(now)
        if difference > 0:
            self.add(now, difference)
        elif bucket.moment > now - self._width:
            bucket.amount += difference
            self.total += difference

    def wait_us(self, now: int, amount: int, cap: int) -> int:
        """Return how long it takes until an amount fits; the whole width where it never does."""
        over = self.total + amount - cap
        for bucket in self._buckets:
            over -= bucket.amount
            if over <= 0:
                return bucket.moment + self._width - now
        return self._width

    def reset_us(self, now: int) -> int:
        """Return how long it takes until the window is empty, if nothing comes."""
        return self._buckets[-1].moment + self._width - now if self._buckets else 0

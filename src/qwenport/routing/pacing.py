"""The pace of one upstream account and model within this process.

Model Studio enforces requests and tokens a minute by the second, as RPM/60 and TPM/60
(https://www.alibabacloud.com/help/en/model-studio/rate-limit), so a burst is a second's worth and never more than the
minute's. 429s halve the pace, which comes back evenly within a minute; one 429 among many answers does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from qwenport.core.clock import Clock
from qwenport.routing.target import Pace

RECOVERY_S = 60.0
"""Model Studio's limits recover within a minute."""
NARROWEST = 1 / 16
ONE_SIGNAL_S = 1.0
"""Calls that were under way together are refused together; that counts once."""
SIGNAL_PART = 0.2
"""Of the tries that ended of late so many must be 429s to mean everybody; one of many means the one call."""
LONGEST_CLOSED_S = 60.0
SAME_MOMENT_S = 1e-6
"""Less than this is the rounding of fractions."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How much passes: by the generic cell rate algorithm, no minute holds more than `per_minute`."""

    interval_s: float
    """Time that one request or token takes up."""
    burst: int
    """How many pass at once."""
    most: int

    @classmethod
    def of(cls, per_minute: float) -> Rhythm:
        """Return the rhythm of a limit."""
        most = max(1, int(per_minute))
        burst = max(1, most // 60)
        # A minute that begins with a burst holds no more than any other one.
        return cls(60 / (most - burst + 1), burst, most)


class Rate:
    """A rhythm and how far it is used up."""

    __slots__ = ("_due", "rhythm")

    def __init__(self, rhythm: Rhythm) -> None:
        self.rhythm = rhythm
        self._due = -math.inf

    def wait_s(self, now: float, amount: int, factor: float) -> float:
        """Return in how many seconds an amount passes; one above the burst passes when nothing else did of late."""
        beyond = max(0, self.rhythm.burst - amount) * self.rhythm.interval_s / factor
        return self._due - beyond - now

    def add(self, now: float, amount: int, factor: float) -> None:
        """Count an amount that passed."""
        amount = min(amount, self.rhythm.most)
        self._due = max(self._due, now) + amount * self.rhythm.interval_s / factor

    def correct(self, difference: int) -> None:
        """Count so much more, or less, than was counted."""
        self._due += difference * self.rhythm.interval_s


class Narrowing:
    """How much of the pace is left after the upstream said that it was too much."""

    __slots__ = ("_at", "_ended", "_factor", "_in_use", "_refused", "_second", "_until")

    def __init__(self) -> None:
        self._factor = 1.0
        self._in_use = 0
        self._at = -math.inf
        self._until = -math.inf
        self._second = 0
        self._ended = 0.0
        self._refused = 0.0

    def ended(self, now: float) -> None:
        """Count a try that ended; what ended earlier counts half as much with every second."""
        second = int(now)
        if second != self._second:
            part = 0.5 ** min(second - self._second, 60)
            self._ended *= part
            self._refused *= part
            self._second = second
        self._ended += 1

    def factor(self, now: float) -> float:
        """Return the part of the rates that passes: halved by each signal, even growth back."""
        if self._factor == 1.0:
            return 1.0
        factor = self._factor + (now - self._at) / RECOVERY_S
        if factor >= 1.0:
            self._factor = factor = 1.0
        return factor

    def most_at_once(self, now: float) -> float:
        """Return how many calls pass at a time: half of those that were too many, more by a tenth of it a second."""
        if self._factor == 1.0:
            return math.inf
        half = max(1, self._in_use // 2)
        return math.floor(half * (1 + (now - self._at) / 10))

    def throttled(self, now: float, in_use: int, retry_after_s: float | None) -> bool:
        """Note a 429; return whether it means everybody, and not only the call that it answers."""
        self.ended(now)
        self._refused += 1
        if self._refused < SIGNAL_PART * self._ended:
            return False
        if retry_after_s is not None:
            self._until = max(self._until, now + min(retry_after_s, LONGEST_CLOSED_S))
        if now - self._at >= ONE_SIGNAL_S:
            self._factor = max(NARROWEST, self.factor(now) / 2)
            self._in_use = in_use
            self._at = now
        return True

    def closed_s(self, now: float) -> float:
        """Return for how long nothing passes, because the upstream said so."""
        return max(0.0, self._until - now)


class LocalPermit:
    """Leave from a pacer of this process."""

    __slots__ = ("_count", "_pacer", "_tokens", "counts_tokens")

    def __init__(self, pacer: LocalPacer, count: int, tokens: int) -> None:
        self._pacer = pacer
        self._count = count
        self._tokens = tokens
        self.counts_tokens = pacer.counts_tokens

    def used(self, tokens: int) -> None:
        """Replace the bound that was taken by what was used."""
        self._pacer.correct(tokens - self._tokens)

    def give_back(self) -> None:
        """Let the next call have its place."""
        self._pacer.leave(self._count)


class LocalPacer:
    """Requests and tokens a minute, calls at a time, and what the upstream's 429s have left of them."""

    def __init__(self, pace: Pace, clock: Clock, *, share: float = 1.0) -> None:
        """Keep to `share` of the pace; less than 1 where others, whom nobody can ask, use the rest."""
        self._clock = clock
        self._requests = _rate(pace.requests_per_minute, share)
        self._tokens = _rate(pace.tokens_per_minute, share)
        self._most = math.inf if pace.concurrency is None else max(1, int(pace.concurrency * share))
        self.counts_tokens = self._tokens is not None
        self.in_use = 0
        self._narrowing = Narrowing()
        self._on_room: list[Callable[[], None]] = []

    def take(self, count: int, tokens: int) -> LocalPermit | float:
        """Return leave for a call, or in how many seconds to ask again."""
        now = self._clock.monotonic()
        narrowing = self._narrowing
        wait_s = max(narrowing.closed_s(now), self._wait_for_place(now, count))
        factor = narrowing.factor(now)
        if self._requests is not None:
            wait_s = max(wait_s, self._requests.wait_s(now, 1, factor))
        if self._tokens is not None:
            wait_s = max(wait_s, self._tokens.wait_s(now, tokens, factor))
        if wait_s > SAME_MOMENT_S:
            return wait_s
        if self._requests is not None:
            self._requests.add(now, 1, factor)
        if self._tokens is not None:
            self._tokens.add(now, tokens, factor)
        self.in_use += count
        return LocalPermit(self, count, tokens if self._tokens is None else min(tokens, self._tokens.rhythm.most))

    def answered(self) -> None:
        """Note that a try ended otherwise than by a 429."""
        self._narrowing.ended(self._clock.monotonic())

    def throttled(self, retry_after_s: float | None) -> bool:
        """Narrow the pace for a while, close it where the upstream told for how long; return whether it was done."""
        return self._narrowing.throttled(self._clock.monotonic(), self.in_use, retry_after_s)

    def opens_in(self) -> float:
        """Return for how many seconds nothing passes in any case."""
        return self._narrowing.closed_s(self._clock.monotonic())

    @property
    def is_asking(self) -> bool:
        """Return False: within a process everything is known."""
        return False

    def watch(self, on_room: Callable[[], None]) -> None:
        """Have this called when a place was given back."""
        self._on_room.append(on_room)

    def unwatch(self, on_room: Callable[[], None]) -> None:
        """Undo `watch`."""
        self._on_room.remove(on_room)

    def correct(self, difference: int) -> None:
        """Count so many tokens more, or less, than were taken."""
        if self._tokens is not None:
            self._tokens.correct(difference)
            self.tell()

    def leave(self, count: int) -> None:
        """Take a place back."""
        self.in_use -= count
        self.tell()

    def tell(self) -> None:
        """Have every queue that waits for this pace look again."""
        for on_room in self._on_room:
            on_room()

    def _wait_for_place(self, now: float, count: int) -> float:
        """Return 0 where a place is free; a call alone always has one."""
        if not self.in_use:
            return 0.0
        if self.in_use + count > self._most:
            return math.inf
        # What was narrowed grows back by itself, and nobody tells when.
        return 1.0 if self.in_use + count > self._narrowing.most_at_once(now) else 0.0


def _rate(per_minute: int | None, share: float) -> Rate | None:
    return None if per_minute is None else Rate(Rhythm.of(per_minute * share))

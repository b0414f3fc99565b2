"""What can be wrong with an upstream, and when it is."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Fault(StrEnum):
    """What one answer suffers from."""

    NONE = "none"
    SLOW = "slow"
    """The head comes late."""
    DRIP = "drip"
    """A few bytes at a time."""
    RESET_BEFORE_HEAD = "reset_before_head"
    RESET_AFTER_HEAD = "reset_after_head"
    RESET_MIDWAY = "reset_midway"
    RESET_BEFORE_END = "reset_before_end"
    """Before the last frame of a stream, or the last byte of a whole answer."""
    HANG_BEFORE_HEAD = "hang_before_head"
    HANG_MIDWAY = "hang_midway"
    STATUS_400 = "status_400"
    STATUS_401 = "status_401"
    STATUS_403 = "status_403"
    STATUS_404 = "status_404"
    STATUS_408 = "status_408"
    STATUS_429 = "status_429"
    STATUS_500 = "status_500"
    STATUS_502 = "status_502"
    STATUS_503 = "status_503"
    STATUS_504 = "status_504"
    QUOTA_EXHAUSTED = "quota_exhausted"
    """429 whose code says that no quota is left for good."""
    ARREARS = "arrears"
    """400 whose code says that the account owes money."""
    HTML_PAGE = "html_page"
    """200 with a page for people."""
    MALFORMED_JSON = "malformed_json"
    HALF_JSON = "half_json"
    USAGE_MISSING = "usage_missing"
    USAGE_NEGATIVE = "usage_negative"
    USAGE_ABSURD = "usage_absurd"
    USAGE_TEXT = "usage_text"
    """Numbers as strings."""
    HUGE_FRAME = "huge_frame"
    GZIP = "gzip"
    """Encoded though nobody asked for it."""
    GZIP_BOMB = "gzip_bomb"
    WRONG_TYPE = "wrong_type"
    """A good body whose content type says that it is something else."""
    BOTH_LENGTHS = "both_lengths"
    """A length beside chunks, as who smuggles answers would send them."""
    GOES_ON = "goes_on"
    """More and more after `[DONE]`, or after the length that a whole answer named."""
    ENDLESS_COMMENTS = "endless_comments"
    """Signs of life and nothing else: comments in a stream, blanks in the place of a whole answer."""


REFUSALS = frozenset(
    {
        Fault.STATUS_400,
        Fault.STATUS_401,
        Fault.STATUS_403,
        Fault.STATUS_404,
        Fault.ARREARS,
        Fault.QUOTA_EXHAUSTED,
    }
)
"""Those after which the same upstream must not be tried again."""
SURVIVABLE = frozenset(Fault) - REFUSALS - {Fault.NONE}
"""Those that a further try, or another upstream, mends as long as nothing has reached the client."""


class Shape(StrEnum):
    """How an error is said."""

    OPENAI = "openai"
    FLAT = "flat"
    """As Model Studio's own gateway says it: a code, a message and the request's id, nothing around them."""
    HTML = "html"


class RetryAfter(StrEnum):
    """How it is told when to come back."""

    UNTOLD = "untold"
    SECONDS = "seconds"
    DATE = "date"
    MILLISECONDS = "milliseconds"
    """In `retry-after-ms`."""


class Step(Struct, frozen=True):
    """What happens to one call; `shape` and `retry_after` count for errors with a status."""

    fault: Fault = Fault.NONE
    shape: Shape = Shape.OPENAI
    retry_after: RetryAfter = RetryAfter.UNTOLD


class Plan(Protocol):
    """Says what happens to each call in turn."""

    def next(self) -> Step:
        """Return what happens to the call that has just come."""
        ...


class FaultPlan:
    """Faults at random, each at its rate; the same seed gives the same ones in the same order."""

    def __init__(self, rates: Mapping[Fault, float], seed: int = 0) -> None:
        """Take the share of calls that suffers from each fault; what is left suffers from none.

        Raises:
            ValueError: a rate is negative, or all together are more than 1.
        """
        total = sum(rates.values())
        if total > 1 + 1e-9 or any(rate < 0 for rate in rates.values()):
            raise ValueError(f"rates are from 0 to 1 and together at most 1, and these are together {total:g}")
        self._faults = [*rates, Fault.NONE]
        self._weights = [*rates.values(), max(0.0, 1 - total)]
        self._chance = random.Random(seed)

    @classmethod
    def evenly(cls, share: float, faults: Collection[Fault] = SURVIVABLE, *, seed: int = 0) -> FaultPlan:
        """Return a plan in which this share of calls suffers, from each of the faults as often."""
        # Sorted, because the order of a set changes from one process to the next.
        return cls({fault: share / len(faults) for fault in sorted(faults)}, seed)

    def next(self) -> Step:
        """Draw what happens to the next call."""
        (fault,) = self._chance.choices(self._faults, self._weights)
        if fault is Fault.NONE:
            return _GOOD
        return Step(fault, self._chance.choice(_SHAPES), self._chance.choice(_RETRY_AFTERS))


class Script:
    """Faults in a given order; who comes after the last gets good answers, or the last again."""

    def __init__(self, steps: Iterable[Fault | Step], *, repeats_last: bool = False) -> None:
        """Take what happens to the first call, the second, and so on."""
        self._steps: Iterator[Step] = iter([step if isinstance(step, Step) else Step(step) for step in steps])
        self._repeats_last = repeats_last
        self._last = _GOOD

    def next(self) -> Step:
        """Return the next step."""
        step = next(self._steps, self._last if self._repeats_last else _GOOD)
        self._last = step
        return step


_GOOD = Step()
_SHAPES = tuple(Shape)
_RETRY_AFTERS = tuple(RetryAfter)

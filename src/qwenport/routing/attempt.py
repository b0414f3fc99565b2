"""One try of a call at one target, and what its end tells about the target."""

from __future__ import annotations

from collections.abc import Callable

from qwenport.core.clock import Clock
from qwenport.core.errors import (
    EngineFailed,
    EngineTimedOut,
    ModelUnavailable,
    Overloaded,
    QwenportError,
    Refused,
    UpstreamExhausted,
    UpstreamKeyRefused,
    UpstreamThrottled,
)
from qwenport.routing.breaker import Breaker
from qwenport.routing.lane import Lane
from qwenport.routing.room import Seat

OnTry = Callable[[str, str, float | None], None]
"""Hears of every try: target, outcome, and seconds to the first event, where one came."""

_FAILURES = (EngineFailed, EngineTimedOut, Overloaded, ModelUnavailable)


class Attempt:
    """A try that has room at its target. It ends exactly once, by `finish`."""

    __slots__ = (
        "_began",
        "_breaker",
        "_clock",
        "_doubt",
        "_first_event_s",
        "_is_again",
        "_is_probe",
        "_is_trial",
        "_on_try",
        "lane",
        "seat",
    )

    def __init__(self, lane: Lane, seat: Seat, clock: Clock, on_try: OnTry, *, is_again: bool) -> None:
        """`is_again` where the same call has been tried there before."""
        self.lane = lane
        self._is_again = is_again
        self.seat = seat
        self._clock = clock
        self._on_try = on_try
        self._began = now = clock.monotonic()
        self._first_event_s: float | None = None
        # A reload gives the target another breaker, of which a call that began before, with the old key, says nothing.
        self._breaker = lane.breaker
        self._is_probe = self._breaker is not None and self._breaker.enter(now)
        self._doubt = lane.doubt
        self._is_trial = self._doubt is not None and self._doubt.enter(now)
        lane.began(now)

    @property
    def counts_tokens(self) -> bool:
        """Whether the pace wants to know what the try used."""
        return self.seat.permit is not None and self.seat.permit.counts_tokens

    def answered(self) -> None:
        """Note the first event; a probe has shown by it that the target is well, however long it goes on."""
        now = self._clock.monotonic()
        self._first_event_s = now - self._began
        self.lane.answered(self._first_event_s)
        if self._doubt is not None:
            self._doubt.answered(self._first_event_s)
            self._is_trial = False
        if self._is_probe and self._breaker is not None:
            self._breaker.succeeded(now, is_probe=True)
            self._is_probe = False

    def used(self, tokens: int) -> None:
        """Tell the pace how many tokens the try has used."""
        if self.seat.permit is not None:
            self.seat.permit.used(tokens)

    def finish(self, error: BaseException | None) -> None:
        """Give the room back, and draw from the ending what it says about the target."""
        lane = self.lane
        try:
            if self._first_event_s is None:
                self._judge_wait(error)
            if self._breaker is not None:
                self._judge(self._breaker, error)
            if lane.room.pacer is not None:
                if isinstance(error, UpstreamThrottled):
                    lane.room.pacer.throttled(error.retry_after_s)
                else:
                    lane.room.pacer.answered()
            self._on_try(lane.name, self._outcome(error), self._first_event_s)
        finally:
            self.seat.release()
            lane.ended()

    def _judge(self, breaker: Breaker, error: BaseException | None) -> None:
        now = self._clock.monotonic()
        if isinstance(error, UpstreamKeyRefused | UpstreamExhausted):
            breaker.trip(now, str(error), error.told_s)
        elif isinstance(error, ModelUnavailable) and not error.is_sure:
            breaker.leave(is_probe=self._is_probe)
        elif isinstance(error, _FAILURES):
            if self._is_again and not self._is_probe:
                return  # one call that is too much for the target must not shut it for all the others
            breaker.failed(now, error.code, is_probe=self._is_probe)  # its words may hold what was asked
        elif error is None or isinstance(error, Refused) or self._first_event_s is not None:
            # A throttled target is no broken one: its pace takes care of it. Nor is it well for all we know.
            if isinstance(error, UpstreamThrottled):
                breaker.leave(is_probe=self._is_probe)
            else:
                breaker.succeeded(now, is_probe=self._is_probe)
        else:
            breaker.leave(is_probe=self._is_probe)

    def _judge_wait(self, error: BaseException | None) -> None:
        """Draw from a try without a first event what it says of how long one takes there."""
        now = self._clock.monotonic()
        is_left = error is not None and not isinstance(error, Exception)
        if is_left or isinstance(error, EngineTimedOut):
            self.lane.waited(now - self._began)
            if self._doubt is not None:
                self._doubt.left(now, now - self._began, is_trial=self._is_trial)
        elif self._doubt is not None:
            self._doubt.end()

    def _outcome(self, error: BaseException | None) -> str:
        if error is None:
            return "ok"
        if isinstance(error, QwenportError):
            if isinstance(error, (*_FAILURES, UpstreamThrottled)):
                self.lane.failures[error.code] += 1
            return error.code
        return "internal" if isinstance(error, Exception) else "abandoned"

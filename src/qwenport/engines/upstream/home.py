"""What the engines of one upstream share: what they know of it, and what its silences and refusals mean to a call."""

from __future__ import annotations

from typing import Protocol

from qwenport.core.clock import Clock
from qwenport.core.errors import EngineFailed, EngineTimedOut, ModelUnavailable, QwenportError
from qwenport.core.secret import Secret
from qwenport.engines.connections import AnswerTimedOut, CallFailed, Calls, HttpAnswer, NotConnected
from qwenport.engines.dialects import Dialect
from qwenport.engines.engine import Condition
from qwenport.engines.upstream.errors import Asked, RoomTooSmall
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.refusal import Refusal, refusal_of
from qwenport.engines.upstream.vectors import Addresses
from qwenport.engines.upstream.words import shown_words

OK = 200
LONGEST_ANSWER_BYTES = 64 << 20
"""Room for sounds and pictures in base64."""
_LONGEST_REFUSAL_BYTES = 1 << 16
_ANY_NUMBER = 1 << 16
"""Slots of an upstream that does not say how many calls it takes."""


class Home(Protocol):
    """What an engine knows of its upstream."""

    name: str
    place: Place
    addresses: Addresses
    connections: Calls
    clock: Clock
    key: Secret | None
    """The one in force, which the next request shows."""

    @property
    def dialect(self) -> Dialect | None:
        """The dialect, where it is known."""
        ...

    async def spoken(self) -> Dialect:
        """Return the dialect, and find it first where it is not known."""
        ...

    def condition(self) -> Condition:
        """Tell what is known of the upstream's health."""
        ...

    def note_well(self) -> None:
        """Take note that it answered."""
        ...

    def note_away(self, error: NotConnected) -> ModelUnavailable:
        """Take note that nobody is there."""
        ...

    def refused(self, refusal: Refusal, asked: Asked) -> QwenportError | RoomTooSmall:
        """Take note of what a refusal says of the whole upstream, and return what the call is told."""
        ...


def slots_at(place: Place) -> int:
    """Return how many calls of a model run there at the same time."""
    return _ANY_NUMBER if place.pace is None or place.pace.concurrency is None else place.pace.concurrency


def failed(target: str, how: str) -> EngineFailed:
    """Return that an upstream did what it should not."""
    return EngineFailed(f"the upstream of `{target}` {how}")


def lost(home: Home, target: str, error: CallFailed) -> QwenportError:
    """Return what it means to a call that its connection failed."""
    match error:
        case NotConnected():
            return home.note_away(error)
        case AnswerTimedOut():
            return EngineTimedOut()
        case _:
            return failed(target, f"broke off: {shown_words(error.reason)}")


async def read_refusal(home: Home, response: HttpAnswer, asked: Asked) -> Refusal:
    """Return what an answer that is none says."""
    try:
        body = await response.whole(limit_bytes=_LONGEST_REFUSAL_BYTES, limit_s=home.place.between_events_s)
    except CallFailed:
        # Half a reason is worth as much as none; the status is known.
        body = b""
    return refusal_of(response.status, body, response.headers, home.clock.timestamp(), asked.key)

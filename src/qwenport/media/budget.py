"""The ceilings on what the images of one call may have together."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from qwenport.core.errors import ParameterInvalid
from qwenport.media.refusals import TOO_LARGE, pages_too_many, refused
from qwenport.settings.configuration_file import MediaTable

_DECODED_TIMES = 4
"""How many times the bytes that were sent images may have that are packed anew here."""


Reserve = Callable[[int], None]


def _anything(_: int) -> None:
    """Let everything in."""


class Budget:
    """Counts what is about to be loaded."""

    def __init__(self, most: int, refusal: Callable[[int], ParameterInvalid], reserve: Reserve = _anything) -> None:
        self._most = most
        self._left = most
        self._refusal = refusal
        self._reserve = reserve

    def take(self, amount: int) -> None:
        """Count what is about to be loaded.

        Raises:
            ParameterInvalid: the call has no room for it.
            Overloaded: there is none now, for all calls together.
        """
        if amount > self._left:
            raise self._refusal(self._most)
        self._reserve(amount)
        self._left -= amount


class CallBudget(Struct, frozen=True):
    """What is left for one call."""

    sent: Budget
    """Bytes of images as they came."""
    decoded: Budget
    """Bytes of images and pages that were made here."""
    pages: Budget


def call_budget(bounds: MediaTable, reserve: Reserve = _anything) -> CallBudget:
    """Return what a call begins with; `reserve` is told of every byte before it is loaded, and may raise."""
    return CallBudget(
        Budget(bounds.max_call_bytes, _sent_too_much, reserve),
        Budget(bounds.max_call_bytes * _DECODED_TIMES, _decoded_too_much, reserve),
        Budget(bounds.max_pages, pages_too_many),
    )


def most_of_call(bounds: MediaTable) -> int:
    """Return how many bytes the images of one call may have at most, sent and made here."""
    return bounds.max_call_bytes * (1 + _DECODED_TIMES)


def _sent_too_much(most_bytes: int) -> ParameterInvalid:
    return refused(f"{TOO_LARGE} (the images of one call may hold {most_bytes} bytes together)")


def _decoded_too_much(most_bytes: int) -> ParameterInvalid:
    return refused(f"{TOO_LARGE} (decoded, the images of one call may hold {most_bytes} bytes together)")

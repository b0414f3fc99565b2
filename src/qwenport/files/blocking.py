"""The seam to the one thread that may wait for the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class RunBlocking(Protocol):
    """Runs blocking work where it may wait."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Return the outcome of the work."""
        ...

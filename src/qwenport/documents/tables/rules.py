"""Lines that are drawn on a page."""

from __future__ import annotations

import math

from msgspec import Struct

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


class Segment(Struct, frozen=True, kw_only=True, gc=False):
    """A drawn line, from left to right or from top to bottom; it may lean. Pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def length(self) -> float:
        """Pixels."""
        return math.hypot(self.x1 - self.x0, self.y1 - self.y0)


class Rules(Struct, frozen=True, kw_only=True):
    """All drawn lines of a page that may bound cells."""

    horizontal: tuple[Segment, ...] = ()
    vertical: tuple[Segment, ...] = ()

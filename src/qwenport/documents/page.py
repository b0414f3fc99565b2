"""The text of one page: lines of words with their places."""

from __future__ import annotations

import math

from msgspec import Struct

Quad = tuple[float, float, float, float, float, float, float, float]
"""Four corners in pixels, x and y in turn: top left, top right, bottom right, bottom left, as the text is read."""


class Word(Struct, frozen=True, kw_only=True, gc=False):
    """A word of a Latin script, or a run of Chinese characters."""

    text: str
    quad: Quad


class Line(Struct, frozen=True, kw_only=True):
    """Text that was recognised in one piece."""

    text: str
    """As printed, with spaces where the gaps between words show them; `?` for a character that cannot be read."""
    quad: Quad
    score: float
    """How sure the reader is, from 0 to 1; 1 for a text layer."""
    words: tuple[Word, ...] = ()
    """Empty where only the line's place is known."""

    @property
    def left(self) -> float:
        """Smallest x."""
        return min(self.quad[0::2])

    @property
    def right(self) -> float:
        """Largest x."""
        return max(self.quad[0::2])

    @property
    def top(self) -> float:
        """Smallest y."""
        return min(self.quad[1::2])

    @property
    def bottom(self) -> float:
        """Largest y."""
        return max(self.quad[1::2])

    @property
    def height(self) -> float:
        """How high the text is, across its own direction."""
        x0, y0, _, _, _, _, x3, y3 = self.quad
        return math.hypot(x3 - x0, y3 - y0)


class Page(Struct, frozen=True, kw_only=True):
    """One page, upright."""

    width: int
    """Pixels."""
    height: int
    lines: tuple[Line, ...] = ()
    """In the order in which a reader would take them."""
    angle: float = 0.0
    """By how many degrees its lines lean, clockwise; between -45 and 45."""

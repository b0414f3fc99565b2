"""Lines joined to paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.tables.pieces import is_wide
from qwenport.documents.tables.rules import Box

_ENDS = (*'.!?:;)"', *"\u3002\uff01\uff1f\uff1a\uff1b\u2026\u201d\uff09")
_HYPHENS = ("-", "\u00ad", "\u2010")


class PlacedLine(Struct, frozen=True, kw_only=True):
    """A line of the page with its upright box in the straightened frame."""

    index: int
    text: str
    box: Box
    value_left: float | None = None
    """Where a value begins that was read in one line with its key."""

    @property
    def left(self) -> float:
        """Smallest place across."""
        return self.box[0]

    @property
    def top(self) -> float:
        """Smallest height."""
        return self.box[1]

    @property
    def right(self) -> float:
        """Largest place across."""
        return self.box[2]

    @property
    def bottom(self) -> float:
        """Largest height."""
        return self.box[3]

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top


def paragraphs(lines: Sequence[PlacedLine]) -> str:
    """Text of lines in reading order; an empty line parts paragraphs."""
    if not lines:
        return ""
    left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    text = lines[0].text.strip()
    for before, line in pairwise(lines):
        if _begins_paragraph(before, line, (left, right)):
            text += "\n\n" + line.text.strip()
        else:
            text = joined(text, line.text.strip())
    return text


def _begins_paragraph(before: PlacedLine, line: PlacedLine, sides: tuple[float, float]) -> bool:
    if line.box[1] < before.box[3] - 0.5 * before.height:  # on the same printed row
        return False
    left, right = sides
    if line.box[1] - before.box[3] > 0.9 * max(line.height, before.height):
        return True
    if line.box[0] - max(left, before.box[0]) > 1.4 * line.height:
        return True
    is_short = right - before.box[2] > max(0.2 * (right - left), 2 * before.height)
    return is_short and before.text.rstrip().endswith(_ENDS)


def joined(text: str, following: str) -> str:
    """A text with the line that goes on with it: without a space in Chinese, words broken at their hyphen whole."""
    if not text or not following:
        return text or following
    if text.endswith(_HYPHENS) and text[-2:-1].islower() and following[0].islower():
        return text[:-1] + following
    return text + ("" if is_wide(text[-1]) or is_wide(following[0]) else " ") + following

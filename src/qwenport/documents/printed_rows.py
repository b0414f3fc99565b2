"""Which boxes of text stand beside one another: the printed rows of a page, of a table, of a receipt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Protocol, TypeVar

_LATEST = 3
"""So many rows may still go on: boxes come by the height of their middles, and those of two rows may mingle."""
_LEVEL = 0.25
"""Of the higher one's height: boxes whose middles are as near stand beside one another though they overlap across."""
_MOST_SPACES = 4
_COVERED = 0.5
"""Of the narrower one's width: what covers more stands above or below."""


class PlacedBox(Protocol):
    """A box on a level page, in pixels."""

    @property
    def left(self) -> float:
        """Smallest x."""
        ...

    @property
    def right(self) -> float:
        """Largest x."""
        ...

    @property
    def top(self) -> float:
        """Smallest y."""
        ...

    @property
    def bottom(self) -> float:
        """Largest y."""
        ...


class TextBox(PlacedBox, Protocol):
    """A box with what stands in it."""

    @property
    def text(self) -> str:
        """As recognised."""
        ...


_B = TypeVar("_B", bound=PlacedBox)


def printed_rows(boxes: Sequence[_B], *, apart: float = 0.5, overlap: float | None = 0.3) -> list[list[_B]]:
    """Return rows from top to bottom, each from left to right.

    Args:
        boxes: in any order.
        apart: how far the middles of neighbours in a row are from one another at most, as a part of the height of the
            higher one.
        overlap: how far they may reach into one another across, as a part of the lower one's height; None where none
            stands above another at nearly its height.
    """
    rows: list[list[_B]] = []
    for box in sorted(boxes, key=_middle):
        row = next((row for row in reversed(rows[-_LATEST:]) if _is_of_row(box, row, apart, overlap)), None)
        if row is None:
            rows.append([box])
        else:
            row.append(box)
    rows.sort(key=lambda row: fmean(map(_middle, row)))
    return [sorted(row, key=lambda box: box.left) for row in rows]


def row_text(row: Sequence[TextBox]) -> str:
    """Return the text of one row; a gap is as many spaces as it is wide in heights of its text, up to four."""
    text = row[0].text
    for before, box in pairwise(row):
        gap = (box.left - before.right) / max(min(_height(before), _height(box)), 1.0)
        text += " " * min(max(round(gap), 1), _MOST_SPACES) + box.text
    return text


def _is_of_row(box: PlacedBox, row: Sequence[PlacedBox], apart: float, overlap: float | None) -> bool:
    """Tell whether a box is level with the nearest of a row, and above or below none of it."""
    nearest = min(row, key=lambda other: max(other.left - box.right, box.left - other.right))
    if _away(box, nearest) > apart:
        return False
    return overlap is None or not any(_covers(box, other, overlap) for other in row)


def _away(one: PlacedBox, other: PlacedBox) -> float:
    """How far their middles are from one another in height, as a part of the higher one's height."""
    return abs(_middle(one) - _middle(other)) / max(_height(one), _height(other), 1.0)


def _covers(one: PlacedBox, other: PlacedBox, overlap: float) -> bool:
    """Tell whether one stands above the other.

    Detectors draw boxes wider than the text is; in large print they reach into the next word's.
    """
    shared = min(one.right, other.right) - max(one.left, other.left)
    if _away(one, other) <= _LEVEL:
        return shared > _COVERED * min(one.right - one.left, other.right - other.left)
    return shared > overlap * min(_height(one), _height(other))


def _middle(box: PlacedBox) -> float:
    return (box.top + box.bottom) / 2


def _height(box: PlacedBox) -> float:
    return box.bottom - box.top

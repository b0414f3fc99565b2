"""How many places were found."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from qwenport.documents.page import Line

_HIT = 0.5
_MOST_HEIGHTS = 3
"""Detectors leave white around the ink; from three times its height on a box holds the lines beside it as well."""


class BoxCounts(Struct, frozen=True, kw_only=True):
    """Printed items whose place was found."""

    hits: int = 0
    items: int = 0

    def __add__(self, other: BoxCounts) -> BoxCounts:
        return BoxCounts(hits=self.hits + other.hits, items=self.items + other.items)

    @property
    def rate(self) -> float:
        """Share of the items; 1 where there are none."""
        return self.hits / self.items if self.items else 1.0


def count_boxes(printed: Iterable[Line], read: Iterable[Line]) -> BoxCounts:
    """Count the printed items whose upright box is half covered by one line, of at most three times its height."""
    lines = list(read)
    items = [line for line in printed if line.text.strip()]
    return BoxCounts(hits=sum(any(_covers(line, item) for line in lines) for item in items), items=len(items))


def _covers(line: Line, item: Line) -> bool:
    width = min(line.right, item.right) - max(line.left, item.left)
    height = min(line.bottom, item.bottom) - max(line.top, item.top)
    if width <= 0 or height <= 0 or line.height > _MOST_HEIGHTS * max(item.height, 1.0):
        return False
    area = max((item.right - item.left) * (item.bottom - item.top), 1.0)
    return width * height / area >= _HIT

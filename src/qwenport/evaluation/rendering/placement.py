"""Whether a page is fit to be read: nothing leaves it, nothing lies on something else."""

from __future__ import annotations

from itertools import combinations

from qwenport.documents.page import Line
from qwenport.evaluation.rendering.sample import Sample


def misplaced(sample: Sample) -> tuple[str, ...]:
    """In words, the printed items that leave the page or overlap another."""
    outside = (
        f"`{line.text}` leaves the page"
        for line in sample.lines
        if line.left < 0 or line.top < 0 or line.right > sample.width or line.bottom > sample.height
    )
    overlapping = (
        f"`{first.text}` and `{second.text}` overlap"
        for first, second in combinations(sample.lines, 2)
        if _boxes_meet(first, second) and _overlap(first, second)
    )
    return (*outside, *overlapping)


def _boxes_meet(first: Line, second: Line) -> bool:
    return (
        first.left < second.right
        and second.left < first.right
        and first.top < second.bottom
        and second.top < first.bottom
    )


def _overlap(first: Line, second: Line) -> bool:
    """Two convex shapes are apart if an edge of one has the other all on its outer side."""
    return not any(_parted(one, other) for one, other in ((first, second), (second, first)))


def _parted(one: Line, other: Line) -> bool:
    corners = tuple(zip(one.quad[0::2], one.quad[1::2], strict=True))
    points = tuple(zip(other.quad[0::2], other.quad[1::2], strict=True))
    return any(
        all((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) <= 0 for x, y in points)
        for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True)
    )

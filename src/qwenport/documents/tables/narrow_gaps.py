"""Columns that stand so close that a row's text runs through: a gap at the same place in row after row tells them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from msgspec import Struct

from qwenport.documents.tables.chunks import TextRow
from qwenport.documents.tables.pieces import Piece

_LEAST = 0.36  # of the text's height: spaces between words are narrower
_PLAIN = 0.7  # what no space between words is, whatever stands beside it
_FLUSH = 0.35


class Gap(Struct, frozen=True, gc=False):
    """Space between two columns."""

    left: float
    right: float


def narrow_gaps(rows: Sequence[TextRow], left: float, right: float, text_height: float) -> list[Gap]:
    """Gaps within a column that most rows have in common, and that no running text would make."""
    entries = [[p for p in row.pieces if left - 1 <= p.centre <= right + 1] for row in rows]
    filled = [pieces for pieces in entries if pieces]
    return [gap for gap in _common(filled, text_height) if _parts_columns(gap, filled, text_height)]


def _common(entries: Sequence[Sequence[Piece]], text_height: float) -> list[Gap]:
    """Places that hardly any row covers."""
    edges = sorted([(p.left, 1) for e in entries for p in e] + [(p.right, -1) for e in entries for p in e])
    few = len(entries) // 5
    gaps: list[Gap] = []
    covering = 0
    for (place, step), (following, _) in pairwise(edges):
        covering += step
        if covering > few:
            continue
        if gaps and gaps[-1].right == place:
            gaps[-1] = Gap(gaps[-1].left, following)
        else:
            gaps.append(Gap(place, following))
    return [gap for gap in gaps if gap.right - gap.left >= _LEAST * text_height]


def _parts_columns(gap: Gap, entries: Sequence[Sequence[Piece]], text_height: float) -> bool:
    middle = (gap.left + gap.right) / 2
    sides = [([p for p in e if p.centre < middle], [p for p in e if p.centre > middle]) for e in entries]
    both = [(before, after) for before, after in sides if before and after]
    if len(both) < max(3, 0.25 * len(entries)):
        return False
    slack = _FLUSH * text_height
    ends = _spread([before[-1].right for before, _ in both])
    begins = _spread([after[0].left for _, after in both])
    if ends > slack or begins > slack:
        return False
    is_right_aligned = _spread([before[0].left for before, _ in both]) > slack
    return is_right_aligned or gap.right - gap.left >= _PLAIN * text_height


def _spread(places: Sequence[float]) -> float:
    """How far places lie from their middle, but for the farthest few."""
    middle = median(places)
    away = sorted(abs(place - middle) for place in places)
    return away[(3 * len(away)) // 4]

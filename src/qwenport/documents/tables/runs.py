"""Stretches of text rows that may be a table: rows with gaps, one below the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from qwenport.documents.tables.bars import Bar
from qwenport.documents.tables.chunks import TextRow, text_rows
from qwenport.documents.tables.columns import wide_columns
from qwenport.documents.tables.pieces import Piece
from qwenport.documents.tables.staggered import as_one, staggered

_MOST_BETWEEN = 5  # lines of one cell between two rows with gaps
_EVEN = 1.3
_MOST_RULED = 8  # of the text's height: how far rows of one ruled table stand apart at most
_FLUSH = 0.5  # of the text's height
_CLOSE = 1.6  # of the text's height: how near a line stands to the cell that it goes on
_ITEM = re.compile(
    r"[\u2022\u00b7\u25cf\u25aa\u25e6\u25a0\u25a1*\u2013\u2014-]\s*[^\d\s]"
    r"|[(\uff08]?\d{1,2}[.)\uff09\u3001\uff0e]\s*[^\d\s]|[\u2460-\u2473]"
)
"""How an item of a list begins: a mark or a number, and then no figures, which amounts have."""


def runs_of(pieces: Sequence[Piece], level: Sequence[Bar], text_height: float) -> list[list[TextRow]]:
    """Runs from top to bottom, at least two rows each."""
    single = text_rows(pieces)
    bands = staggered(single, text_height)
    rows = [as_one(single[band.start : band.stop]) for band in bands]
    spacing = _Spacing(rows, level, text_height)
    found: list[list[TextRow]] = []
    for start, end in _joined(rows, spacing, text_height):
        first, last = _with_ends(rows, start, end, text_height)
        if last - first > 1:
            found.append(single[bands[first].start : bands[last - 1].stop])
    return found


class _Spacing:
    """How rows follow one another: by the rules between them and by their distances."""

    def __init__(self, rows: Sequence[TextRow], level: Sequence[Bar], text_height: float) -> None:
        self._rows = rows
        self._text_height = text_height
        self._bands = [_band(row, level, text_height) for row in rows]

    def is_far(self, start: int, index: int) -> bool:
        """Whether a row stands much further below than those before it do from one another, and no rule joins them."""
        distance = self._rows[index].below(self._rows[index - 1])
        before = [below.below(above) for above, below in pairwise(self._rows[start:index])]
        usual = median(before) if len(before) > 1 else 3 * self._text_height
        if distance <= max(1.9 * usual, 3 * self._text_height):
            return False
        return distance > _MOST_RULED * self._text_height or not self._is_ruled(index)

    def _is_ruled(self, index: int) -> bool:
        """Whether a row and the one before it stand between the rules of one table."""
        (above, upper), (lower, below) = self._bands[index - 1], self._bands[index]
        if above is None or upper is None or lower is None or below is None:
            return False
        return lower in {upper, above}


def _band(row: TextRow, level: Sequence[Bar], text_height: float) -> tuple[Bar | None, Bar | None]:
    """The nearest rules above and below that run along the whole row."""
    left, right = row.chunks[0].left + text_height, row.chunks[-1].right - text_height
    along = [bar for bar in level if bar.start <= left and bar.end >= right]
    above = max((bar for bar in along if bar.place <= row.middle), key=lambda bar: bar.place, default=None)
    below = min((bar for bar in along if bar.place > row.middle), key=lambda bar: bar.place, default=None)
    return above, below


def _joined(rows: Sequence[TextRow], spacing: _Spacing, text_height: float) -> list[tuple[int, int]]:
    """Stretches of rows with gaps, together with single lines between them that fit into their columns."""
    found: list[tuple[int, int]] = []
    for start, end in _stretches(rows, spacing):
        if found and _are_one(rows, found[-1], (start, end), spacing, text_height):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _stretches(rows: Sequence[TextRow], spacing: _Spacing) -> list[tuple[int, int]]:
    """Begin and end of rows with more than one chunk each that follow one another without a wide space."""
    found: list[tuple[int, int]] = []
    for index, row in enumerate(rows):
        if len(row.chunks) < 2:
            continue
        if found and found[-1][1] == index and not spacing.is_far(found[-1][0], index):
            found[-1] = (found[-1][0], index + 1)
        else:
            found.append((index, index + 1))
    return found


def _are_one(
    rows: Sequence[TextRow], one: tuple[int, int], other: tuple[int, int], spacing: _Spacing, text_height: float
) -> bool:
    """Whether two stretches go on in the same columns with nothing but lines of cells between."""
    between = rows[one[1] : other[0]]
    if not between or len(between) > _MOST_BETWEEN:
        return False
    if any(spacing.is_far(one[0], i) for i in range(one[1], other[0] + 1)):
        return False
    above, below = rows[one[0] : one[1]], rows[other[0] : other[1]]
    columns = wide_columns([*above, *below], text_height)
    parts = sorted((len(wide_columns(above, text_height)), len(wide_columns(below, text_height))))
    if len(columns) < max(2, parts[0], parts[1] - 1):
        return False
    left, right = columns[0].left - text_height, columns[-1].right + text_height
    inside = all(left <= row.chunks[0].left and row.chunks[0].right <= right for row in between)
    return inside and all(_crosses(row, [(c.left, c.right) for c in columns]) < 2 for row in between)


def _crosses(row: TextRow, columns: Sequence[tuple[float, float]]) -> int:
    """Into how many further columns than one the row's only chunk reaches."""
    chunk = row.chunks[0]
    return sum(1 for left, right in columns if chunk.left < right and left < chunk.right) - 1


def _with_ends(rows: Sequence[TextRow], start: int, end: int, text_height: float) -> tuple[int, int]:
    """The stretch with single lines above and below that are parts of its cells, or a head over some of its columns."""
    columns = [(column.left, column.right) for column in wide_columns(rows[start:end], text_height)]
    usual = median(below.below(above) for above, below in pairwise(rows[start:end])) if end - start > 1 else 0.0

    while start > 0 and len(rows[start - 1].chunks) == 1:
        near = rows[start].below(rows[start - 1])
        is_line = near < _CLOSE * text_height and _is_in_one(rows[start - 1], columns, text_height)
        if not is_line and not (near < _EVEN * usual and _is_over_some(rows[start - 1], columns, text_height)):
            break
        start -= 1
    while end < len(rows) and len(rows[end].chunks) == 1 and _is_in_one(rows[end], columns, text_height):
        if _ITEM.match(rows[end].chunks[0].text):
            break
        distance = rows[end].below(rows[end - 1])
        if distance > _CLOSE * text_height and not (
            distance < _EVEN * usual and _goes_on(rows[end], rows[end - 1], text_height)
        ):
            break
        end += 1
    return start, end


def _is_in_one(row: TextRow, columns: Sequence[tuple[float, float]], text_height: float) -> bool:
    chunk, slack = row.chunks[0], 0.5 * text_height
    return any(left - slack <= chunk.left and chunk.right <= right + slack for left, right in columns)


def _goes_on(row: TextRow, above: TextRow, text_height: float) -> bool:
    """Whether a line begins where a text in the row above does, but the first one: below this a list may begin."""
    return any(abs(chunk.left - row.chunks[0].left) < _FLUSH * text_height for chunk in above.chunks[1:])


def _is_over_some(row: TextRow, columns: Sequence[tuple[float, float]], text_height: float) -> bool:
    """Whether a line stands in the middle over some columns, but not over all, as a title does."""
    chunk = row.chunks[0]
    centre = (chunk.left + chunk.right) / 2
    return any(
        abs(centre - (columns[first][0] + columns[last][1]) / 2)
        < max(1.5 * text_height, 0.25 * (columns[last][1] - columns[first][0]))
        and columns[first][0] - text_height <= chunk.left
        and chunk.right <= columns[last][1] + text_height
        for first in range(len(columns))
        for last in range(first + 1, len(columns))
        if (first, last) != (0, len(columns) - 1)
    )

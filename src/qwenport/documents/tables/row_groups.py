"""Which text rows make one row of a table: a cell may have several lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.tables.bars import Bar
from qwenport.documents.tables.chunks import TextRow, is_amount, is_number
from qwenport.documents.tables.columns import Span
from qwenport.documents.tables.pieces import text_of
from qwenport.documents.tables.staggered import staggered

_CLOSE = 0.75  # of the usual distance of rows: lines of one cell stand closer
_FAR = 0.85
_LEADING = 1.5  # of the text's height: how far lines of one cell stand apart at most, where nothing else tells
_EVEN = 1.15
_LEAST_NAMED = 2  # names above figures: a single one may be a heading of the rows below it


class Strip(Struct, frozen=True, kw_only=True):
    """A text row with its chunks in columns."""

    row: TextRow
    spans: tuple[Span, ...]

    @property
    def middle(self) -> float:
        """Of its height."""
        return self.row.middle

    @property
    def filled(self) -> frozenset[int]:
        """Columns in which something stands."""
        return frozenset(i for span in self.spans for i in range(span.column, span.column + span.width))

    def has_number_below(self, other: Strip) -> bool:
        """Whether a number of it stands below one of the other: numbers are never broken, so these are two rows."""
        above = {span.column for span in other.spans if is_number(text_of(span.pieces))}
        return any(span.column in above and is_number(text_of(span.pieces)) for span in self.spans)


Group = list[Strip]
"""Strips that make one row of the table."""


def grouped(strips: Sequence[Strip], columns: int, text_height: float, level: Sequence[Bar] = ()) -> list[Group]:
    """The rows of a table, from top to bottom: by the rules between them, if any, and by how the text stands."""
    bands = _bands(strips, level)
    parts = [_with_names(_beside(band, text_height)) for band in bands]
    usual = _usual_distance([part for band in parts for part in band], columns)
    found = [group for band in parts for group in _by_distance(band, columns, text_height, usual)]
    rows = bands if _are_rows(bands, len(found)) else found
    return [part for group in rows for part in _with_heads_apart(group)]


def _beside(strips: Group, text_height: float) -> list[Group]:
    """Strips that stand beside one another together: these are in one row for sure."""
    return [strips[band.start : band.stop] for band in staggered([strip.row for strip in strips], text_height)]


def _with_names(parts: list[Group]) -> list[Group]:
    """The parts, where a name that stands above its figures, as on receipts, is made one row with these."""
    named = [above for above, (upper, lower) in enumerate(pairwise(parts)) if _names(upper, lower)]
    if len(named) < _LEAST_NAMED:
        return parts
    starts = [index for index in range(len(parts)) if index - 1 not in named]
    return [[strip for part in parts[start:end] for strip in part] for start, end in pairwise([*starts, len(parts)])]


def _names(upper: Group, lower: Group) -> bool:
    """Whether a part has the first column alone, and that below it all it has beside that one, numbers among them."""
    filled = _filled(lower)
    return _filled(upper) == {0} and 0 not in filled and len(filled) > 1 and any(map(_has_number, lower))


def _with_heads_apart(group: Group) -> list[Group]:
    """The strips of a row, where a head over several columns makes a row of its own above the heads of these."""
    for index, strip in enumerate(group):
        for below in range(index + 1, len(group)):
            if any(is_over(span, group[below].spans) for span in strip.spans):
                return [group[:below], *_with_heads_apart(group[below:])]
    return [group]


def is_over(span: Span, others: Sequence[Span]) -> bool:
    """Whether a cell is as wide as at least two others together."""
    return sum(span.column <= s.column and s.column + s.width <= span.column + span.width for s in others) > 1


def _bands(strips: Sequence[Strip], level: Sequence[Bar]) -> list[Group]:
    bands: dict[int, Group] = {}
    for strip in strips:
        bands.setdefault(sum(bar.place < strip.middle for bar in level), []).append(strip)
    return list(bands.values())


def _are_rows(bands: Sequence[Group], rows: int) -> bool:
    """Whether rules part each row from the next, and not a head from its body alone."""
    if len(bands) < 3 or len(bands) < 0.6 * rows:
        return False
    return not any(below.has_number_below(above) for band in bands for above, below in pairwise(band))


def _filled(part: Group) -> frozenset[int]:
    return frozenset().union(*(strip.filled for strip in part))


def _has_number_below(below: Group, above: Group) -> bool:
    return any(lower.has_number_below(upper) for lower in below for upper in above)


def _is_anchor(part: Group, columns: int) -> bool:
    """Whether a part is a row or most of one: it has half of the columns, or an amount and something beside it."""
    filled = len(_filled(part))
    return filled >= max(2, columns / 2) or (filled > 1 and any(is_amount(text_of(s.pieces)) for s in _spans(part)))


def _spans(part: Group) -> list[Span]:
    return [span for strip in part for span in strip.spans]


def _usual_distance(parts: Sequence[Group], columns: int) -> float | None:
    """How far rows stand apart; `None` where no two of them follow one another directly."""
    pairs = [
        (_distance(parts, i), _has_number_below(parts[i], parts[i - 1]))
        for i in range(1, len(parts))
        if _is_anchor(parts[i - 1], columns) and _is_anchor(parts[i], columns)
    ]
    # Lines that all cells of a row have stand closer than rows do: the larger distances are those of rows.
    distances = sorted([distance for distance, is_sure in pairs if is_sure] or [distance for distance, _ in pairs])
    return distances[(3 * len(distances)) // 4] if distances else None


def _by_distance(parts: Sequence[Group], columns: int, text_height: float, usual: float | None) -> list[Group]:
    anchors = [
        i for i, part in enumerate(parts) if _is_anchor(part, columns) or _stands_alone(i, parts, columns, usual)
    ]
    if not anchors:
        return list(parts)
    leading = min(_LEADING * text_height, _CLOSE * usual) if usual else _LEADING * text_height
    ends = [*range(1, anchors[0] + 1), *range(anchors[-1] + 1, len(parts))]
    cuts = {i for i in ends if _distance(parts, i) > leading and not _goes_on(i, parts, usual)}
    for above, below in pairwise(anchors):
        if below > above + 1:
            cuts.add(_cut_between(parts, above, below))
        elif _distance(parts, below) > leading or _has_number_below(parts[below], parts[above]):
            cuts.add(below)
    borders = [0, *sorted(cuts), len(parts)]
    return [[strip for part in parts[start:end] for strip in part] for start, end in pairwise(borders)]


def _distance(parts: Sequence[Group], index: int) -> float:
    """From the last line of the part before."""
    return parts[index][0].middle - parts[index - 1][-1].middle


def _stands_alone(index: int, parts: Sequence[Group], columns: int, usual: float | None) -> bool:
    """Whether a part with little in it is a row all the same: as far from its neighbours as rows are, or a number."""
    before = index == 0 or (usual is not None and _distance(parts, index) > _FAR * usual)
    after = index == len(parts) - 1 or (usual is not None and _distance(parts, index + 1) > _FAR * usual)
    if not (before and after):
        return index > 0 and _has_number_below(parts[index], parts[index - 1])
    if usual is None:
        return False
    follows = index > 0 and _is_anchor(parts[index - 1], columns) and _distance(parts, index) < _EVEN * usual
    return 0 in _filled(parts[index]) or not follows or any(map(_has_number, parts[index]))


def _goes_on(index: int, parts: Sequence[Group], usual: float | None) -> bool:
    """Whether a part is the rest of a text in the row above, though as far from it as rows are: all it has."""
    if index == 0 or usual is None or _distance(parts, index) >= _EVEN * usual or any(map(_has_number, parts[index])):
        return False
    filled = _filled(parts[index])
    return len(filled) == 1 and 0 not in filled and filled < _filled(parts[index - 1])


def _has_number(strip: Strip) -> bool:
    return any(is_number(text_of(span.pieces)) for span in strip.spans)


def _cut_between(parts: Sequence[Group], above: int, below: int) -> int:
    """Before which part between two rows the lower one begins: where the gap is widest, at the end if all are even."""
    distances = [(_distance(parts, i), i) for i in range(above + 1, below + 1)]
    widest, at = max(distances)
    return below if widest < _EVEN * min(distances)[0] else at

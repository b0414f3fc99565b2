"""Columns by the gaps that rows have in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.tables.chunks import Chunk, TextRow, is_amount
from qwenport.documents.tables.narrow_gaps import narrow_gaps
from qwenport.documents.tables.pieces import Piece, cut, is_wide
from qwenport.documents.tables.staggered import as_one, staggered

_NARROWEST = 0.35  # of the text's height: what is less is a gap between words
_FLUSH = 0.5  # of the text's height: how near the ends of texts are that stand below one another
_CHARACTER = 1.5  # of the text's height: wider than one character
_LEAST_NAMES = 3
_SLACK = 0.15  # of the text's height: how exact the places of characters are


class Column(Struct, frozen=True, gc=False):
    """How far a column's text reaches."""

    left: float
    right: float


class Span(Struct, frozen=True, kw_only=True):
    """What one row has in neighbouring columns, usually in one."""

    column: int
    width: int = 1
    pieces: tuple[Piece, ...]


def columns_of(rows: Sequence[TextRow], text_height: float) -> list[Column]:
    """The columns of rows that are taken for a table, from left to right; fewer than two where there are none."""
    wide = _filled_up(wide_columns(rows, text_height), rows, text_height)
    return [part for column in wide for part in _at_narrow_gaps(column, rows, text_height)]


def _filled_up(columns: Sequence[Column], rows: Sequence[TextRow], text_height: float) -> list[Column]:
    """The columns, those that full cells reach to the end of as wide: their text was read with that of the next one."""
    widened = list(columns)
    for index, (column, following) in enumerate(pairwise(columns)):
        through = [
            piece
            for row in rows
            for piece in row.pieces
            if abs(piece.left - column.left) < _FLUSH * text_height
            and abs(piece.right - following.right) < _FLUSH * text_height
        ]
        # The parts of keys that are spaced out to one width are single characters.
        is_text = min(column.right - column.left, following.right - following.left) > _CHARACTER * text_height
        if len(through) > 1 and is_text and following.left - column.right > _NARROWEST * text_height:
            widened[index] = Column(column.left, following.left - _NARROWEST * text_height)
    return widened


def wide_columns(rows: Sequence[TextRow], text_height: float) -> list[Column]:
    """Columns by the gaps between chunks alone."""
    bands = _bands(rows, text_height)
    defining = _fullest(bands)
    columns = _between_gaps(defining, text_height)
    others = [(chunk, row) for row in bands if row not in defining for chunk in row.chunks]
    others += [(chunk, row) for row in defining for chunk in row.chunks if is_amount(chunk.text)]
    for chunk, row in sorted(others, key=lambda one: one[0].right - one[0].left):
        columns = _with(columns, chunk, row, text_height)
    return _named(columns, bands)


def _bands(rows: Sequence[TextRow], text_height: float) -> list[TextRow]:
    """The rows, those beside one another made one, but for heads: one of these may stand over several others."""
    first, *others = staggered(rows, text_height)
    return [*rows[: first.stop], *(as_one(rows[band.start : band.stop]) for band in others)]


def _at_narrow_gaps(column: Column, rows: Sequence[TextRow], text_height: float) -> list[Column]:
    gaps = narrow_gaps(rows, column.left, column.right, text_height)
    lefts = [column.left, *(gap.right for gap in gaps)]
    rights = [*(gap.left for gap in gaps), column.right]
    return [Column(left, right) for left, right in zip(lefts, rights, strict=True)]


def _fullest(rows: Sequence[TextRow]) -> list[TextRow]:
    """Rows with as many chunks as a fair share of them has: the others have blanks or cells over several columns."""
    counts = sorted((len(row.chunks) for row in rows), reverse=True)
    share = max(2, round(0.25 * len(rows)))
    least = counts[min(share, len(counts)) - 1]
    return [row for row in rows if len(row.chunks) >= least]


def _between_gaps(rows: Sequence[TextRow], text_height: float) -> list[Column]:
    """Stretches that are covered by more rows than a few that may run across."""
    edges = sorted(
        [(chunk.left, 1) for row in rows for chunk in row.chunks]
        + [(chunk.right, -1) for row in rows for chunk in row.chunks]
    )
    few = len(rows) // 8
    columns: list[Column] = []
    covering, begun = 0, None
    for place, step in edges:
        covering += step
        if covering > few and begun is None:
            begun = place
        elif covering <= few and begun is not None:
            columns.append(Column(begun, place))
            begun = None
    return _without_narrow_gaps(columns, _NARROWEST * text_height)


def _without_narrow_gaps(columns: Sequence[Column], narrowest: float) -> list[Column]:
    kept: list[Column] = []
    for column in columns:
        if kept and column.left - kept[-1].right < narrowest:
            kept[-1] = Column(kept[-1].left, column.right)
        else:
            kept.append(column)
    return kept


def _meeting(chunk: Chunk, columns: Sequence[Column]) -> list[int]:
    return [i for i, column in enumerate(columns) if _meet(chunk, column)]


def _meet(chunk: Chunk, column: Column) -> bool:
    return chunk.left < column.right and column.left < chunk.right


def _with(columns: list[Column], chunk: Chunk, row: TextRow, text_height: float) -> list[Column]:
    """The columns, where a chunk of one of them may widen it, and one between two that the row has is one more."""
    met = _meeting(chunk, columns)
    if len(met) > 1:
        return columns
    if len(met) == 1:
        i = met[0]
        wider = Column(min(columns[i].left, chunk.left), max(columns[i].right, chunk.right))
        clear = (i == 0 or columns[i - 1].right + _NARROWEST * text_height < wider.left) and (
            i == len(columns) - 1 or wider.right + _NARROWEST * text_height < columns[i + 1].left
        )
        return [*columns[:i], wider, *columns[i + 1 :]] if clear else columns
    beside = [column for column in columns if column.right <= chunk.left][-1:]
    beside += [column for column in columns if column.left >= chunk.right][:1]
    is_between = all(any(c.left < column.right and column.left < c.right for c in row.chunks) for column in beside)
    if not is_between and not is_amount(chunk.text):
        return columns  # a head in the middle over two columns
    return sorted([*columns, Column(chunk.left, chunk.right)], key=lambda one: one.left)


def _named(columns: list[Column], rows: Sequence[TextRow]) -> list[Column]:
    """The columns, where names in a head that stand beside what they name, or above nothing, are columns' too."""
    head = next((row for row in rows if len(row.chunks) >= _LEAST_NAMES and _is_plain(row)), None)
    if head is None:
        return columns
    met = [_meeting(chunk, columns) for row in rows if row is not head for chunk in row.chunks]
    held = {columns[some[0]] for some in met if len(some) == 1}
    if len(head.chunks) < len(held):
        return columns
    nameless = {column for column in held if not any(_meet(chunk, column) for chunk in head.chunks)}
    names = [Column(chunk.left, chunk.right) for chunk in head.chunks if not _meeting(chunk, columns)]
    joined: list[Column] = []
    for column in sorted([*columns, *names], key=lambda one: one.left):
        if joined and {joined[-1] in held, column in held} == {True, False} and {joined[-1], column} & nameless:
            joined[-1] = Column(joined[-1].left, column.right)
        else:
            joined.append(column)
    return joined


def _is_plain(row: TextRow) -> bool:
    return not any(character.isdigit() for chunk in row.chunks for character in chunk.text)


def spans_of(row: TextRow, columns: Sequence[Column], text_height: float) -> list[Span]:
    """Each chunk of a row in its columns; chunks that the gap between two columns runs through are parted."""
    found: list[Span] = []
    for chunk in row.chunks:
        for part in _parted(chunk, columns, text_height):
            met = _met(part, columns, text_height)
            if found and found[-1].column + found[-1].width > met[0]:
                before = found.pop()
                width = max(before.column + before.width, met[-1] + 1) - before.column
                found.append(Span(column=before.column, width=width, pieces=(*before.pieces, *part)))
            else:
                found.append(Span(column=met[0], width=met[-1] + 1 - met[0], pieces=tuple(part)))
    return found


def _parted(chunk: Chunk, columns: Sequence[Column], text_height: float) -> list[list[Piece]]:
    pieces = [part for piece in chunk.pieces for part in _cut_at_narrow_gaps(piece, columns, text_height)]
    parts: list[list[Piece]] = [[pieces[0]]]
    for before, piece in pairwise(pieces):
        if _home(before, columns) != _home(piece, columns) and _is_apart(before, piece, columns, text_height):
            parts.append([piece])
        else:
            parts[-1].append(piece)
    return parts


def _cut_at_narrow_gaps(piece: Piece, columns: Sequence[Column], text_height: float) -> list[Piece]:
    """A word in which two columns were read together, where one character ends and the next begins in their gap."""
    for left, right in pairwise(columns):
        if right.left - left.right > text_height or not piece.left < left.right < right.left < piece.right:
            continue
        if _is_in_middle(piece, left, right, text_height):
            continue
        parts = cut(piece, (left.right + right.left) / 2)
        slack = _SLACK * text_height
        is_chinese = parts is not None and (is_wide(parts[0].text[-1]) or is_wide(parts[1].text[0]))
        if parts and is_chinese and left.right - slack <= parts[0].right <= right.left + slack:
            return [parts[0], *_cut_at_narrow_gaps(parts[1], columns, text_height)]
    return [piece]


def _is_in_middle(piece: Piece, left: Column, right: Column, text_height: float) -> bool:
    """Whether a text without numbers stands in the middle over two columns, as a head over both does."""
    if any(character.isdigit() for character in piece.text):
        return False
    is_inside = left.left + text_height < piece.left and piece.right < right.right - text_height
    return is_inside and abs(piece.centre - (left.left + right.right) / 2) < 0.5 * text_height


def _is_apart(before: Piece, piece: Piece, columns: Sequence[Column], text_height: float) -> bool:
    """Whether two neighbours stand in two columns: cut apart, read apart, or with a gap where the columns have one."""
    gap = piece.left - before.right
    if before.line == piece.line:
        return gap == 0.0 or (gap > 0.3 * text_height and _is_between(before, piece, columns))
    border, slack = (before.right + piece.left) / 2, _SLACK * text_height
    at_gap = any(left.right - slack <= border <= right.left + slack for left, right in pairwise(columns))
    return at_gap or (gap > 0.3 * text_height and _is_between(before, piece, columns))


def _is_between(before: Piece, piece: Piece, columns: Sequence[Column]) -> bool:
    """Whether the gap between two pieces is where a gap between two columns is."""
    return any(
        before.right <= right.left + 2 and piece.left >= left.right - 2 and before.right < piece.left
        for left, right in pairwise(columns)
        if before.centre < right.left and piece.centre > left.right
    )


def _home(piece: Piece, columns: Sequence[Column]) -> int:
    return min(range(len(columns)), key=lambda i: _distance(piece.centre, columns[i]))


def _distance(place: float, column: Column) -> float:
    return max(column.left - place, place - column.right, 0.0)


def _met(pieces: Sequence[Piece], columns: Sequence[Column], text_height: float) -> list[int]:
    """Columns that a text reaches into by more than a little; the nearest one where it reaches none."""
    left, right = pieces[0].left, max(piece.right for piece in pieces)
    met = [
        i
        for i, column in enumerate(columns)
        if min(right, column.right) - max(left, column.left)
        > min(0.5 * text_height, 0.5 * (right - left), 0.5 * (column.right - column.left))
    ]
    if met:
        return list(range(met[0], met[-1] + 1))
    centre = (left + right) / 2
    return [min(range(len(columns)), key=lambda i: _distance(centre, columns[i]))]

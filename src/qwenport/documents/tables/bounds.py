"""Which of the rows that stand together are the table's: what is printed above and below it may be aligned too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from statistics import median

from qwenport.documents.tables.bars import Bar
from qwenport.documents.tables.chunks import Chunk, TextRow, is_number
from qwenport.documents.tables.columns import Span, columns_of
from qwenport.documents.tables.heads import strips_of
from qwenport.documents.tables.regularity import has_full_head, texts_of
from qwenport.documents.tables.row_groups import Strip

_SPACE = 1.3  # of the text's height: a wider gap parts columns, not words of a title
_SPARSE = 0.6  # of the columns: a row that has fewer
_FLUSH = 0.6  # of the text's height: how near the ends of texts are that stand below one another
_LINES = 1.4  # of the text's height: how far the lines of one head stand apart at most
_MOST_LINES = 3  # of a head: more are a block of their own
_CENTRED = 1.5  # of the text's height: how near a name's middle is to that of the names that it stands over
_DIGITS_OF_YEAR = 4
_LEAST_NAMES = 4  # in a head that is known by itself
_ACROSS = 0.1  # of the rows

_Edges = Mapping[int, tuple[int, float]]


def within(strips: Sequence[Strip], columns: int, near: Sequence[Bar], text_height: float) -> list[Strip]:
    """The strips without titles above them and notes below them, which fill few columns."""
    kept = list(strips)
    top, bottom = min((bar.place for bar in near), default=0.0), max((bar.place for bar in near), default=0.0)
    while len(kept) > 2 and _is_beside(kept[0], columns, len(near) > 1 and kept[0].middle < top, text_height):
        kept.pop(0)
    while len(kept) > 2 and len(near) > 1 and kept[-1].middle > bottom and _is_sparse(kept[-1], columns):
        kept.pop()
    if near:
        return kept
    edges = _edges(kept, text_height)
    while len(kept) > 2 and _is_note(kept[-1], columns, edges, text_height):
        kept.pop()
    return kept


def _is_note(strip: Strip, columns: int, edges: _Edges, text_height: float) -> bool:
    """Whether a row says something about the table above it: little, aligned with nothing, and no figures."""
    if not (_is_sparse(strip, columns) and _is_stranger(strip, edges, text_height)):
        return False
    return not any(is_number(text) for text in texts_of([strip]).values())


def _is_beside(strip: Strip, columns: int, is_above: bool, text_height: float) -> bool:
    if not _is_sparse(strip, columns):
        return False
    gaps = [after.pieces[0].left - before.pieces[-1].right for before, after in pairwise(strip.spans)]
    return is_above or (len(gaps) > 0 and max(gaps) < _SPACE * text_height)


def _is_sparse(strip: Strip, columns: int) -> bool:
    return len(strip.filled) < _SPARSE * columns


def head_at(rows: Sequence[TextRow], text_height: float) -> int:
    """At which row a head stands below rows that are none of the table's; 0 where it is the first, or there is none."""
    for index, row in enumerate(rows):
        if len(row.chunks) < _LEAST_NAMES or any(map(_has_figure, row.chunks)):
            continue
        columns = columns_of(rows[index:], text_height)
        strips = strips_of(rows[index:], columns, text_height)
        full = [texts_of([strip]) for strip in strips if len(strip.spans) > 1]
        if keeps_columns(strips) and has_full_head(full, len(columns)):
            above = [strips_of([one, row], columns, text_height)[0] for one in rows[:index]]
            return _first_row(above, strips, text_height)
    return 0


def _has_figure(chunk: Chunk) -> bool:
    return any(character.isdigit() for character in chunk.text)


def _first_row(above: Sequence[Strip], strips: Sequence[Strip], text_height: float) -> int:
    """At which row a table begins whose last line of names is known; 0 where rows before it may be the table's too."""
    begin = _first_line(above, strips[0], text_height)
    if begin > 0 and _is_over_names(above[begin - 1], strips[0], text_height):
        begin -= 1
    edges = _edges(strips, text_height)
    are_strangers = all(_is_sparse(one, len(edges)) or _is_stranger(one, edges, text_height) for one in above[:begin])
    return begin if are_strangers else 0


def keeps_columns(strips: Sequence[Strip]) -> bool:
    """Whether hardly a text runs over several columns, as names of goods on a receipt do."""
    return sum(span.width > 1 for strip in strips for span in strip.spans) <= _ACROSS * len(strips)


def strangers_above(strips: Sequence[Strip], text_height: float) -> int:
    """How many rows at the beginning are none of the table's: what stands in them begins and ends elsewhere.

    Figures are among it, or it may be a head of several rows.
    """
    edges, found = _edges(strips, text_height), 0
    for index, (strip, below) in enumerate(pairwise(strips)):
        if _is_over_names(strip, below, text_height):
            break
        if _is_stranger(strip, edges, text_height):
            found = index + 1
        elif not _is_sparse(strip, len(edges)):
            break
    return found if any(_has_figure(chunk) for strip in strips[:found] for chunk in strip.row.chunks) else 0


def _first_line(above: Sequence[Strip], head: Strip, text_height: float) -> int:
    """At which row a head begins whose last line is known: some columns may have a line more above it, or two."""
    begin, below = len(above), head
    while begin > 0 and _goes_on(above[begin - 1], below, head, text_height):
        begin, below = begin - 1, above[begin - 1]
    return begin if len(above) - begin < _MOST_LINES else len(above)


def _goes_on(above: Strip, below: Strip, head: Strip, text_height: float) -> bool:
    """Whether a row is a line of a head: close above the next one, each text aligned with a name."""
    if below.middle - above.middle > _LINES * text_height or _has_code(above):
        return False
    names = {span.column: _places(span) for span in head.spans}
    return all(
        span.width == 1
        and span.column in names
        and any(abs(a - b) < _FLUSH * text_height for a, b in zip(_places(span), names[span.column], strict=True))
        for span in above.spans
    )


def _is_over_names(strip: Strip, head: Strip, text_height: float) -> bool:
    """Whether all that a row has is names over several of a head's, in the middle of these, or above none of them."""
    if _has_code(strip):
        return False
    under = [
        [one for one in head.spans if span.column <= one.column < span.column + span.width] for span in strip.spans
    ]
    return any(under) and all(
        not names or (len(names) > 1 and _is_in_middle(span, names, text_height))
        for span, names in zip(strip.spans, under, strict=True)
    )


def _is_in_middle(span: Span, names: Sequence[Span], text_height: float) -> bool:
    middle = (_places(names[0])[0] + _places(names[-1])[2]) / 2
    return abs(_places(span)[1] - middle) < _CENTRED * text_height


def _has_code(strip: Strip) -> bool:
    """Whether there is a date, an amount or a number of an account in a row: names have a year at most."""
    return any(sum(map(str.isdigit, text)) > _DIGITS_OF_YEAR for text in texts_of([strip]).values())


def _edges(strips: Sequence[Strip], text_height: float) -> _Edges:
    """By which of its places each column is aligned, left, middle or right, and where that is."""
    entries: dict[int, list[tuple[float, float, float]]] = {}
    for span in (span for strip in strips for span in strip.spans):
        entries.setdefault(span.column, []).append(_places(span))
    return {column: _edge(places, text_height) for column, places in entries.items()}


def _edge(entries: Sequence[tuple[float, float, float]], text_height: float) -> tuple[int, float]:
    """The place at which most entries of a column stand; the one at which they stand most exactly of two."""
    middles = [(side, median(entry[side] for entry in entries)) for side in range(3)]

    def straightness(edge: tuple[int, float]) -> tuple[int, float]:
        away = [abs(entry[edge[0]] - edge[1]) for entry in entries]
        return sum(distance < _FLUSH * text_height for distance in away), -sum(away)

    return max(middles, key=straightness)


def _is_stranger(strip: Strip, edges: _Edges, text_height: float) -> bool:
    """Whether something in a row is not aligned with its column, or a gap as between columns is within one."""
    return len(strip.row.chunks) > len(strip.spans) or any(
        span.width > 1 or abs(_places(span)[side] - place) >= _FLUSH * text_height
        for span in strip.spans
        for side, place in [edges.get(span.column, (0, inf))]
    )


def _places(span: Span) -> tuple[float, float, float]:
    """Left end, middle and right end."""
    left, right = span.pieces[0].left, max(piece.right for piece in span.pieces)
    return left, (left + right) / 2, right

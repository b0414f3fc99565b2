"""Heads over several columns, which stand in the middle above the heads of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from qwenport.documents.tables.chunks import TextRow, is_number
from qwenport.documents.tables.columns import Column, Span, spans_of
from qwenport.documents.tables.pieces import text_of
from qwenport.documents.tables.row_groups import Strip

_FLUSH = 0.4  # of the text's height: a head as far left or right as its column is that column's own
_OFF_CENTRE = 0.25  # of the width of its columns


def strips_of(rows: Sequence[TextRow], columns: Sequence[Column], text_height: float) -> list[Strip]:
    """Text rows with their chunks in columns; none where there are no columns."""
    if not columns:
        return []
    strips = [Strip(row=row, spans=tuple(spans_of(row, columns, text_height))) for row in rows]
    return _with_wide_heads(strips, text_height)


def _with_wide_heads(strips: Sequence[Strip], text_height: float) -> list[Strip]:
    """The strips, where heads in the first two of them may take more columns than their text touches."""
    widened = list(strips)
    for upper in range(min(2, len(strips))):
        columns = _reaches([strip for index, strip in enumerate(strips) if index != upper])
        for lower in (upper + 1, upper + 2):
            if lower >= len(strips) or not _is_head(strips[lower]):
                continue
            between = frozenset(c for strip in strips[upper + 1 : lower] for c in strip.filled)
            under = _under(strips[upper], strips[lower], between)
            spans = tuple(_wide(span, under.get(span, []), columns, text_height) for span in strips[upper].spans)
            if spans != strips[upper].spans:
                widened[upper] = replace(strips[upper], spans=spans)
                break
    return widened


def _reaches(strips: Sequence[Strip]) -> dict[int, Column]:
    """How far the text of each column reaches in these strips."""
    reaches: dict[int, Column] = {}
    for span in (span for strip in strips for span in strip.spans if span.width == 1):
        known = reaches.get(span.column, Column(float("inf"), float("-inf")))
        left, right = span.pieces[0].left, span.pieces[-1].right
        reaches[span.column] = Column(min(known.left, left), max(known.right, right))
    return reaches


def _is_head(strip: Strip) -> bool:
    return len(strip.spans) > 1 and not any(is_number(text_of(span.pieces)) for span in strip.spans)


def _under(upper: Strip, lower: Strip, between: frozenset[int]) -> dict[Span, list[Span]]:
    """Each text of the lower strip with the head that stands nearest above it."""
    under: dict[Span, list[Span]] = {}
    for span in lower.spans:
        if not between & set(range(span.column, span.column + span.width)):
            nearest = min(upper.spans, key=lambda one: abs(_centre(one) - _centre(span)))
            under.setdefault(nearest, []).append(span)
    return under


def _wide(span: Span, under: Sequence[Span], columns: Mapping[int, Column], text_height: float) -> Span:
    """The head over all that is under it, if it stands in their middle and not above one of them alone."""
    if len(under) < 2 or span.width > 1:
        return span
    first, last = under[0].column, under[-1].column + under[-1].width - 1
    if last - first + 1 != sum(one.width for one in under) or not first <= span.column <= last:
        return span
    if not {first, last, span.column} <= columns.keys():
        return span
    own, left, right = columns[span.column], span.pieces[0].left, span.pieces[-1].right
    slack = _FLUSH * text_height
    if _is_flush(
        left, right, own, next(one for one in under if one.column <= span.column < one.column + one.width), slack
    ):
        return span
    width = columns[last].right - columns[first].left
    away = abs(_centre(span) - (columns[first].left + columns[last].right) / 2)
    sticks_out = left < own.left - slack or right > own.right + slack
    is_in_middle = away < abs(_centre(span) - (own.left + own.right) / 2)
    if away > max(text_height, _OFF_CENTRE * width) or not (sticks_out or is_in_middle):
        return span
    return Span(column=first, width=last - first + 1, pieces=span.pieces)


def _is_flush(left: float, right: float, own: Column, below: Span, slack: float) -> bool:
    """Whether a head stands as far left or right as its column, on the side at which the head below it stands too."""
    at_left = abs(below.pieces[0].left - own.left) < slack
    at_right = abs(below.pieces[-1].right - own.right) < slack
    flush_left, flush_right = abs(left - own.left) < slack, abs(right - own.right) < slack
    if at_left == at_right:
        return flush_left or flush_right
    return flush_left if at_left else flush_right


def _centre(span: Span) -> float:
    return (span.pieces[0].left + span.pieces[-1].right) / 2

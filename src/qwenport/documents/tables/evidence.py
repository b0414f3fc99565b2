"""Whether aligned text is a table: pages in two columns, forms and lists are aligned too."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from qwenport.documents.tables.bars import Bar
from qwenport.documents.tables.chunks import is_number, letters
from qwenport.documents.tables.columns import Column, Span
from qwenport.documents.tables.pieces import text_of
from qwenport.documents.tables.row_groups import Strip

_LONG = 24  # letters: what is longer is more often prose than an entry
_COLONS = (":", "\uff1a")


def is_table(strips: Sequence[Strip], columns: Sequence[Column], rules: Sequence[Bar], text_height: float) -> bool:
    """Whether these rows are a table of these columns."""
    full = [strip for strip in strips if len(strip.filled) > 1]
    if len(full) < (2 if len(columns) > 2 else 3) and not (len(full) == 2 and len(rules) > 1):
        return False
    entries = [_entries(strips, column) for column in range(len(columns))]
    if any(not column for column in entries):
        return False
    if _is_form(entries) or _is_spaced_out(entries) or _is_prose(entries, columns):
        return False
    straight = sum(_is_straight(column, text_height) for column in entries)
    return straight >= (len(columns) if len(columns) == 2 else 0.6 * len(columns))


def _entries(strips: Sequence[Strip], column: int) -> list[Span]:
    return [span for strip in strips for span in strip.spans if span.column == column and span.width == 1]


def _is_form(entries: Sequence[Sequence[Span]]) -> bool:
    """Whether what stands here are keys with their values: half of the entries of a column have a colon."""
    return any(
        sum(1 for span in column if has_key(text_of(span.pieces))) > 0.4 * len(column)
        for column in entries
        if len(column) > 1
    )


def _is_spaced_out(entries: Sequence[Sequence[Span]]) -> bool:
    """Whether two columns are the characters of keys that were spaced out to one width, as Chinese forms do."""
    single = [all(len(text_of(span.pieces).rstrip(":\uff1a")) == 1 for span in column) for column in entries]
    return any(left and right for left, right in pairwise(single))


def has_key(text: str) -> bool:
    """Whether a text begins with a key and a colon; a time of day has a colon too."""
    at = min((text.find(colon) for colon in _COLONS if colon in text), default=-1)
    if at < 0:
        return False
    after = text[at + 1 : at + 2]
    return not (text[:at][-1:].isdigit() and after.isdigit())


def _is_prose(entries: Sequence[Sequence[Span]], columns: Sequence[Column]) -> bool:
    """Whether two columns are running text: long lines that fill them."""
    prose = 0
    for column, spans in zip(columns, entries, strict=True):
        lengths = [letters(text_of(span.pieces)) for span in spans]
        fills = [(span.pieces[-1].right - span.pieces[0].left) / (column.right - column.left) for span in spans]
        prose += len(spans) > 2 and median(lengths) > _LONG and median(fills) > 0.75
    return prose > 1


def _is_straight(spans: Sequence[Span], text_height: float) -> bool:
    """Whether most of a column's entries begin, end, or have their middle one below the other."""
    if sum(1 for span in spans if is_number(text_of(span.pieces))) > 0.6 * len(spans):
        return True
    edges = (
        [span.pieces[0].left for span in spans],
        [span.pieces[-1].right for span in spans],
        [(span.pieces[0].left + span.pieces[-1].right) / 2 for span in spans],
    )
    return any(_agreeing(places, text_height) >= 0.6 * len(places) for places in edges)


def _agreeing(places: Sequence[float], text_height: float) -> int:
    middle = median(places)
    return sum(1 for place in places if abs(place - middle) < 0.6 * text_height)

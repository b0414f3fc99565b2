"""In which order the lines of a page are read: deskewed, row by row, and column by column where text runs so."""

# ruff: noqa: RUF001 - full-width marks are what documents print

from __future__ import annotations

import math
import re
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from qwenport.documents.page import Line, Page
from qwenport.documents.printed_rows import printed_rows, row_text

_LONG = 3.0
"""A line so many times as long as high tells how the page leans."""
_LEVEL = 0.15
"""Degrees that are no lean: boxes are in whole pixels."""
_COLUMN_ROWS = 5
"""Lines that each of two columns of running text has at the least."""
_RUNNING = 0.6
"""Part of a column's lines that must fill it, as running text does and the cells of a table do not."""
_FULL = 0.6
"""Part of its column's width that a line of running text takes."""
_COLUMN_WIDTH = 8.0
"""Times its lines' height that a column of running text is wide."""
_PROSE = 0.4
"""Part of the lines of a column of prose that show it, each by itself; at most as many end with a Chinese sentence."""
_CHINESE_MARK = re.compile(r"[^\W\d_](?:[，、。；：！？][^\W\d_]|[，、；：]$)")
_CHINESE_ENDS = ("。", "！", "？")


class _Placed(Struct, frozen=True, gc=False):
    """A line, and where it would be on a level page."""

    line: Line
    index: int
    left: float
    right: float
    top: float
    bottom: float

    @property
    def text(self) -> str:
        return self.line.text

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def page_angle(lines: Sequence[Line]) -> float:
    """Return by how many degrees lines lean, clockwise: the median of the long ones; 0 where there is none."""
    angles = [angle for line in lines if _length(line) >= _LONG * line.height for angle in (_angle(line),)]
    level = [angle for angle in angles if abs(angle) <= 45]
    angle = statistics.median(level) if level else 0.0
    return angle if abs(angle) > _LEVEL else 0.0


def in_reading_order(page: Page) -> Page:
    """Return the page with its angle, and its lines in the order in which a reader takes them."""
    angle = page_angle(page.lines)
    rows = _read(_placed(page.lines, angle))
    ordered = tuple(placed.line for row in rows for placed in row)
    return msgspec.structs.replace(page, lines=ordered, angle=angle)


def rows_of(page: Page) -> tuple[tuple[Line, ...], ...]:
    """Return the printed rows of a page from top to bottom, each from left to right."""
    return tuple(tuple(page.lines[index] for index in row) for row in row_indices(page))


def row_indices(page: Page) -> tuple[tuple[int, ...], ...]:
    """Return the same as `rows_of`, each line by its index in the page."""
    return tuple(tuple(placed.index for placed in row) for row in _read(_placed(page.lines, page.angle)))


def page_text(page: Page) -> str:
    """Return the text of a page, a printed row a line; wide gaps within a row are several spaces."""
    return "\n".join(row_text(row) for row in _read(_placed(page.lines, page.angle)))


def _placed(lines: Sequence[Line], angle: float) -> tuple[_Placed, ...]:
    radians = -math.radians(angle)
    cosine, sine = math.cos(radians), math.sin(radians)
    return tuple(_level(index, line, cosine, sine) for index, line in enumerate(lines))


def _level(index: int, line: Line, cosine: float, sine: float) -> _Placed:
    across = [x * cosine - y * sine for x, y in zip(line.quad[0::2], line.quad[1::2], strict=True)]
    down = [x * sine + y * cosine for x, y in zip(line.quad[0::2], line.quad[1::2], strict=True)]
    # Means of the corners of one side: what lean is left makes a long line no higher.
    return _Placed(
        line,
        index,
        left=min(across),
        right=max(across),
        top=min((down[0] + down[1]) / 2, (down[2] + down[3]) / 2),
        bottom=max((down[0] + down[1]) / 2, (down[2] + down[3]) / 2),
    )


def _read(lines: Sequence[_Placed]) -> list[list[_Placed]]:
    """Return rows in reading order; a page of several columns is taken apart at their gutter."""
    gutter = _gutter(lines)
    if gutter is None:
        return printed_rows(lines)
    columned = [each for each in lines if not each.left < gutter < each.right]
    top = min(each.top for each in columned)
    bottom = max(each.bottom for each in columned)
    crossing = [each for each in lines if each.left < gutter < each.right]
    above = [each for each in crossing if each.middle < (top + bottom) / 2]
    below = [each for each in crossing if each.middle >= (top + bottom) / 2]
    left = [each for each in columned if each.right <= gutter]
    right = [each for each in columned if each.left >= gutter]
    return [*printed_rows(above), *_read(left), *_read(right), *printed_rows(below)]


def _gutter(lines: Sequence[_Placed], *, is_one_of_several: bool = False) -> float | None:
    """Return where the first of some columns of running text ends; None for everything else, tables above all.

    Cells may be as wide as the columns of a table: of more than two columns each must read as prose does.
    """
    is_column = _is_prose if is_one_of_several else _runs
    lefts, rights = sorted(each.left for each in lines), sorted(each.right for each in lines)
    for edge in sorted(set(lefts)):
        before, behind = bisect_right(rights, edge), len(lines) - bisect_left(lefts, edge)
        crossing = len(lines) - before - behind
        if crossing * 4 > len(lines) or min(before, behind) < _COLUMN_ROWS:
            continue
        left = [each for each in lines if each.right <= edge]
        right = [each for each in lines if each.left >= edge]
        between = [each for each in lines if each.left < edge < each.right]
        if not is_column(left) or _interrupts(between, [*left, *right]):
            continue
        if is_column(right) or (_is_prose(left) and _gutter(right, is_one_of_several=True) is not None):
            return (rights[before - 1] + edge) / 2
    return None


def _runs(lines: Sequence[_Placed]) -> bool:
    """Tell whether lines are a column of running text: as wide as the column, one below the other."""
    width = max(each.right for each in lines) - min(each.left for each in lines)
    if width < _COLUMN_WIDTH * statistics.median(each.height for each in lines):
        return False
    full = sum(each.right - each.left >= _FULL * width for each in lines)
    return full >= _RUNNING * len(lines) and len(printed_rows(lines)) > 0.8 * len(lines)


def _is_prose(lines: Sequence[_Placed]) -> bool:
    """Tell whether lines are a column of running text, whose sentences go on from line to line."""
    ends = sum(each.text.endswith(_CHINESE_ENDS) for each in lines)
    shown = sum(_is_of_sentences(each.text) for each in lines)
    return ends <= _PROSE * len(lines) <= shown and _runs(lines)


def _is_of_sentences(text: str) -> bool:
    """Tell whether a line begins small and has several words, or has a mark between Chinese ones."""
    return (text[:1].islower() and text.count(" ") >= 2) or _CHINESE_MARK.search(text) is not None


def _interrupts(crossing: Sequence[_Placed], columned: Sequence[_Placed]) -> bool:
    """Tell whether a line across the gutter stands between lines of the columns, which are no columns then."""
    top = min(each.top for each in columned)
    bottom = max(each.bottom for each in columned)
    return any(top < each.middle < bottom for each in crossing)


def _length(line: Line) -> float:
    return math.hypot(line.quad[2] - line.quad[0], line.quad[3] - line.quad[1])


def _angle(line: Line) -> float:
    x0, y0, x1, y1, x2, y2, x3, y3 = line.quad
    return math.degrees(math.atan2((y1 - y0) + (y2 - y3), (x1 - x0) + (x2 - x3)))

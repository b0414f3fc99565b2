"""A page as printed rows, with measures that do not depend on how large it was scanned."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from statistics import median

from msgspec import Struct

from qwenport.documents.page import Line, Page

_NO_WORD = re.compile(r"[^A-Z0-9\u3400-\u9fff]")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""Wide forms of ASCII, as Chinese fonts have them."""
_SAME_ROW = 0.5
"""Share of the lower of two lines that lies beside the other, from which on they are one row."""


def compact(text: str) -> str:
    """Return letters, digits and Chinese characters alone, in capitals: recognised text lacks spaces and points."""
    return _NO_WORD.sub("", unicodedata.normalize("NFKD", text).upper())


class Piece(Struct, frozen=True):
    """A line of the page in level coordinates."""

    line: Line
    left: float
    right: float
    top: float
    bottom: float

    @property
    def printed(self) -> str:
        """As recognised."""
        return self.line.text

    @property
    def text(self) -> str:
        """For searching: letters and points in one width, each at the place where it is in what was recognised."""
        return self.line.text.translate(_NARROW)

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top


class Row(Struct, frozen=True, dict=True):
    """Lines that stand beside each other, from left to right."""

    pieces: tuple[Piece, ...]

    @cached_property
    def text(self) -> str:
        """All of it, a space between lines."""
        return " ".join(piece.text.strip() for piece in self.pieces)

    @cached_property
    def key(self) -> str:
        """The text for searching; see `compact`."""
        return compact(self.text)

    @property
    def top(self) -> float:
        """Of its highest line."""
        return min(piece.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        """Of its lowest line."""
        return max(piece.bottom for piece in self.pieces)

    @property
    def left(self) -> float:
        """Of its first line."""
        return self.pieces[0].left

    @property
    def right(self) -> float:
        """Of its last line."""
        return max(piece.right for piece in self.pieces)

    @cached_property
    def height(self) -> float:
        """Of its text, the middle of its lines."""
        return median(piece.height for piece in self.pieces)


class Sheet(Struct, frozen=True, dict=True):
    """All rows of a page, from top to bottom."""

    rows: tuple[Row, ...]

    @cached_property
    def left(self) -> float:
        """Of all text."""
        return min(row.left for row in self.rows)

    @cached_property
    def right(self) -> float:
        """Of all text."""
        return max(row.right for row in self.rows)

    @cached_property
    def top(self) -> float:
        """Of all text."""
        return self.rows[0].top

    @cached_property
    def bottom(self) -> float:
        """Of all text."""
        return max(row.bottom for row in self.rows)

    @cached_property
    def height(self) -> float:
        """Of a usual line."""
        return median(piece.height for row in self.rows for piece in row.pieces) or 1.0

    def depth(self, row: Row) -> float:
        """Return how far down a row stands, from 0 to 1."""
        return (row.top - self.top) / max(self.bottom - self.top, 1.0)

    def across(self, x: float) -> float:
        """Return how far right a place is, from 0 to 1."""
        return (x - self.left) / max(self.right - self.left, 1.0)


def sheet_of(page: Page) -> Sheet:
    """Group the lines of a page, in whatever order they come, into rows."""
    pieces = sorted(_level(page.lines), key=lambda piece: piece.top + piece.bottom)
    rows: list[list[Piece]] = []
    for piece in pieces:
        row = next((row for row in reversed(rows[-3:]) if _is_beside(row, piece)), None)
        if row is None:
            rows.append([piece])
        else:
            row.append(piece)
    grouped = (Row(tuple(sorted(row, key=lambda piece: piece.left))) for row in rows)
    return Sheet(tuple(sorted(grouped, key=lambda row: row.top + row.bottom)))


def _is_beside(row: Sequence[Piece], piece: Piece) -> bool:
    """Whether a line belongs to a row: level with it, and not over or under one of its lines."""
    top = median(other.top for other in row)
    bottom = median(other.bottom for other in row)
    shared = min(bottom, piece.bottom) - max(top, piece.top)
    if shared < _SAME_ROW * min(bottom - top, piece.height):
        return False
    return all(min(o.right, piece.right) - max(o.left, piece.left) < 0.5 * min(piece.height, o.height) for o in row)


def _level(lines: Iterable[Line]) -> Iterator[Piece]:
    """Turn lines about the corner of the page until they are level."""
    shown = [line for line in lines if line.text.strip() and line.height > 0]
    turn = -_lean(shown)
    for line in shown:
        points = zip(line.quad[0::2], line.quad[1::2], strict=True)
        turned = [(x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)) for x, y in points]
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = turned
        yield Piece(line, min(x0, x3), max(x1, x2), (y0 + y1) / 2, (y2 + y3) / 2)


def _lean(lines: Iterable[Line]) -> float:
    """Return the angle of the long lines in radians."""
    long = [line.quad for line in lines if line.right - line.left > 4 * line.height]
    return median(math.atan2(quad[3] - quad[1], quad[2] - quad[0]) for quad in long) if long else 0.0

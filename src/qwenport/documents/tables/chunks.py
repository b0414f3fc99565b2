"""Text rows of pieces, and in them the chunks that wide gaps set apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from msgspec import Struct

from qwenport.documents.tables.pieces import Piece, text_lines, text_of

_WIDE_GAP = 0.9  # of the text's height
_GAP_OF_LINES = 0.35  # the same where the reader has seen two lines
_NUMBER = re.compile(
    r"[-+(]?\s*(?:[A-Z]{0,3}\$|[¥￥€£])?\s*[-+]?\d[\d,.\s]*(?:%|[元件个個]|[a-z]{1,3}|[A-Z]{1,2})?\)?", re.ASCII
)


class Chunk(Struct, frozen=True, kw_only=True):
    """Pieces at one height without a wide gap between them."""

    pieces: tuple[Piece, ...]

    @property
    def left(self) -> float:
        """Smallest place across."""
        return self.pieces[0].left

    @property
    def right(self) -> float:
        """Largest place across."""
        return max(piece.right for piece in self.pieces)

    @property
    def text(self) -> str:
        """As it would stand in a cell."""
        return text_of(self.pieces)


class TextRow(Struct, frozen=True, kw_only=True):
    """Chunks that stand beside one another, from left to right."""

    chunks: tuple[Chunk, ...]
    top: float
    bottom: float
    first: float
    """Middle of its first line, in height."""
    last: float
    """Middle of its last one: the same, unless cells of several lines stand beside one another in it."""

    @property
    def middle(self) -> float:
        """Of its height."""
        return (self.first + self.last) / 2

    def below(self, other: TextRow) -> float:
        """How far its first line stands below the last one of another row."""
        return self.first - other.last

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All of its pieces."""
        return tuple(piece for chunk in self.chunks for piece in chunk.pieces)


def text_rows(pieces: Sequence[Piece]) -> list[TextRow]:
    """All rows, from top to bottom."""
    return [_row(line) for line in text_lines(pieces)]


def _row(pieces: Sequence[Piece]) -> TextRow:
    height = median(piece.height for piece in pieces)
    middle = sum(piece.middle for piece in pieces) / len(pieces)
    chunks: list[list[Piece]] = [[pieces[0]]]
    for before, piece in pairwise(pieces):
        gap = piece.left - before.right
        if gap > _WIDE_GAP * height or (piece.line != before.line and gap > _GAP_OF_LINES * height):
            chunks.append([piece])
        else:
            chunks[-1].append(piece)
    return TextRow(
        chunks=tuple(Chunk(pieces=tuple(chunk)) for chunk in chunks),
        top=median(piece.top for piece in pieces),
        bottom=median(piece.bottom for piece in pieces),
        first=middle,
        last=middle,
    )


def is_number(text: str) -> bool:
    """Whether a text is an amount, a count or a share, as stands in columns of numbers."""
    return _NUMBER.fullmatch(text.strip()) is not None


def is_amount(text: str) -> bool:
    """Whether a text is a number with a decimal sign or marks between thousands: no year, count or code is."""
    return is_number(text) and any(mark in text for mark in ".,")


def letters(text: str) -> float:
    """How long a text is, in letters of a Latin script: a Chinese character says as much as two."""
    return sum(2.0 if ord(character) > 0x2E80 else 1.0 for character in text)

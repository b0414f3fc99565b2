"""Passages: stretches of text on the page, which may run over several fragments, and candidates taken out of them."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from qwenport.documents.fields.folding import is_chinese
from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.numbers import is_signed_start
from qwenport.documents.page import Quad


class Span(Struct, frozen=True):
    """A part of the text of one line of the page."""

    line: int
    start: int
    end: int


class Piece(Struct, frozen=True):
    """A part of a fragment."""

    fragment: Fragment
    start: int
    end: int

    @property
    def text(self) -> str:
        """As printed."""
        return self.fragment.text[self.start : self.end]


class Passage:
    """Pieces read one after the other."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(pieces)
        texts: list[str] = []
        starts: list[int] = []
        length = 0
        for piece in self.pieces:
            joint = _joint(texts[-1], piece.text) if texts else ""
            length += len(joint)
            starts.append(length)
            texts.append(joint + piece.text)
            length += len(piece.text)
        self.text = "".join(texts)
        self._starts = starts

    def part(self, start: int, end: int) -> Passage:
        """Return the passage between two places of its text."""
        pieces = []
        for piece, begin in zip(self.pieces, self._starts, strict=True):
            first, last = max(start, begin), min(end, begin + len(piece.text))
            if first < last:
                pieces.append(Piece(piece.fragment, piece.start + first - begin, piece.start + last - begin))
        return Passage(pieces)

    def stripped(self, marks: str = " :：,，;；、|_-—=·.。") -> Passage:
        """Return the passage without separators at its start and spaces at its end; a number keeps its sign."""
        start = len(self.text) - len(self.text.lstrip(marks))
        before = self.pieces[0].fragment.text[: self.pieces[0].start] if self.pieces else ""
        signs = (at for at in range(start) if is_signed_start(before + self.text, len(before) + at))
        return self.part(next(signs, start), len(self.text.rstrip(" :：,，;；、|_—=")))

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where the passage stands."""
        return tuple(Span(piece.fragment.number, piece.start, piece.end) for piece in self.pieces)

    @property
    def quads(self) -> tuple[Quad, ...]:
        """Its places in pixels of the page, one a line."""
        return tuple(piece.fragment.quad_of(piece.start, piece.end) for piece in self.pieces)


def _joint(before: str, after: str) -> str:
    """Return what stands between two pieces: nothing within Chinese text."""
    if not before or not after or is_chinese(before[-1]) or is_chinese(after[0]):
        return ""
    return " "


class Candidate(Struct, frozen=True):
    """A passage that may be the value of a field."""

    passage: Passage
    score: float

    @property
    def text(self) -> str:
        """As printed."""
        return self.passage.text


def whole(fragment: Fragment) -> Passage:
    """Return all of a fragment."""
    return Passage((Piece(fragment, 0, len(fragment.text)),))

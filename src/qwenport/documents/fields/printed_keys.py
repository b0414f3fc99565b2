"""Keys as they stand on a page."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from qwenport.documents.fields.folding import is_chinese
from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.passages import Piece

COLONS = ":：﹕∶；;"
"""Marks between a key and its value, as printed or misread."""


class PrintedKey(Struct, frozen=True, kw_only=True):
    """A key on the page."""

    text: str
    """Folded; the known key's spelling where it is known."""
    pieces: tuple[Piece, ...]
    after: int
    """Where a value on the same line could begin, in the text of the last piece's fragment."""
    strength: float
    """How sure it is that this is a key, 0 to 1."""
    has_colon: bool = False
    is_known: bool = True

    @property
    def fragment(self) -> Fragment:
        """Where the key ends."""
        return self.pieces[-1].fragment

    @property
    def start(self) -> int:
        """Where the key begins in its last fragment."""
        return self.pieces[-1].start

    @property
    def left(self) -> float:
        """Its left edge."""
        return min(piece.fragment.x_at(piece.start) for piece in self.pieces)

    @property
    def right(self) -> float:
        """Its right edge."""
        return max(piece.fragment.x_at(piece.end) for piece in self.pieces)

    @property
    def is_chinese(self) -> bool:
        """Whether it is in Chinese."""
        return is_chinese(self.text[0])

    @property
    def top(self) -> float:
        """Its top edge."""
        return min(piece.fragment.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        """Its bottom edge."""
        return max(piece.fragment.bottom for piece in self.pieces)

    @property
    def printed(self) -> str:
        """As printed, without the colon."""
        return "".join(piece.text for piece in self.pieces).strip(" :：")


class PrintedKeys:
    """All keys of a page, fragment by fragment."""

    def __init__(self, keys: Iterable[PrintedKey]) -> None:
        self.all = tuple(keys)
        self._by_fragment: dict[int, list[PrintedKey]] = {}
        for key in self.all:
            for piece in key.pieces:
                self._by_fragment.setdefault(piece.fragment.number, []).append(key)

    def on(self, fragment: Fragment) -> Sequence[PrintedKey]:
        """Return the keys that are wholly or partly on a fragment."""
        return self._by_fragment.get(fragment.number, ())

    def value_end(self, fragment: Fragment, start: int) -> int:
        """Return where a value that begins at `start` must end: at the next key."""
        starts = [
            piece.start
            for key in self.on(fragment)
            for piece in key.pieces
            if piece.fragment is fragment and piece.start >= start and (key.has_colon or key.strength >= 0.8)
        ]
        return min(starts, default=len(fragment.text))

    def begins_with_key(self, fragment: Fragment) -> bool:
        """Whether a fragment is a key or begins with one."""
        return any(
            key.strength >= 0.8 and not fragment.text[: piece.start].strip(" *•·")
            for key in self.on(fragment)
            for piece in key.pieces
            if piece.fragment is fragment
        )

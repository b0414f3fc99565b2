"""The answer that every upstream of the benchmark gives: its pieces, and what became of them on the way."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

_CONTENT = re.compile(rb'"content": ?"([^"]*)"')


class PieceCount(Struct, frozen=True, kw_only=True):
    """How the pieces of one stream arrived."""

    received: int
    lost: int
    doubled: int
    """Pieces that came more often than they were sent, or were never sent at all."""
    misplaced: int
    """Pieces that came once, but out of their order."""


@lru_cache
def pieces(tokens: int) -> tuple[bytes, ...]:
    """Return the pieces of an answer of this many tokens: each differs from all others."""
    return tuple(b" word%04d" % number for number in range(tokens))


def count_pieces(body: bytes, tokens: int) -> PieceCount:
    """Compare the text of a stream's chunks with the answer of `tokens` pieces; empty texts are no pieces."""
    expected = pieces(tokens)
    received = tuple(text for text in _CONTENT.findall(body) if text)
    if received == expected:
        return PieceCount(received=tokens, lost=0, doubled=0, misplaced=0)
    lost = Counter(expected) - Counter(received)
    doubled = Counter(received) - Counter(expected)
    return PieceCount(
        received=len(received),
        lost=lost.total(),
        doubled=doubled.total(),
        misplaced=_misplaced(received, expected),
    )


def is_whole(body: bytes, tokens: int) -> bool:
    """Tell whether an answer in one piece holds the whole text."""
    return _CONTENT.findall(body) == [b"".join(pieces(tokens))]


def _misplaced(received: tuple[bytes, ...], expected: tuple[bytes, ...]) -> int:
    """Count the pieces that are followed by one that should have come before them."""
    places = {piece: place for place, piece in enumerate(expected)}
    known = [places[piece] for piece in dict.fromkeys(received) if piece in places]
    return sum(later < earlier for earlier, later in pairwise(known))

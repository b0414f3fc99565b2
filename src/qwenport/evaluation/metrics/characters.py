"""Character error rate of printed items."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from msgspec import Struct
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist


class CharacterCounts(Struct, frozen=True, kw_only=True):
    """Wrong characters among those printed."""

    errors: int = 0
    characters: int = 0
    exact_items: int = 0
    items: int = 0

    def __add__(self, other: CharacterCounts) -> CharacterCounts:
        return CharacterCounts(
            errors=self.errors + other.errors,
            characters=self.characters + other.characters,
            exact_items=self.exact_items + other.exact_items,
            items=self.items + other.items,
        )

    @property
    def error_rate(self) -> float:
        """Errors a character; 0 where nothing is printed."""
        return self.errors / self.characters if self.characters else 0.0


def count_characters(printed: Iterable[str], read: Iterable[str]) -> CharacterCounts:
    """Compare each printed item with the line that is nearest to it, or with the part of a longer line.

    Errors are insertions, deletions and replacements, at most the length of the item; width of characters and blanks
    do not count. A line may answer several items, as items that stand close are read as one.
    """
    items = [one for one in map(_bare, printed) if one]
    lines = [one for one in map(_bare, read) if one]
    errors = [min(len(item), nearest) for item, nearest in zip(items, _nearest(items, lines), strict=True)]
    return CharacterCounts(
        errors=sum(errors),
        characters=sum(map(len, items)),
        exact_items=sum(error == 0 for error in errors),
        items=len(items),
    )


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _nearest(items: Sequence[str], lines: Sequence[str]) -> list[int]:
    """Return the distance of each item to its nearest line, 0 where a line holds it."""
    if not items or not lines:
        return [len(item) for item in items]
    distances = cdist(items, lines, scorer=Levenshtein.distance)
    return [
        0 if any(item in line for line in lines) else min(int(row.min()), _within(item, lines))
        for item, row in zip(items, distances, strict=True)
    ]


def _within(item: str, lines: Sequence[str]) -> int:
    """Return the distance of an item to the part of a longer line that is nearest to it."""
    size = len(item)
    parts = (line[at : at + size] for line in lines if len(line) > size for at in range(len(line) - size + 1))
    return min((Levenshtein.distance(item, part, score_cutoff=size) for part in parts), default=size)

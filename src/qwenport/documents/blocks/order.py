"""The order in which a reader takes the parts of a page: column by column, and across where something spans them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from qwenport.documents.tables.rules import Box


class _Part(Protocol):
    @property
    def place(self) -> Box:
        """In the straightened frame."""
        ...

    @property
    def is_large(self) -> bool:
        """Whether it can be a part of a column: more than a line or two."""
        ...


_P = TypeVar("_P", bound=_Part)


def in_order(parts: Sequence[_P], gutter: float) -> list[_P]:
    """Parts as they are read. `gutter` is the least space between two columns."""
    if len(parts) < 2:
        return list(parts)
    columns = _columns(parts, gutter)
    if columns is not None:
        return [part for column in columns for part in in_order(column, gutter)]
    bands = _joined_bands(_bands(parts), gutter)
    if len(bands) == 1:
        return sorted(parts, key=lambda part: (part.place[1], part.place[0]))
    return [part for band in bands for part in in_order(band, gutter)]


def _columns(parts: Sequence[_P], gutter: float) -> tuple[list[_P], list[_P]] | None:
    """The parts left and right of the widest space that runs all the way down; `None` where there is none."""
    ordered = sorted(parts, key=lambda part: part.place[0])
    best, at, reached = 0.0, 0, ordered[0].place[2]
    for index, part in enumerate(ordered[1:], 1):
        if part.place[0] - reached > best:
            best, at = part.place[0] - reached, index
        reached = max(reached, part.place[2])
    left, right = ordered[:at], ordered[at:]
    if best < gutter or not (any(p.is_large for p in left) and any(p.is_large for p in right)):
        return None
    return left, right


def _bands(parts: Sequence[_P]) -> list[list[_P]]:
    """Parts side by side, from top to bottom."""
    bands: list[list[_P]] = []
    reached = float("-inf")
    for part in sorted(parts, key=lambda one: one.place[1]):
        slack = 0.3 * min(part.place[3] - part.place[1], 20.0)
        if bands and part.place[1] < reached - slack:
            bands[-1].append(part)
        else:
            bands.append([part])
        reached = max(reached, part.place[3])
    return [sorted(band, key=lambda part: part.place[0]) for band in bands]


def _joined_bands(bands: Sequence[list[_P]], gutter: float) -> list[list[_P]]:
    """Bands that the same columns run through made one: paragraphs of two columns may end at one height."""
    joined: list[list[_P]] = []
    for band in bands:
        if joined and _columns([*joined[-1], *band], gutter) is not None:
            joined[-1] = [*joined[-1], *band]
        else:
            joined.append(list(band))
    return joined

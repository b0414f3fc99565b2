"""Where a printed character is missing between two that were read: hidden by a stain, or gone without a trace.

The recogniser leaves out what it cannot read, at times with a space in its place, and is sure of the rest. But figures
stand evenly: two that are as far apart as if a third stood between them had one. Letters are of all widths, and Chinese
characters are set apart as the form wants them: nothing is concluded from how far apart those stand.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.ink import Columns, inked

_ROOM = 0.6
"""Of the usual distance: figures that leave so much room between them had another one there."""
_MOST_ROOM_OF_GAP = 1.4
"""More is no gap of one figure but the one between two columns."""
_MOST_ROOM_OF_STAIN = 3.0
"""More ink is a picture."""
_ROOM_OF_SPACE = (0.8, 1.2)
"""The same where a space was told and there is no ink: as much room as one figure takes, not more."""
_INKED = 0.5
"""Part of the room that is ink where something was printed there."""
_NARROW_TYPE = 0.86
"""Of the usual distance: narrow characters stand as near to others, but in type of one width."""
_LEAST_PAIRS = 4
"""Of figures, to know their distance where each touches the next, so that no ink shows where it stands."""
_WIDEST = 0.6
"""Of the strip's height: a wider stretch of ink is more than one figure."""
_WIDEST_MARK = 0.62
"""Of the usual distance of figures: a wider stretch of ink is no mark, though one was told there."""
_SLACK = 2.0
"""Pixels by which a character may be told beside its ink."""
_FIGURES = frozenset("0123456789")
_MARKS = frozenset(".,:/-")
_NARROW = frozenset(".,:;'|ilI")


class Missing(Struct, frozen=True, gc=False):
    """A character that is not told."""

    before: int
    """The number, among the printed ones that are told, of the character that follows it."""
    start: float
    """Columns of pixels that are its own."""
    end: float


class _Seen(Struct, frozen=True, gc=False):
    """A printed character, and where it is."""

    text: str
    middle: float
    own: Columns | None
    """Its ink, where that stands alone."""
    follows_space: bool

    @property
    def is_figure(self) -> bool:
        return self.text in _FIGURES


def missing(characters: Sequence[Character], gaps: Sequence[Columns], width: int, height: int) -> Iterator[Missing]:
    """Yield what is missing within a line, in no order."""
    stretches = inked(gaps, width)
    seen = _seen(characters, stretches, width, height)
    pitch = _pitch([pair for pair in _neighbours(seen) if pair[0].is_figure and pair[1].is_figure])
    if pitch:
        yield from _among_figures(seen, stretches, pitch)


def _seen(characters: Sequence[Character], stretches: Sequence[Columns], width: int, height: int) -> list[_Seen]:
    printed = [(index, each.place * width) for index, each in enumerate(characters) if each.text.strip()]
    seen: list[_Seen] = []
    previous, at = -1, 0
    for index, place in printed:
        while at < len(stretches) and stretches[at].end + _SLACK < place:
            at += 1
        own = stretches[at] if at < len(stretches) and stretches[at].start - _SLACK <= place else None
        if own is not None and (own.width > _WIDEST * height or _others(printed, own)):
            own = None
        middle = place if own is None else own.middle
        seen.append(_Seen(characters[index].text, middle, own, index > previous + 1))
        previous = index
    return seen


def _others(printed: Sequence[tuple[int, float]], own: Columns) -> bool:
    return sum(own.start - _SLACK <= place <= own.end + _SLACK for _, place in printed) > 1


def _neighbours(seen: Sequence[_Seen]) -> list[tuple[_Seen, _Seen]]:
    return [pair for pair in pairwise(seen) if not pair[1].follows_space]


def _pitch(pairs: Sequence[tuple[_Seen, _Seen]]) -> float:
    """Return the usual distance of neighbours; 0.0 where it cannot be known."""
    sure = [other.middle - one.middle for one, other in pairs if one.own and other.own]
    if sure:
        return statistics.median_low(sure)
    told = [other.middle - one.middle for one, other in pairs]
    return statistics.median(told) if len(told) >= _LEAST_PAIRS else 0.0


def _among_figures(seen: Sequence[_Seen], stretches: Sequence[Columns], pitch: float) -> Iterator[Missing]:
    is_proportional = _is_proportional(seen, pitch)
    for at in range(1, len(seen)):
        before, after = seen[at - 1], seen[at]
        start, end = before.middle + pitch / 2, after.middle - pitch / 2
        if not _are_of_number(before, after, pitch) or _room(seen, at, end - start, pitch) < _ROOM * pitch:
            continue
        least, most = 0.0, _MOST_ROOM_OF_STAIN
        if _ink_between(stretches, start, end) < _INKED:
            least, most = _ROOM_OF_SPACE if after.follows_space else (0.0, _MOST_ROOM_OF_GAP)
            if after.follows_space and not (is_proportional and before.own and after.own):
                continue
        if least * pitch <= end - start <= most * pitch:
            yield Missing(at, start, end)


def _is_proportional(seen: Sequence[_Seen], pitch: float) -> bool:
    """Whether narrow characters take less room than figures, so that a space does too."""
    return any(
        {one.text, other.text} & _NARROW and other.middle - one.middle < _NARROW_TYPE * pitch
        for one, other in _neighbours(seen)
        if one.own and other.own
    )


def _are_of_number(before: _Seen, after: _Seen, pitch: float) -> bool:
    """Whether two stand in one number or code."""
    if before.is_figure and after.is_figure:
        return True
    # Marks are narrow: how near they stand is only known from their ink.
    figure, mark = (before, after) if before.is_figure else (after, before)
    is_of_mark = figure.is_figure and mark.text in _MARKS and not after.follows_space
    return is_of_mark and figure.own is not None and mark.own is not None and mark.own.width <= _WIDEST_MARK * pitch


def _room(seen: Sequence[_Seen], at: int, room: float, pitch: float) -> float:
    """Return how much room there is between two, measured from the figures beside them too.

    A character that touches another is told up to a third of a figure beside its place; the next one is not.
    """
    left = at >= 2 and seen[at - 1].is_figure and seen[at - 2].is_figure and not seen[at - 1].follows_space
    right = at + 1 < len(seen) and seen[at].is_figure and seen[at + 1].is_figure and not seen[at + 1].follows_space
    rooms = [room]
    from_left = seen[at - 1].middle - seen[at - 2].middle - pitch if left else 0.0
    from_right = seen[at + 1].middle - seen[at].middle - pitch if right else 0.0
    rooms += [room + from_left] if left else []
    rooms += [room + from_right] if right else []
    rooms += [room + from_left + from_right] if left and right else []
    return min(rooms)


def _ink_between(stretches: Sequence[Columns], start: float, end: float) -> float:
    """Return the part of the columns between two places that is not blank."""
    ink = sum(max(0.0, min(each.end, end) - max(each.start, start)) for each in stretches)
    return ink / (end - start) if end > start else 0.0

"""Rules in the straightened frame: level or upright, double ones made one, broken ones whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from qwenport.documents.tables.frame import Frame
from qwenport.documents.tables.rules import Segment

_BRIDGED = 0.35
_IN_LINE = 0.4  # of how far the lines of a double rule are apart: so exactly do parts of a broken one follow each other


class Bar(Struct, frozen=True, gc=False):
    """A level or upright rule."""

    place: float
    """Its height where it is level, how far right it stands where it is upright."""
    start: float
    end: float

    @property
    def length(self) -> float:
        """Pixels."""
        return self.end - self.start

    def reaches(self, other: Bar, slack: float) -> bool:
        """Whether it meets one that runs the other way."""
        return (
            self.start - slack <= other.place <= self.end + slack
            and other.start - slack <= self.place <= other.end + slack
        )


def level_bars(segments: Iterable[Segment], frame: Frame) -> list[Bar]:
    """The horizontal rules."""
    bars = []
    for segment in segments:
        (u0, v0), (u1, v1) = frame.place(segment.x0, segment.y0), frame.place(segment.x1, segment.y1)
        bars.append(Bar((v0 + v1) / 2, min(u0, u1), max(u0, u1)))
    return bars


def upright_bars(segments: Iterable[Segment], frame: Frame) -> list[Bar]:
    """The vertical rules."""
    bars = []
    for segment in segments:
        (u0, v0), (u1, v1) = frame.place(segment.x0, segment.y0), frame.place(segment.x1, segment.y1)
        bars.append(Bar((u0 + u1) / 2, min(v0, v1), max(v0, v1)))
    return bars


def joined(bars: Iterable[Bar], apart: float, gap: float) -> list[Bar]:
    """Bars of one line made one: those beside each other by `apart` at most, and with gaps of at most `gap` between."""
    whole: list[Bar] = []
    for bar in sorted(bars, key=lambda one: (one.start, one.place)):
        for index in range(len(whole) - 1, -1, -1):
            other = whole[index]
            # A stroke of a letter that stands near the end of a rule is no part of it.
            bridged = min(gap, _BRIDGED * min(bar.length, other.length))
            aside = apart if bar.start <= other.end else _IN_LINE * apart
            if abs(other.place - bar.place) <= aside and bar.start - other.end <= bridged:
                weight = bar.length / ((bar.length + other.length) or 1.0)
                place = other.place + (bar.place - other.place) * weight
                whole[index] = Bar(place, other.start, max(other.end, bar.end))
                break
        else:
            whole.append(bar)
    return sorted(whole, key=lambda one: (one.place, one.start))


def groups(level: Sequence[Bar], upright: Sequence[Bar], slack: float) -> list[tuple[list[Bar], list[Bar]]]:
    """Bars that meet one another, directly or through others, from top to bottom."""
    leaders = list(range(len(level) + len(upright)))

    def leader(index: int) -> int:
        while leaders[index] != index:
            leaders[index] = leaders[leaders[index]]
            index = leaders[index]
        return index

    for i, bar in enumerate(level):
        for j, other in enumerate(upright, len(level)):
            if bar.reaches(other, slack):
                leaders[leader(j)] = leader(i)
    found: dict[int, tuple[list[Bar], list[Bar]]] = {}
    for index, bar in enumerate([*level, *upright]):
        found.setdefault(leader(index), ([], []))[0 if index < len(level) else 1].append(bar)
    return sorted(found.values(), key=lambda group: min(bar.place for bar in group[0]) if group[0] else 0.0)

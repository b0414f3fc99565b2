"""The grid that meeting rules make, with the cells that its missing edges leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from qwenport.documents.tables.bars import Bar

_DRAWN = 0.7  # share of a cell's side that must be drawn for it to be an edge
_Place = tuple[int, int]


class Slot(Struct, frozen=True, kw_only=True, gc=False):
    """A cell of a grid: where it begins and how much it takes."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1


class Lattice(Struct, frozen=True, kw_only=True):
    """Borders of rows and of columns, one more than there are of these, and the cells between them."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    slots: tuple[Slot, ...]


def lattice_of(level: Sequence[Bar], upright: Sequence[Bar], text_height: float) -> Lattice | None:
    """The grid of rules that meet one another; `None` where they bound nothing."""
    slack = text_height * 0.5
    upright = [bar for bar in upright if _bounds_cells(bar, level, text_height)]
    level = [bar for bar in level if _bounds_cells(bar, upright, 2 * text_height)]
    upright = [bar for bar in upright if _bounds_cells(bar, level, text_height)]
    rows = _places(level, slack)
    columns = _places(upright, slack)
    rows = _with_ends(rows, upright, text_height)
    columns = _with_ends(columns, level, text_height)
    if len(rows) < 2 or len(columns) < 2:
        return None
    slots = tuple(_slots(rows, columns, _Edges(level, upright, rows, columns, slack)))
    return Lattice(rows=tuple(rows), columns=tuple(columns), slots=slots)


def _bounds_cells(bar: Bar, across: Sequence[Bar], size: float) -> bool:
    """Whether a bar runs from rule to rule as no stroke of a letter does, or is long and hangs between none."""
    slack = max(3.0, 0.2 * size)
    met = [other.place for other in across if other.start - slack <= bar.place <= other.end + slack]
    begins, ends = (any(abs(place - end) < slack for place in met) for end in (bar.start, bar.end))
    if begins and ends:
        return True
    is_between = any(place < bar.start for place in met) and any(place > bar.end for place in met)
    crosses = any(bar.start + size <= place <= bar.end - size for place in met)
    return bar.length > 3 * size and (crosses or not is_between)


def _places(bars: Iterable[Bar], slack: float) -> list[float]:
    """Where borders run: bars close to one another make one."""
    clusters: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda one: one.place):
        if clusters and bar.place - clusters[-1][-1].place <= slack:
            clusters[-1].append(bar)
        else:
            clusters.append([bar])
    return [sum(bar.place * bar.length for bar in c) / (sum(bar.length for bar in c) or 1.0) for c in clusters]


def _with_ends(places: list[float], across: Sequence[Bar], text_height: float) -> list[float]:
    """Borders that are not drawn, but to which the rules across run, as in a table that is open at its sides."""
    if not across:
        return places
    starts, ends = sorted(bar.start for bar in across), sorted(bar.end for bar in across)
    first, last = starts[len(starts) // 4], ends[len(ends) - 1 - len(ends) // 4]
    if not places:
        return [first, last] if last - first > text_height else []
    begin = [first] if places[0] - first > 1.5 * text_height else []
    end = [last] if last - places[-1] > 1.5 * text_height else []
    return begin + places + end


class _Edges:
    """Which sides of the grid's places are drawn."""

    def __init__(
        self,
        level: Sequence[Bar],
        upright: Sequence[Bar],
        rows: Sequence[float],
        columns: Sequence[float],
        slack: float,
    ) -> None:
        self._below = [_covered(level, place, columns, slack) for place in rows]
        self._right = [_covered(upright, place, rows, slack) for place in columns]

    def has_below(self, row: int, column: int) -> bool:
        return self._below[row + 1][column]

    def has_right(self, row: int, column: int) -> bool:
        return self._right[column + 1][row]


def _covered(bars: Sequence[Bar], place: float, borders: Sequence[float], slack: float) -> list[bool]:
    """For each stretch between borders whether a bar at this place runs along it."""
    near = [bar for bar in bars if abs(bar.place - place) <= slack]
    drawn = []
    for start, end in pairwise(borders):
        parts = sorted((max(bar.start, start), min(bar.end, end)) for bar in near)
        length, at = 0.0, start
        for begin, stop in parts:
            length += max(0.0, stop - max(begin, at))
            at = max(at, stop)
        drawn.append(length >= _DRAWN * (end - start))
    return drawn


def _slots(rows: Sequence[float], columns: Sequence[float], edges: _Edges) -> Iterable[Slot]:
    """Rectangles of places without an edge between, by row and column."""
    height, width = len(rows) - 1, len(columns) - 1
    taken: set[_Place] = set()
    for row in range(height):
        for column in range(width):
            if (row, column) in taken:
                continue
            right = column
            while right + 1 < width and (row, right + 1) not in taken and not edges.has_right(row, right):
                right += 1
            bottom = row
            while bottom + 1 < height and _goes_on(edges, bottom, column, right):
                bottom += 1
            taken.update((r, c) for r in range(row, bottom + 1) for c in range(column, right + 1))
            yield Slot(row=row, column=column, row_span=bottom - row + 1, column_span=right - column + 1)


def _goes_on(edges: _Edges, row: int, left: int, right: int) -> bool:
    """Whether the rectangle can take the next row: no edge below it, none within it, and it ends where it ends."""
    if any(edges.has_below(row, column) for column in range(left, right + 1)):
        return False
    return not any(edges.has_right(row + 1, column) for column in range(left, right))

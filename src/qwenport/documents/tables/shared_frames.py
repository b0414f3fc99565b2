"""Tables within a frame that they share with boxes of text, or with one another.

A form is often one frame: boxes with the buyer's and the seller's address, the goods between them, remarks below. The
rules of all these meet, but only rows whose borders stand below one another are rows of one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from qwenport.documents.tables.assembly import Filled
from qwenport.documents.tables.chunks import text_rows
from qwenport.documents.tables.evidence import has_key
from qwenport.documents.tables.lattice import Lattice

_SHARED = 0.5  # of the borders of that one of two rows which has fewer


class Band(Struct, frozen=True, kw_only=True):
    """Rows of a lattice that no rule parts all across: usually one."""

    rows: range
    cells: tuple[Filled, ...]
    is_gap: bool
    """Whether it is the space between two tables or between the lines of a double rule, or holds a table itself."""

    @property
    def borders(self) -> frozenset[int]:
        """Where its columns part."""
        return frozenset(cell.slot.column for cell in self.cells if cell.slot.column)

    @property
    def is_low(self) -> bool:
        """Whether it can be a row of any table: no text in it has a second line."""
        return len(self.rows) == 1 and not self.is_gap and all(len(text_rows(cell.pieces)) < 2 for cell in self.cells)

    @property
    def holds_pairs(self) -> bool:
        """Whether it is one box with several keys and their values."""
        chunks = [chunk for cell in self.cells for row in text_rows(cell.pieces) for chunk in row.chunks]
        return len(self.cells) == 1 and sum(has_key(chunk.text) for chunk in chunks) > 1


_Part = tuple[Band, ...]


def parts_of(lattice: Lattice, filled: Sequence[Filled], text_height: float) -> list[tuple[Lattice, list[Filled]]]:
    """The tables that a lattice may be, from top to bottom, each in rows and columns of its own.

    A lattice whose rows have their borders in common is one. Rows of which no cell is given part what is above them
    from what is below.
    """
    parts = [_without_boxes(part) for part in _joined(_alike(_bands(lattice, filled, text_height)))]
    return [_apart(lattice, part) for part in parts if part]


def _bands(lattice: Lattice, filled: Sequence[Filled], text_height: float) -> list[Band]:
    inner = {one.slot.row + down for one in filled for down in range(1, one.slot.row_span)}
    bands = []
    for above, below in pairwise(row for row in range(len(lattice.rows)) if row not in inner):
        cells = tuple(one for one in filled if above <= one.slot.row < below)
        is_low = lattice.rows[below] - lattice.rows[above] < text_height
        is_gap = not cells or (is_low and len(cells) == 1 and not cells[0].pieces)
        bands.append(Band(rows=range(above, below), cells=cells, is_gap=is_gap))
    return bands


def _alike(bands: Sequence[Band]) -> list[_Part]:
    """Bands that follow one another and have borders in common; a band without any goes with those above it."""
    parts: list[_Part] = []
    for band in bands:
        if parts and _goes_on(parts[-1], band):
            parts[-1] = (*parts[-1], band)
        else:
            parts.append((band,))
    return parts


def _goes_on(part: _Part, band: Band) -> bool:
    if band.is_gap or part[-1].is_gap:
        return False
    borders = next((above.borders for above in reversed(part) if above.borders), band.borders)
    return len(borders & band.borders) >= _SHARED * min(len(borders), len(band.borders))


def _joined(parts: Sequence[_Part]) -> list[_Part]:
    """The parts, where a single row is the head or the end of what it stands beside, wherever its borders are."""
    joined: list[_Part] = []
    for part in parts:
        is_single = any(len(one) == 1 and one[0].is_low for one in (part, *joined[-1:]))
        if joined and is_single and not (part[0].is_gap or joined[-1][-1].is_gap):
            joined[-1] = (*joined[-1], *part)
        else:
            joined.append(part)
    return joined


def _without_boxes(part: _Part) -> _Part:
    """The part without boxes of keys and values above and below it."""
    start, end = 0, len(part)
    while start < end and part[start].holds_pairs:
        start += 1
    while start < end and part[end - 1].holds_pairs:
        end -= 1
    return part[start:end]


def _apart(lattice: Lattice, part: _Part) -> tuple[Lattice, list[Filled]]:
    """The part as a lattice of its own, without the borders that only other parts have."""
    cells = [cell for band in part for cell in band.cells]
    borders = sorted({border for cell in cells for border in (cell.slot.column, _end(cell))})
    columns = {border: index for index, border in enumerate(borders)}
    top, bottom = part[0].rows.start, part[-1].rows.stop
    moved = [
        replace(
            cell,
            slot=replace(
                cell.slot,
                row=cell.slot.row - top,
                column=columns[cell.slot.column],
                column_span=columns[_end(cell)] - columns[cell.slot.column],
            ),
        )
        for cell in cells
    ]
    own = Lattice(
        rows=lattice.rows[top : bottom + 1],
        columns=tuple(lattice.columns[border] for border in borders),
        slots=tuple(cell.slot for cell in moved),
    )
    return own, moved


def _end(cell: Filled) -> int:
    return cell.slot.column + cell.slot.column_span

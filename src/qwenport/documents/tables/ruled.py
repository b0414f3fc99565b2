"""Tables whose cells are bounded by rules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec.structs import replace

from qwenport.documents.tables.aligned import aligned_tables, filled_of
from qwenport.documents.tables.assembly import Filled
from qwenport.documents.tables.bars import Bar, groups, joined
from qwenport.documents.tables.chunks import text_rows
from qwenport.documents.tables.columns import Column, Span
from qwenport.documents.tables.lattice import Lattice, Slot, lattice_of
from qwenport.documents.tables.pieces import Piece, cut, text_of
from qwenport.documents.tables.regularity import has_head
from qwenport.documents.tables.row_groups import Group, Strip, grouped
from qwenport.documents.tables.shared_frames import parts_of

_FEWEST = 2  # borders of columns; a table has more
_LEAST = 3  # cells with text: a box whose edges are hatched looks like a grid with little in it
_OVERHANG = 0.35  # of its height: how far a text may stand over a rule before it is cut there


def ruled_tables(
    pieces: Sequence[Piece], level: Sequence[Bar], upright: Sequence[Bar], text_height: float
) -> list[list[Filled]]:
    """The tables that meeting rules make, from top to bottom."""
    found = []
    apart, gap = 0.3 * text_height, 0.6 * text_height
    for level_bars, upright_bars in groups(joined(level, apart, gap), joined(upright, apart, gap), 0.5 * text_height):
        lattice = lattice_of(level_bars, upright_bars, text_height)
        if lattice is not None and len(lattice.columns) > _FEWEST:
            found += _tables(lattice, pieces, level, text_height)
    return found


def _tables(lattice: Lattice, pieces: Sequence[Piece], level: Sequence[Bar], text_height: float) -> list[list[Filled]]:
    """The tables of one lattice, and those without upright rules that stand in a box of it."""
    found: list[list[Filled]] = []
    cells = []
    for cell in _filled(lattice, pieces):
        is_box = cell.slot.column_span == len(lattice.columns) - 1
        within = _headed_tables(cell.pieces, level, text_height) if is_box else []
        found += within
        cells += [] if within else [cell]
    for part, own in parts_of(lattice, cells, text_height):
        table = _rows_parted(own, part, text_height)
        if len(part.columns) > _FEWEST and _is_filled(table):
            found.append(table)
    return found


def _headed_tables(pieces: Sequence[Piece], level: Sequence[Bar], text_height: float) -> list[list[Filled]]:
    """The tables of a box that are whole: the head of one without any may stand in the box above."""
    found = aligned_tables(pieces, level, text_height)
    return [table for table in found if has_head(_texts(table), max(o.slot.column + o.slot.column_span for o in table))]


def _texts(table: Sequence[Filled]) -> list[dict[int, str]]:
    """What each row has, by column."""
    rows: list[dict[int, str]] = [{} for _ in range(max(one.slot.row for one in table) + 1)]
    for one in table:
        if one.pieces:
            rows[one.slot.row][one.slot.column] = text_of(one.pieces)
    return rows


def _is_filled(table: Sequence[Filled]) -> bool:
    return len({one.slot.row for one in table}) > 1 and sum(1 for one in table if one.pieces) >= _LEAST


def _filled(lattice: Lattice, pieces: Sequence[Piece]) -> list[Filled]:
    homes = {
        (row, column): index
        for index, slot in enumerate(lattice.slots)
        for row in range(slot.row, slot.row + slot.row_span)
        for column in range(slot.column, slot.column + slot.column_span)
    }
    held: dict[int, list[Piece]] = {}
    for piece in pieces:
        if lattice.rows[0] < piece.middle < lattice.rows[-1]:
            row = bisect_right(lattice.rows, piece.middle) - 1
            row_homes = [homes[row, column] for column in range(len(lattice.columns) - 1)]
            for home, part in _placed(piece, lattice.columns, row_homes):
                held.setdefault(home, []).append(part)
    return [
        Filled(slot=slot, box=_box(slot, lattice), pieces=tuple(held.get(index, ())))
        for index, slot in enumerate(lattice.slots)
    ]


def _box(slot: Slot, lattice: Lattice) -> tuple[float, float, float, float]:
    return (
        lattice.columns[slot.column],
        lattice.rows[slot.row],
        lattice.columns[slot.column + slot.column_span],
        lattice.rows[slot.row + slot.row_span],
    )


def _placed(piece: Piece, borders: Sequence[float], homes: Sequence[int]) -> Iterable[tuple[int, Piece]]:
    """The piece with its slot, in parts where it runs over a rule; nothing where it is beside the table."""
    if not borders[0] < piece.centre < borders[-1]:
        return
    over = min(_OVERHANG * piece.height, 0.3 * (piece.right - piece.left))
    first, last = _between(piece.left + over, borders), _between(piece.right - over, borders)
    crossed = next((c for c in range(first, last) if homes[c] != homes[c + 1]), None)
    parts = cut(piece, borders[crossed + 1]) if crossed is not None else None
    if parts is None:
        yield homes[_between(piece.centre, borders)], piece
        return
    yield homes[_between(parts[0].centre, borders)], parts[0]
    yield from _placed(parts[1], borders, homes)


def _between(place: float, borders: Sequence[float]) -> int:
    return min(max(bisect_right(borders, place) - 1, 0), len(borders) - 2)


def _rows_parted(filled: Sequence[Filled], lattice: Lattice, text_height: float) -> list[Filled]:
    """The cells, where a row that is clearly several has been parted: not every table has rules between its rows."""
    columns = [Column(left, right) for left, right in pairwise(lattice.columns)]
    parted: list[Filled] = []
    shift = 0
    for row in range(len(lattice.rows) - 1):
        cells = [one for one in filled if one.slot.row == row]
        whole = all(one.slot.row_span == 1 for one in cells) and sum(o.slot.column_span for o in cells) == len(columns)
        rows = _groups(cells, len(columns), text_height) if whole else []
        if len(rows) < 2:
            parted += [replace(one, slot=replace(one.slot, row=row + shift)) for one in cells]
            continue
        inner = filled_of(rows, columns)
        parted += [replace(one, slot=replace(one.slot, row=one.slot.row + row + shift)) for one in inner]
        shift += len(rows) - 1
    return parted


def _groups(cells: Sequence[Filled], columns: int, text_height: float) -> list[Group]:
    """The rows within a row between rules; none where it is one."""
    homes = {piece: one.slot for one in cells for piece in one.pieces}
    strips = []
    for row in text_rows(list(homes)):
        spans: dict[Slot, list[Piece]] = {}
        for piece in row.pieces:
            spans.setdefault(homes[piece], []).append(piece)
        strips.append(
            Strip(
                row=row,
                spans=tuple(
                    Span(column=slot.column, width=slot.column_span, pieces=tuple(held)) for slot, held in spans.items()
                ),
            )
        )
    found = grouped(strips, columns, text_height)
    numbered = sum(
        any(one.has_number_below(other) for one in below for other in above) for above, below in pairwise(found)
    )
    return found if numbered and numbered >= 0.5 * (len(found) - 1) else []

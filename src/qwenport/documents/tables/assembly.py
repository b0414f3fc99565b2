"""A table made of slots and the pieces that stand in them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from qwenport.documents.tables.frame import Frame
from qwenport.documents.tables.lattice import Slot
from qwenport.documents.tables.pieces import Piece, text_of
from qwenport.documents.tables.rules import Box
from qwenport.documents.tables.table import Cell, Table


class Filled(Struct, frozen=True, kw_only=True):
    """A slot with what stands in it."""

    slot: Slot
    box: Box
    """In the straightened frame."""
    pieces: tuple[Piece, ...] = ()


def table_of(filled: Sequence[Filled], frame: Frame) -> Table:
    """The table with its places in pixels of the page. Every place of the grid is in exactly one slot."""
    rows = max(one.slot.row + one.slot.row_span for one in filled)
    columns = max(one.slot.column + one.slot.column_span for one in filled)
    ordered = sorted(filled, key=lambda one: (one.slot.row, one.slot.column))
    return Table(
        rows=rows,
        columns=columns,
        cells=tuple(_cell(one, frame) for one in ordered),
        box=frame.page_box(_around(ordered)),
        lines=tuple(sorted({piece.line for one in ordered for piece in one.pieces})),
    )


def _cell(one: Filled, frame: Frame) -> Cell:
    slot = one.slot
    return Cell(
        row=slot.row,
        column=slot.column,
        row_span=slot.row_span,
        column_span=slot.column_span,
        text=text_of(one.pieces),
        box=frame.page_box(one.box),
    )


def _around(filled: Sequence[Filled]) -> Box:
    boxes = [one.box for one in filled]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)

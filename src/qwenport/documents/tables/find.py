"""All tables of a page."""

from __future__ import annotations

from statistics import median

from qwenport.documents.page import Page
from qwenport.documents.tables.aligned import aligned_tables
from qwenport.documents.tables.assembly import table_of
from qwenport.documents.tables.bars import level_bars, upright_bars
from qwenport.documents.tables.frame import frame_of
from qwenport.documents.tables.pieces import Piece, pieces_of
from qwenport.documents.tables.ruled import ruled_tables
from qwenport.documents.tables.rules import Rules
from qwenport.documents.tables.table import Table

_NO_RULES = Rules()


def find_tables(page: Page, rules: Rules | None = None) -> tuple[Table, ...]:
    """Tables from top to bottom: first those that rules bound, then, in what is left, those that alignment shows.

    Forms of one pair a row, lists and running text in columns are no tables. Nothing is added to the page's text: each
    word of a table stands in exactly one cell.
    """
    rules = rules or _NO_RULES
    frame = frame_of(page, rules)
    pieces = pieces_of(page, frame)
    if not pieces:
        return ()
    text_height = median(piece.height for piece in pieces)
    level, upright = level_bars(rules.horizontal, frame), upright_bars(rules.vertical, frame)
    ruled = ruled_tables(pieces, level, upright, text_height)
    rest = _outside(pieces, {piece.line for filled in ruled for one in filled for piece in one.pieces})
    tables = [table_of(filled, frame) for filled in [*ruled, *aligned_tables(rest, level, text_height)]]
    return tuple(sorted(tables, key=lambda table: (table.box[1], table.box[0])))


def _outside(pieces: list[Piece], lines: set[int]) -> list[Piece]:
    return [piece for piece in pieces if piece.line not in lines]

"""A table as rows and columns of cells."""

from __future__ import annotations

from msgspec import Struct

from qwenport.documents.tables.rules import Box


class Cell(Struct, frozen=True, kw_only=True):
    """One cell; blank ones have no text."""

    row: int
    """From 0, as `column`."""
    column: int
    row_span: int = 1
    column_span: int = 1
    text: str = ""
    """Its lines joined: by a space, but for Chinese, which has none."""
    box: Box


class Table(Struct, frozen=True, kw_only=True):
    """A table whose cells cover each place of the grid exactly once."""

    rows: int
    columns: int
    cells: tuple[Cell, ...]
    """By row, then by column."""
    box: Box
    lines: tuple[int, ...]
    """Which lines of the page stand in it, by their index."""

"""A table as HTML."""

from __future__ import annotations

from html import escape
from itertools import groupby

from qwenport.documents.tables.table import Cell, Table


def to_html(table: Table) -> str:
    """One `<table>` of `<tr>` and `<td>` without line breaks, as the task `table_parsing` of Qwen-OCR answers."""
    rows = {row: tuple(cells) for row, cells in groupby(table.cells, lambda cell: cell.row)}
    return "<table>" + "".join(_row(rows.get(row, ())) for row in range(table.rows)) + "</table>"


def _row(cells: tuple[Cell, ...]) -> str:
    return "<tr>" + "".join(map(_cell, cells)) + "</tr>"


def _cell(cell: Cell) -> str:
    rows = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
    columns = f' colspan="{cell.column_span}"' if cell.column_span > 1 else ""
    return f"<td{rows}{columns}>{escape(cell.text, quote=False)}</td>"

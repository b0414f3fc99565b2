"""A table as `tabular`."""

from __future__ import annotations

from qwenport.documents.blocks.latex_text import escaped
from qwenport.documents.tables import Cell, Table


def tabular(table: Table) -> str:
    """The table with rules around its cells, merged ones by `multicolumn` and `multirow`."""
    at = {
        (row, column): cell
        for cell in table.cells
        for row in range(cell.row, cell.row + cell.row_span)
        for column in range(cell.column, cell.column + cell.column_span)
    }
    lines = [f"\\begin{{tabular}}{{|{'l|' * table.columns}}}", "\\hline"]
    for row in range(table.rows):
        lines.append(" & ".join(_entries(row, table.columns, at)) + r" \\")
        lines.append(_rule_below(row, table.columns, at))
    return "\n".join([*lines, "\\end{tabular}"])


def _entries(row: int, columns: int, at: dict[tuple[int, int], Cell]) -> list[str]:
    entries = []
    column = 0
    while column < columns:
        cell = at[row, column]
        text = escaped(cell.text) if cell.row == row else ""
        if cell.row_span > 1 and cell.row == row:
            text = f"\\multirow{{{cell.row_span}}}{{*}}{{{text}}}"
        if cell.column_span > 1:
            sides = "|l|" if column == 0 else "l|"
            text = f"\\multicolumn{{{cell.column_span}}}{{{sides}}}{{{text}}}"
        entries.append(text)
        column = cell.column + cell.column_span
    return entries


def _rule_below(row: int, columns: int, at: dict[tuple[int, int], Cell]) -> str:
    """A rule, but not through cells that go on in the next row."""
    ends = [at[row, column].row + at[row, column].row_span == row + 1 for column in range(columns)]
    if all(ends):
        return "\\hline"
    parts = []
    start = None
    for column, is_end in enumerate([*ends, False]):
        if is_end and start is None:
            start = column
        elif not is_end and start is not None:
            parts.append(f"\\cline{{{start + 1}-{column}}}")
            start = None
    return " ".join(parts)

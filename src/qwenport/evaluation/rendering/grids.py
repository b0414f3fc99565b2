"""Tables: cells in rows and columns, some over several, ruled or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from qwenport.evaluation.rendering.canvas import BLACK, PLAIN, Canvas, Ink, Pen, Place
from qwenport.evaluation.rendering.sample import Cell
from qwenport.evaluation.rendering.wrapping import wrap

LINE: Final = 1.35
"""Distance of lines in a cell, in sizes of the pen."""


@dataclass(frozen=True, slots=True)
class Span:
    """A cell over several rows or columns."""

    text: str
    rows: int = 1
    columns: int = 1


Entry = str | Span
Rows = Sequence[Sequence[Entry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How a table is printed."""

    widths: tuple[int, ...]
    """Of the columns, in pixels."""
    aligns: str = ""
    """A letter a column: `l`, `m` or `r`; the last one goes for the rest, none is `l`."""
    ruling: str = "full"
    """`full`: around each cell; `rows`: between rows; `head`: above and below the head and at the end; `none`."""
    pen: Pen = PLAIN
    head_pen: Pen | None = None
    """Of the rows of the head; as the others where None."""
    head_rows: int = 1
    shade: Ink | None = None
    """Behind the head."""
    pad: int = 10
    ink: Ink = BLACK
    line: int = 2
    """Width of rules in pixels."""
    centred: bool = True
    """Whether a text stands in the middle of its cell's height, or at its top."""

    def align(self, column: int) -> str:
        """How a column is aligned."""
        return self.aligns[min(column, len(self.aligns) - 1)] if self.aligns else "l"


def print_table(canvas: Canvas, at: Place, grid: Grid, rows: Rows) -> float:
    """Prints a table whose top left corner is `at`, and notes its cells; gives the y below it."""
    cells = _placed(canvas, rows)
    lefts = [at[0], *(at[0] + width for width in accumulate(grid.widths))]
    tops = [at[1], *(at[1] + height for height in accumulate(_heights(canvas, grid, cells, len(rows))))]
    if grid.shade:
        canvas.drawing.rectangle((lefts[0], tops[0], lefts[-1], tops[grid.head_rows]), fill=grid.shade)
    for cell in cells:
        right, bottom = lefts[cell.column + cell.column_span], tops[cell.row + cell.row_span]
        box = (lefts[cell.column], tops[cell.row], right, bottom)
        _rule_cell(canvas, grid, box)
        _print_cell(canvas, grid, cell, box)
    if grid.ruling == "head":
        for row in (0, grid.head_rows, len(rows)):
            canvas.drawing.line((lefts[0], tops[row], lefts[-1], tops[row]), fill=grid.ink, width=grid.line)
    canvas.table([cell for cell in cells if cell.row == row] for row in range(len(rows)))
    return tops[-1]


def _placed(canvas: Canvas, rows: Rows) -> list[Cell]:
    """Cells at their places, as a browser would put `<td>` elements."""
    taken: set[tuple[int, int]] = set()
    cells = []
    for row, entries in enumerate(rows):
        column = 0
        for entry in entries:
            span = entry if isinstance(entry, Span) else Span(entry)
            while (row, column) in taken:
                column += 1
            taken |= {(row + i, column + j) for i in range(span.rows) for j in range(span.columns)}
            text = span.text.format_map(canvas.values)
            cells.append(Cell(text=text, row=row, column=column, row_span=span.rows, column_span=span.columns))
    return cells


def _pen(grid: Grid, cell: Cell) -> Pen:
    return grid.head_pen if grid.head_pen and cell.row < grid.head_rows else grid.pen


def _parts(canvas: Canvas, grid: Grid, cell: Cell) -> list[str]:
    width = sum(grid.widths[cell.column : cell.column + cell.column_span]) - 2 * grid.pad
    pen = _pen(grid, cell)
    return list(wrap(cell.text, width, lambda text: canvas.extent(_literal(text), pen)))


def _heights(canvas: Canvas, grid: Grid, cells: list[Cell], count: int) -> list[float]:
    least = grid.pen.size * LINE + 2 * grid.pad
    heights = [least] * count
    for cell in cells:
        needed = len(_parts(canvas, grid, cell)) * _pen(grid, cell).size * LINE + 2 * grid.pad
        if cell.row_span == 1:
            heights[cell.row] = max(heights[cell.row], needed)
    return heights


def _rule_cell(canvas: Canvas, grid: Grid, box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    if grid.ruling == "full":
        for line in ((left, top, right, top), (left, bottom, right, bottom)):
            canvas.drawing.line(line, fill=grid.ink, width=grid.line)
        for line in ((left, top, left, bottom), (right, top, right, bottom)):
            canvas.drawing.line(line, fill=grid.ink, width=grid.line)
    elif grid.ruling == "rows":
        for line in ((left, top, right, top), (left, bottom, right, bottom)):
            canvas.drawing.line(line, fill=grid.ink, width=grid.line)


def _print_cell(canvas: Canvas, grid: Grid, cell: Cell, box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    parts, pen = _parts(canvas, grid, cell), _pen(grid, cell)
    align = "m" if cell.column_span > 1 and cell.row < grid.head_rows else grid.align(cell.column)
    x = {"l": left + grid.pad, "m": (left + right) / 2, "r": right - grid.pad}[align]
    step = pen.size * LINE
    y = top + ((bottom - top - len(parts) * step) / 2 if grid.centred else grid.pad) + (step - pen.size) / 3
    for part in parts:
        canvas.put((x, y), _literal(part), pen.but(anchor=align))
        y += step


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")

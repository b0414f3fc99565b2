"""Tables of HTML as cells in their places."""

from __future__ import annotations

from html.parser import HTMLParser

from qwenport.evaluation.metrics.cells import Grid, GridCell

_MOST_SPAN = 1000


def grids_of(html: str) -> tuple[Grid, ...]:
    """Return the tables of some HTML; a cell's place follows from the spans of those before it, as in browsers."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tuple(tuple(table) for table in reader.tables)


class _Reader(HTMLParser):
    """Places cells as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[GridCell]] = []
        self._taken: set[tuple[int, int]] = set()
        self._row = -1
        self._open: GridCell | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._close_cell()
            self.tables.append([])
            self._taken, self._row = set(), -1
        elif tag == "tr":
            self._close_cell()
            self._row += 1
        elif tag in {"td", "th"} and self.tables and self._row >= 0:
            self._close_cell()
            self._begin_cell(dict(attrs))
        elif tag == "br":
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"}:
            self._close_cell()

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._text.append(data)

    def _begin_cell(self, attributes: dict[str, str | None]) -> None:
        rows, columns = _span(attributes.get("rowspan")), _span(attributes.get("colspan"))
        column = 0
        while (self._row, column) in self._taken:
            column += 1
        self._taken |= {(self._row + down, column + right) for down in range(rows) for right in range(columns)}
        self._open = GridCell(row=self._row, column=column, row_span=rows, column_span=columns)
        self._text = []

    def _close_cell(self) -> None:
        if self._open is None:
            return
        cell = self._open
        text = " ".join("".join(self._text).split())
        self.tables[-1].append(
            GridCell(row=cell.row, column=cell.column, row_span=cell.row_span, column_span=cell.column_span, text=text)
        )
        self._open = None


def _span(written: str | None) -> int:
    return min(max(int(written), 1), _MOST_SPAN) if written is not None and written.isdecimal() else 1

"""A rendered page and everything that is known of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from qwenport.documents.page import Line, Page


class Cell(Struct, frozen=True, kw_only=True):
    """A cell of a printed table."""

    text: str
    """Lines joined: by nothing in Chinese, by a space in English."""
    row: int
    """From 0, in the full grid."""
    column: int
    row_span: int = 1
    column_span: int = 1


class TableTruth(Struct, frozen=True, kw_only=True):
    """A printed table."""

    rows: tuple[tuple[Cell, ...], ...]
    """As `<tr>` and `<td>` have them: a merged cell stands once, at its first row and column."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row."""
        return tuple(cell for row in self.rows for cell in row)


class Sample(Struct, frozen=True, kw_only=True):
    """One rendered page with its truth."""

    name: str
    """Of the layout."""
    kind: str
    language: str
    """`zh-Hans`, `zh-Hant` or `en`."""
    seed: int
    image: bytes
    """PNG, or JPEG for a photo."""
    width: int
    """Pixels."""
    height: int
    fields: Mapping[str, str]
    """What the schema asks for, exactly as printed. Lines of one value are joined as in `Cell.text`."""
    schema: bytes
    """A JSON object with the same keys, for `result_schema`; values are empty or a short description."""
    lines: tuple[Line, ...]
    """Every printed item in the order of printing, with its place in pixels of the image."""
    tables: tuple[TableTruth, ...] = ()
    angle: float = 0.0
    """By how many degrees the page leans, clockwise."""

    @property
    def page(self) -> Page:
        """What a reader without fault would have read."""
        return Page(width=self.width, height=self.height, lines=self.lines, angle=self.angle)

"""An image as it was looked at, and the way back to the image as it was given."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from qwenport.documents.blocks import Block
from qwenport.documents.page import Line, Page, Quad, Word
from qwenport.documents.tables import Box, Table
from qwenport.engines.ocr.scaling import Pixels
from qwenport.engines.ocr.value_places import ValuePlace


class Sight(Struct, frozen=True, kw_only=True):
    """An image the way its text reads, and what stands there."""

    image: Pixels
    page: Page
    """Coordinates in pixels of this image, which may be smaller than the one given."""
    quarter_turns: int = 0
    """By how many quarters the given image was turned, counter-clockwise."""
    scale: float = 1.0
    """Pixels of this image that one of the given image is."""

    @property
    def is_as_given(self) -> bool:
        """Tell whether places in this image are places in the one given."""
        return not self.quarter_turns and self.scale == 1.0

    def back(self) -> Page:
        """Return the page with its places in the image as it was given."""
        if self.is_as_given:
            return self.page
        sides = (self.page.width, self.page.height)
        width, height = (round(side / self.scale) for side in (sides if self.quarter_turns % 2 == 0 else sides[::-1]))
        lines = tuple(self._line(line) for line in self.page.lines)
        return msgspec.structs.replace(self.page, width=width, height=height, lines=lines)

    def places_back(self, places: Sequence[ValuePlace]) -> tuple[ValuePlace, ...]:
        """Return the places of values in the image as it was given."""
        return tuple(places) if self.is_as_given else tuple(self._place(place) for place in places)

    def tables_back(self, tables: Sequence[Table]) -> tuple[Table, ...]:
        """Return tables with the boxes that they and their cells have in the image as it was given."""
        return tuple(tables) if self.is_as_given else tuple(self._table(table) for table in tables)

    def blocks_back(self, blocks: Sequence[Block]) -> tuple[Block, ...]:
        """Return blocks with the boxes that they have in the image as it was given."""
        return tuple(blocks) if self.is_as_given else tuple(self._block(block) for block in blocks)

    def _place(self, place: ValuePlace) -> ValuePlace:
        return msgspec.structs.replace(place, quads=tuple(self._quad(quad) for quad in place.quads))

    def _block(self, block: Block) -> Block:
        table = None if block.table is None else self._table(block.table)
        return msgspec.structs.replace(block, box=self._box(block.box), table=table)

    def _table(self, table: Table) -> Table:
        cells = tuple(msgspec.structs.replace(cell, box=self._box(cell.box)) for cell in table.cells)
        return msgspec.structs.replace(table, cells=cells, box=self._box(table.box))

    def _box(self, box: Box) -> Box:
        left, top, right, bottom = box
        (x0, y0), (x1, y1) = self._point(left, top), self._point(right, bottom)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _line(self, line: Line) -> Line:
        words = tuple(Word(text=word.text, quad=self._quad(word.quad)) for word in line.words)
        return msgspec.structs.replace(line, quad=self._quad(line.quad), words=words)

    def _quad(self, quad: Quad) -> Quad:
        points = [self._point(x, y) for x, y in zip(quad[0::2], quad[1::2], strict=True)]
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points
        return x0, y0, x1, y1, x2, y2, x3, y3

    def _point(self, x: float, y: float) -> tuple[float, float]:
        turned = self._turned_back(x, y)
        return round(turned[0] / self.scale, 1), round(turned[1] / self.scale, 1)

    def _turned_back(self, x: float, y: float) -> tuple[float, float]:
        match self.quarter_turns:
            case 1:
                return self.page.height - y, x
            case 2:
                return self.page.width - x, self.page.height - y
            case 3:
                return y, self.page.width - x
            case _:
                return x, y

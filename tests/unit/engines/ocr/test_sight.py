"""The way back from a turned and scaled image, checked against the pixels of the given one."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from qwenport.core.ocr import OcrTask
from qwenport.documents.blocks import Block, RegionKind
from qwenport.documents.page import Line, Page, Quad, Word
from qwenport.documents.tables import Box, Cell, Table
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.tasks import TaskWork
from qwenport.engines.ocr.wire import PageOrder

UPRIGHT = (300, 200)
MARK: Box = (40, 20, 100, 50)
QUAD: Quad = (40, 20, 100, 20, 100, 50, 40, 50)
LINE = Line(text="Total", quad=QUAD, score=1.0, words=(Word(text="Total", quad=QUAD),))


def sight(turns: int, scale: float = 1.0, lines: tuple[Line, ...] = (LINE,)) -> Sight:
    width, height = UPRIGHT
    return Sight(
        image=np.full((height, width, 3), 255, dtype=np.uint8),
        page=Page(width=width, height=height, lines=lines),
        quarter_turns=turns,
        scale=scale,
    )


def given_box(turns: int) -> Box:
    """Return where the mark is in the image as it was given, by turning pixels."""
    upright = np.zeros(UPRIGHT[::-1], dtype=np.uint8)
    left, top, right, bottom = (round(value) for value in MARK)
    upright[top:bottom, left:right] = 1
    rows, columns = np.nonzero(np.rot90(upright, -turns))
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def box_of(line: Line) -> Box:
    return line.left, line.top, line.right, line.bottom


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_lines_words_tables_and_blocks_lie_where_they_are_in_the_given_image(turns: int) -> None:
    seen = sight(turns)
    table = Table(rows=1, columns=1, cells=(Cell(row=0, column=0, text="Total", box=MARK),), box=MARK, lines=(0,))
    block = Block(kind=RegionKind.TABLE, text="", box=MARK, lines=(0,), table=table)

    page = seen.back()
    (back,) = seen.blocks_back((block,))
    assert back.table is not None
    boxes = [box_of(page.lines[0]), back.box, back.table.box, back.table.cells[0].box]

    assert boxes == [given_box(turns)] * 4
    assert page.lines[0].words[0].quad == page.lines[0].quad
    assert (page.width, page.height) == (UPRIGHT if turns % 2 == 0 else UPRIGHT[::-1])
    assert seen.tables_back((table,)) == (back.table,)


def test_the_corners_of_a_turned_line_stay_those_of_its_text() -> None:
    """The top left corner of what is read is the first one, wherever it lies."""
    assert sight(2).back().lines[0].quad == (260, 180, 200, 180, 200, 150, 260, 150)


def test_places_of_a_smaller_image_are_those_of_the_given_one() -> None:
    page = sight(0, scale=0.5).back()

    assert (page.width, page.height, box_of(page.lines[0])) == (600, 400, (80, 40, 200, 100))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("wanted", ["wants_page", "wants_places"])
def test_the_value_of_a_field_has_its_box_in_the_given_image(turns: int, wanted: str) -> None:
    line = msgspec.structs.replace(LINE, text="A12345", words=())
    key = msgspec.structs.replace(LINE, text="Invoice No", quad=(40, 0, 100, 0, 100, 16, 40, 16), words=())
    order = PageOrder(
        image=b"",
        task=OcrTask.KEY_INFORMATION_EXTRACTION,
        result_schema=b'{"Invoice No": "", "Total": ""}',
    )

    answer = TaskWork().perform(msgspec.structs.replace(order, **{wanted: True}), sight(turns, lines=(key, line)))
    without = TaskWork().perform(order, sight(turns, lines=(key, line)))

    [place] = answer.places
    assert place.path == ("Invoice No",)
    assert [box_of(msgspec.structs.replace(line, quad=quad)) for quad in place.quads] == [given_box(turns)]
    assert without.places == ()


@pytest.mark.parametrize("turns", [0, 3])
def test_a_table_that_is_told_has_its_cells_in_the_given_image(turns: int) -> None:
    rows = (("Item", "Price"), ("Bread", "12.50"), ("Milk", "8.00"), ("Tea", "20.00"))
    lines = tuple(
        msgspec.structs.replace(LINE, text=text, quad=(x, y, x + 60, y, x + 60, y + 20, x, y + 20), words=())
        for y, row in zip((20, 60, 100, 140), rows, strict=True)
        for x, text in zip((20, 180), row, strict=True)
    )
    seen = sight(turns, lines=lines)

    order = PageOrder(image=b"", task=OcrTask.TABLE_PARSING, wants_page=True)
    answer = TaskWork().perform(order, seen)

    assert answer.page is not None
    (table,) = answer.tables
    texts = {line.text: line for line in answer.page.lines}
    for cell in table.cells:
        left, top, right, bottom = cell.box
        line = texts[cell.text]
        assert left <= (line.left + line.right) / 2 <= right
        assert top <= (line.top + line.bottom) / 2 <= bottom

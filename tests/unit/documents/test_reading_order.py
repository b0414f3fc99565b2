# ruff: noqa: RUF001 - text as documents print it

from __future__ import annotations

import math
import random

import pytest

from qwenport.documents.page import Line, Page, Quad
from qwenport.documents.reading_order import in_reading_order, page_angle, page_text, row_indices, rows_of

Placed = tuple[str, float, float, float]
"""Text, left, top, width; every line is 20 high."""


def page(*placed: Placed, angle: float = 0.0, seed: int = 1) -> Page:
    """Return a page whose lines are in no order, leaning by so many degrees clockwise."""
    lines = [Line(text=text, quad=turned(left, top, width, angle), score=1.0) for text, left, top, width in placed]
    random.Random(seed).shuffle(lines)
    return Page(width=1000, height=1400, lines=tuple(lines))


def turned(left: float, top: float, width: float, angle: float) -> Quad:
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = ((left, top), (left + width, top), (left + width, top + 20), (left, top + 20))
    flat = [value for x, y in corners for value in (x * cosine - y * sine, x * sine + y * cosine)]
    return (flat[0], flat[1], flat[2], flat[3], flat[4], flat[5], flat[6], flat[7])


TABLE: tuple[Placed, ...] = tuple(
    entry
    for row in range(8)
    for entry in (
        (f"day{row}", 40, 40 + 40 * row, 60),
        (f"what{row}", 200, 42 + 40 * row, 90),
        (f"{row}.00", 900, 38 + 40 * row, 60),
    )
)
TABLE_TEXT = "\n".join(f"day{row}    what{row}    {row}.00" for row in range(8))


@pytest.mark.parametrize("angle", [0.0, 3.0, -4.0])
def test_rows_are_read_from_top_to_bottom_and_left_to_right_however_the_page_leans(angle: float) -> None:
    ordered = in_reading_order(page(*TABLE, angle=angle))

    assert page_text(ordered) == TABLE_TEXT
    assert ordered.angle == pytest.approx(angle, abs=0.3)
    assert [line.text for row in rows_of(ordered) for line in row] == [line.text for line in ordered.lines]


def test_two_columns_of_running_text_are_read_one_after_the_other() -> None:
    left = [(f"left {row}", 40, 100 + 30 * row, 400.0 - 5 * (row % 3)) for row in range(8)]
    right = [(f"right {row}", 500, 105 + 30 * row, 420.0 - 5 * (row % 3)) for row in range(8)]
    heading, footing = ("Heading", 300, 20, 400.0), ("Page 1 of 2", 400, 800, 150.0)

    ordered = in_reading_order(page(heading, *left, *right, footing))

    assert [line.text for line in ordered.lines] == [
        "Heading",
        *(f"left {row}" for row in range(8)),
        *(f"right {row}" for row in range(8)),
        "Page 1 of 2",
    ]


PROSE = {
    "en": ("The office opened its", "doors on a Monday, and", "residents came to see", "what had become of it."),
    "de": ("Das Hafenamt hat am", "vergangenen Montag in", "Anwesenheit vieler", "seine neue Tür offen."),
    "zh": ("港务局在星期一开放了", "新的大厅，居民们纷纷", "前来参观，看看建筑工", "人完成的作品和展览。"),
}
LEFTS = (40, 360, 680, 1000)


@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("count", [3, 4])
def test_more_columns_of_prose_are_read_one_after_the_other(language: str, count: int) -> None:
    columns = [
        [(text, left, 100 + 30 * row, 280.0 - 60 * (row % 4 == 3)) for row, text in enumerate(PROSE[language] * 3)]
        for left in LEFTS[:count]
    ]
    heading, footing = ("Heading", 200, 20, 500.0), ("Page 1 of 2", 300, 800, 150.0)

    ordered = in_reading_order(page(heading, *(line for column in columns for line in column), footing))

    assert page_text(ordered).split("\n") == ["Heading", *(PROSE[language] * 3 * count), "Page 1 of 2"]


@pytest.mark.parametrize(
    "cell",
    [
        "Christopher Wallace",
        "anna.bell@bluefin.example",
        "12 Harbour Road, Fairhollow",
        "2024-05-20 08:00:00",
        "北京示例科技有限公司",
        "北京市示例区样板街12号、3号楼",
        "市场部门在上周完成了报告，进度良好。",
    ],
)
def test_a_table_whose_cells_fill_its_columns_is_read_row_by_row(cell: str) -> None:
    rows = [[(cell, left, 100 + 30 * row, 280.0 - 10 * (row % 3)) for left in LEFTS[:3]] for row in range(9)]

    ordered = in_reading_order(page(*(line for row in rows for line in row)))

    assert [[line.text for line in row] for row in rows_of(ordered)] == [[cell] * 3] * 9


def test_gaps_within_a_row_are_as_many_spaces_as_they_are_wide_up_to_four() -> None:
    told = page_text(page(("a", 0, 0, 20), ("b", 30, 0, 20), ("c", 95, 0, 20), ("d", 900, 0, 20)))

    assert told == "a b  c    d"


def test_lines_above_each_other_are_no_row_though_they_overlap() -> None:
    assert page_text(page(("upper", 0, 0, 200), ("lower", 0, 9, 200))) == "upper\nlower"


def test_words_of_large_print_are_read_in_their_order_though_their_boxes_overlap() -> None:
    lines = (
        Line(text="553", quad=(180, 14, 330, 14, 330, 78, 180, 78), score=1.0),
        Line(text="Total", quad=(8, 18, 212, 18, 212, 80, 8, 80), score=1.0),
    )

    ordered = in_reading_order(Page(width=420, height=90, lines=lines))

    assert (page_text(ordered), row_indices(ordered)) == ("Total 553", ((0, 1),))


def test_the_lean_is_that_of_long_lines() -> None:
    long = Line(text="long", quad=turned(0, 0, 400, 2.0), score=1.0)
    short = Line(text="x", quad=turned(0, 100, 20, 30.0), score=1.0)
    downwards = Line(text="spine", quad=turned(0, 100, 300, 88.0), score=1.0)

    assert page_angle([short, long, downwards]) == pytest.approx(2.0)
    assert page_angle([short]) == 0.0


def test_an_empty_page_says_nothing() -> None:
    assert (page_text(Page(width=1, height=1)), in_reading_order(Page(width=1, height=1)).lines) == ("", ())

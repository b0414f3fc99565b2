from __future__ import annotations

import random

import pytest
from msgspec import Struct

from qwenport.documents.printed_rows import printed_rows, row_text


class Box(Struct, frozen=True):
    text: str
    left: float
    top: float
    right: float
    bottom: float


def rows(*boxes: Box, apart: float = 0.5, overlap: float | None = 0.3) -> list[list[str]]:
    shuffled = list(boxes)
    random.Random(7).shuffle(shuffled)
    return [[box.text for box in row] for row in printed_rows(shuffled, apart=apart, overlap=overlap)]


def test_boxes_are_rows_from_top_to_bottom_each_from_left_to_right() -> None:
    found = rows(Box("c", 0, 40, 50, 60), Box("b", 100, 3, 150, 23), Box("a", 0, 0, 50, 20), Box("d", 60, 42, 90, 58))

    assert found == [["a", "b"], ["c", "d"]]


def test_level_boxes_that_reach_into_one_another_are_one_row() -> None:
    """As detectors draw them around large print on a small picture: `Total 553`, 420 by 90 pixels."""
    assert rows(Box("Total", 8, 18, 212, 80), Box("553", 180, 14, 330, 78)) == [["Total", "553"]]


def test_boxes_of_which_one_covers_most_of_the_other_are_two_rows_though_they_are_nearly_level() -> None:
    assert rows(Box("upper", 0, 0, 200, 40), Box("lower", 20, 8, 90, 48)) == [["upper"], ["lower"]]


def test_lines_that_overlap_in_height_stand_one_below_the_other() -> None:
    assert rows(Box("upper", 0, 0, 200, 20), Box("lower", 0, 9, 200, 29)) == [["upper"], ["lower"]]


def test_small_print_stands_beside_large_print_that_it_is_level_with_in_part() -> None:
    large, small = Box("88.00", 300, 0, 500, 60), Box("due", 0, 40, 80, 64)

    assert rows(large, small) == [["due", "88.00"]]
    assert rows(large, small, apart=0.3) == [["88.00"], ["due"]]


def test_a_row_that_leans_is_followed_from_neighbour_to_neighbour() -> None:
    leaning = [Box(str(step), 100 * step, 6 * step, 100 * step + 90, 6 * step + 20) for step in range(8)]

    assert rows(*leaning) == [[str(step) for step in range(8)]]


def test_boxes_that_cannot_stand_above_one_another_are_told_by_their_height_alone() -> None:
    assert rows(Box("m", 95, 0, 110, 20), Box("2", 80, 0, 108, 20), overlap=None) == [["2", "m"]]


@pytest.mark.parametrize(("left", "told"), [(55, "a b"), (90, "a  b"), (900, "a    b")])
def test_a_gap_is_as_many_spaces_as_it_is_wide_up_to_four(left: float, told: str) -> None:
    assert row_text((Box("a", 0, 0, 50, 20), Box("b", left, 0, left + 20, 20))) == told

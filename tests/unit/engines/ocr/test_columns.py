"""Boxes that the detector draws around characters that stand below one another."""

from __future__ import annotations

import numpy as np
import pytest

from qwenport.engines.ocr.backend import Floats
from qwenport.engines.ocr.columns import column_of, stacked
from qwenport.engines.ocr.scaling import Pixels


def box(left: float, top: float, right: float, bottom: float) -> Floats:
    return np.array(((left, top), (right, top), (right, bottom), (left, bottom)), dtype=np.float32)


def turned(across: int, along: int, *ink: tuple[int, int]) -> Pixels:
    """Return a column turned to the left, black from each start to each end."""
    strip = np.full((across, along, 3), 255, dtype=np.uint8)
    for start, end in ink:
        strip[10 : across - 12, start:end] = 0
    return strip


def extents(boxes: tuple[Floats, ...]) -> list[list[float]]:
    return [[*each.min(axis=0).tolist(), *each.max(axis=0).tolist()] for each in boxes]


def test_characters_far_below_one_another_have_a_box_each() -> None:
    corners = box(100, 200, 140, 360)

    parts = stacked(corners, turned(40, 160, (10, 40), (70, 100), (130, 155)))

    assert np.array(extents(parts)) == pytest.approx(
        np.array(((100, 205.2, 140, 244.8), (100, 265.2, 140, 304.8), (100, 325.2, 140, 359.8))), abs=0.01
    )


@pytest.mark.parametrize(
    "ink",
    [((10, 40), (50, 80), (90, 120)), ((10, 80), (110, 150)), ((10, 150),), ()],
    ids=["as close as in a line", "words", "one word", "blank"],
)
def test_what_runs_downwards_is_no_column_of_lines(ink: tuple[tuple[int, int], ...]) -> None:
    assert stacked(box(0, 0, 40, 160), turned(40, 160, *ink)) == ()


def test_boxes_that_overlap_in_one_column_are_one() -> None:
    boxes = np.stack((box(30, 34, 76, 239), box(34, 217, 71, 263), box(30, 250, 74, 300), box(34, 400, 71, 440)))

    whole, members = column_of(0, boxes)

    assert (members, whole.tolist()) == (frozenset({0, 1, 2}), box(30, 34, 76, 300).tolist())


def test_a_box_beside_it_or_much_wider_is_none_of_the_column() -> None:
    boxes = np.stack((box(30, 34, 76, 239), box(80, 34, 120, 239), box(20, 220, 300, 260)))

    whole, members = column_of(0, boxes)

    assert (members, whole.tolist()) == (frozenset({0}), boxes[0].tolist())

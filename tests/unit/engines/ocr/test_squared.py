"""Units in one square, as shapes on a strip: when they are read once more, and what becomes of what was read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.scaling import Pixels
from qwenport.engines.ocr.squared import with_units

BODY, FIGURE = (100, 20, 22, 16), (119, 9, 6, 9)
"""Left, top, width and height, as ㎡ has them in WenQuanYi Micro Hei of 30 pixels."""


def strip_of(*shapes: tuple[int, int, int, int]) -> Pixels:
    pixels = np.full((48, 200, 3), 255, dtype=np.uint8)
    for left, top, width, height in shapes:
        pixels[top : top + height, left : left + width] = 0
    return pixels


def at(text: str, place: float) -> Character:
    return Character(text, 0.9, place / 200)


class Reader:
    """Reads the same in every strip, and keeps what it was shown."""

    def __init__(self, *told: Character) -> None:
        self.told = told
        self.shown: list[Pixels] = []

    def __call__(self, strip: Pixels) -> Sequence[Character]:
        self.shown.append(strip)
        return self.told


M2 = (Character("m", 0.9, 0.3), Character("2", 0.8, 0.7))


@pytest.mark.parametrize("told", [[], [at("m", 111)], [at("²", 122)], [at("m", 111), at("2", 122)]])
def test_a_unit_in_one_square_takes_the_place_of_what_was_read_of_it(told: list[Character]) -> None:
    read = Reader(*M2)

    found = with_units([at("2", 80), *told, at("户", 160)], strip_of(BODY, FIGURE), read)

    assert [(each.text, each.score, round(each.place * 200, 1)) for each in found] == [
        ("2", 0.9, 80.0), ("m", 0.9, 111.0), ("²", 0.8, 123.5), ("户", 0.9, 160.0)
    ]  # fmt: skip
    [shown] = read.shown
    dark = np.flatnonzero((shown < 128).any(axis=(0, 2)))
    assert (len(dark), np.diff(dark).max()) == (BODY[2] + FIGURE[2], 5)


@pytest.mark.parametrize(
    ("told", "shapes"),
    [
        ([at("字", 80)], [BODY, FIGURE]),
        ([at("5", 80), at("m", 111), at("²", 122)], [BODY, FIGURE]),
        ([at("5", 80), at("司", 111)], [BODY, FIGURE]),
        ([at("5", 80)], [BODY]),
        ([at("5", 80)], [BODY, (119, 36, 6, 9)]),
        ([at("5", 80)], [BODY, (70, 9, 6, 9)]),
        ([at("5", 80)], [(100, 20, 12, 22), (109, 9, 6, 9)]),
    ],
    ids=["no figure in the line", "read whole", "another character", "no figure", "below", "before", "narrow body"],
)
def test_other_shapes_are_not_read_again(told: list[Character], shapes: list[tuple[int, int, int, int]]) -> None:
    read = Reader(*M2)

    assert (with_units(told, strip_of(*shapes), read), read.shown) == (tuple(told), [])


@pytest.mark.parametrize(
    "again", [[], [Character("m", 0.9, 0.5)], [Character("n", 0.9, 0.3), M2[1]], [Character("m", 0.5, 0.3), M2[1]]]
)
def test_what_is_no_unit_or_unsure_changes_nothing(again: list[Character]) -> None:
    told = (at("5", 80), at("m", 111))

    assert with_units(told, strip_of(BODY, FIGURE), Reader(*again)) == told

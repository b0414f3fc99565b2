"""Strips of black figures on white: where one of them is hidden, it is told that something stood there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.scaling import Pixels
from qwenport.engines.ocr.spelling import SpelledWord, spelled

HEIGHT, WIDTH, APART = 40, 12, 6
GONE, STAIN, SPACE = "_", "#", " "
"""A figure without a trace, one under a stain, and a space that was told, as wide as half a figure."""


def line(shown: str, *, is_even: bool = False, told_spaces: str = SPACE) -> tuple[list[Character], Pixels]:
    """Return the characters that are told of a line, and the line; `is_even` for type of one width."""
    widths = [WIDTH // 2 if each in " .:" and not is_even else WIDTH for each in shown]
    starts = [sum(widths[:at]) + APART * at for at in range(len(shown))]
    image = np.full((HEIGHT, starts[-1] + widths[-1], 3), 255, dtype=np.uint8)
    told = []
    for mark, start, width in zip(shown, starts, widths, strict=True):
        if mark not in (GONE, SPACE):
            image[
                8:32, start + (width // 4 if mark in ".:" else 0) : start + width - (width // 4 if mark in ".:" else 0)
            ] = 0
        if mark == STAIN:
            image[8:32, max(start - APART, 0) : start + width + APART] = 0
        if mark in told_spaces:
            told.append(Character(" ", 0.9, (start + width / 2) / image.shape[1]))
        elif mark not in (GONE, STAIN):
            told.append(Character(mark, 0.9, (start + width / 2) / image.shape[1]))
    return told, image


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("584300", "584300"),
        ("5_4300", "5?4300"),
        ("5#4300", "5?4300"),
        ("5843_.00", "5843?.00"),
        ("58_43.00", "58?43.00"),
        ("G5_58", "G5?58"),
        ("58 43.00", "58 43.00"),
        ("12.05 43", "12.05 43"),
        ("58__4300", "58 4300"),
    ],
)
def test_a_figure_that_was_not_told_is_a_question_mark(shown: str, text: str) -> None:
    assert spelled(*line(shown)).text == text


def test_a_space_as_wide_as_a_figure_is_one_unless_all_type_is_of_one_width() -> None:
    hidden = line("58_43.00", told_spaces=SPACE + GONE)

    assert spelled(*hidden).text == "58?43.00"
    assert spelled(*line("58_43.00", is_even=True, told_spaces=SPACE + GONE)).text == "58 43.00"
    assert spelled(*line("58_4300", told_spaces=SPACE + GONE)).text == "58 4300"


def test_what_is_under_a_stain_is_a_question_mark_though_a_space_was_told() -> None:
    assert spelled(*line("58#43001", told_spaces=SPACE + STAIN)).text == "58?43001"


def test_nothing_is_concluded_from_letters_or_from_too_few_figures() -> None:
    assert spelled(*line("ab_cd")).text == "ab cd"
    assert spelled(*line("5_1")).text == "51"


def test_a_missing_figure_has_its_place_and_makes_the_line_less_sure() -> None:
    characters, image = line("12_34")

    whole = spelled(*line("1234"))
    cut = spelled(characters, image)

    assert (round(whole.score, 2), round(cut.score, 2)) == (0.9, 0.72)
    assert cut.words == (SpelledWord("12?34", 0.0, 1.0),)
    assert all(left.place < right.place for left, right in pairwise(characters))

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from qwenport.engines.ocr.decoding import Character, Decoder
from qwenport.engines.ocr.scaling import Pixels
from qwenport.engines.ocr.scripts import Script, in_script, script_of
from qwenport.engines.ocr.spelling import SpelledWord, spelled

HEIGHT, LETTER = 40, 10


def strip(text: str, *gaps: int) -> tuple[list[Character], Pixels]:
    """Return blocks of ink for the letters of a text, with these gaps after each but the last, and its characters."""
    width = LETTER * len(text) + sum(gaps)
    image = np.full((HEIGHT, width, 3), 255, dtype=np.uint8)
    characters, x = [], 0
    for letter, gap in zip(text, [*gaps, 0], strict=True):
        image[8:32, x : x + LETTER] = 0
        characters.append(Character(letter, 0.9, (x + LETTER / 2) / width))
        x += LETTER + gap
    return characters, image


@pytest.mark.parametrize(
    ("text", "gaps", "expected"),
    [
        ("abcd", (2, 12, 2), "ab cd"),
        ("abcd", (2, 4, 2), "abcd"),
        ("a,bc", (12, 2, 2), "a,bc"),
        ("1.23", (2, 12, 2), "1.23"),
        ("36℃u", (2, 12, 2), "36℃u"),
        ("合计五元", (2, 12, 2), "合计五元"),
        ("1223", (2, 60, 2), "12 23"),
    ],
    ids=["words", "letters", "before a comma", "within a number", "before a unit", "Chinese", "columns"],
)
def test_a_space_stands_where_the_gap_between_words_shows_it(text: str, gaps: tuple[int, ...], expected: str) -> None:
    assert spelled(*strip(text, *gaps)).text == expected


def test_words_are_told_with_their_part_of_the_line() -> None:
    line = spelled(*strip("ab票", 2, 12))

    assert line.words == (SpelledWord("ab", 0.0, 22 / 44), SpelledWord("票", 34 / 44, 1.0))


def test_a_space_that_was_read_is_kept_and_given_the_gap_near_it() -> None:
    characters, image = strip("abc", 2, 12)
    characters.insert(2, Character(" ", 0.9, 0.6))

    assert spelled(characters, image).text == "ab c"


def test_what_cannot_be_read_is_a_question_mark() -> None:
    (first, second), image = strip("ab", 2)

    line = spelled([first, Character("b", 0.2, second.place)], image)

    assert (line.text, round(line.score, 2)) == ("a?", 0.55)


@pytest.mark.parametrize(
    ("letter", "score", "told"),
    [("b", 0.4, "ab"), ("b", 0.34, "a?"), ("静", 0.44, "a?"), ("静", 0.46, "a静")],
    ids=["a letter", "an unsure letter", "an unsure Chinese character", "a Chinese character"],
)
def test_a_chinese_character_has_to_be_surer_than_a_letter(letter: str, score: float, told: str) -> None:
    (first, second), image = strip("ab", 2)

    assert spelled([first, Character(letter, score, second.place)], image).text == told


def test_a_strip_without_characters_says_nothing() -> None:
    assert (
        spelled([], np.zeros((20, 50, 3), dtype=np.uint8)).text,
        spelled([], np.zeros((20, 50, 3), dtype=np.uint8)).score,
    ) == ("", 0.0)


def test_light_text_on_dark_ground_has_the_same_gaps() -> None:
    characters, image = strip("abcd", 2, 12, 2)

    assert spelled(characters, 255 - image).text == "ab cd"


def test_characters_are_read_off_where_their_class_begins_with_their_surest_step() -> None:
    steps = np.zeros((8, 4), dtype=np.float32)
    for step, (chosen, score) in enumerate([(0, 1), (1, 0.5), (1, 0.9), (0, 1), (1, 0.7), (2, 0.8), (3, 1), (0, 1)]):
        steps[step, chosen] = score
    steps[2, 2] = 0.1

    read = Decoder(("", "a", "b", " ")).read(steps, 1.0)

    assert [(each.text, round(each.score, 2), each.place) for each in read] == [
        ("a", 0.9, 2 / 8),
        ("a", 0.7, 4.5 / 8),
        ("b", 0.8, 5.5 / 8),
        (" ", 1.0, 6.5 / 8),
    ]
    assert (read[0].second, round(read[0].second_score, 2)) == ("b", 0.1)
    assert all(left.place < right.place for left, right in pairwise(read))


def page_of(text: str) -> list[Character]:
    return [Character(letter, 0.95, 0.5) for letter in text]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("轉數快電費繳費賬戶", Script.TRADITIONAL),
        ("转数快电费缴费账户", Script.SIMPLIFIED),
        ("轉數快转数快電費电费", None),
        ("轉數", None),
        ("Total 553.00", None),
    ],
)
def test_a_page_votes_on_its_script(text: str, script: Script | None) -> None:
    assert script_of(page_of(text)) is script


def test_only_the_next_choice_of_the_pages_script_takes_a_characters_place() -> None:
    told = (
        Character("费", 0.6, 0.1, "費", 0.3),
        Character("转", 0.6, 0.2, "韩", 0.3),
        Character("費", 0.6, 0.3, "费", 0.3),
        Character("后", 0.6, 0.4, "後", 0.3),
    )

    assert [each.text for each in in_script(told, Script.TRADITIONAL)] == ["費", "转", "費", "后"]
    assert [each.text for each in in_script(told, Script.SIMPLIFIED)] == ["费", "转", "费", "后"]
    assert in_script(told, None) == told

from __future__ import annotations

import pytest

from qwenport.documents.unreadable import Pattern


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        (r"\d{4}-\d\d", "2?24-0?", ["2?24-0?"]),
        (r"(?:19|20)\d{2}", "?024 and 2?24", ["?024", "2?24"]),
        (r"(?<!\d)\d{3}(?!\d)", "12?4 ?34", ["?34"]),
        (r"[-/]\d", "5-? 7/8", ["/8"]),
        (r"[A-Z.-]+\d", "A?-.7", ["A?-.7"]),
        (r"(?P<it>[\u4e00-\u9fff]+)\W*站", "北?南 站", ["北?南 站"]),
        (r"(?i:jan)\s?\d", "J?n 5 ?", ["J?n 5"]),
        (r"(?i)^.*bank$", "The b?nk", ["The b?nk"]),
        (r"\d+元", "55?元 55?", ["55?元"]),
        (r"\d+", "really?", []),
        (r"\d+", "no mark 12", ["12"]),
    ],
)
def test_what_cannot_be_read_stands_for_a_digit_or_a_letter(expression: str, text: str, matches: list[str]) -> None:
    found = [match[0] for match in Pattern(expression).finditer(text)]

    assert [each for each in found if each.strip("?-")] == matches


def test_a_match_of_nothing_that_can_be_read_is_none() -> None:
    assert list(Pattern(r"\d+").finditer("?? ?")) == []


def test_what_is_around_a_value_excludes_what_cannot_be_read_as_well() -> None:
    pattern = Pattern(r"^\W*(?P<it>\d+)\W*$")

    match = pattern.match("?12 ")

    assert match is not None
    assert (match["it"], pattern.has_part, Pattern(r"\d").has_part) == ("?12", True, False)
    assert Pattern(r"[A-Z]\d+").fullmatch("G5?58") is not None
    assert Pattern(r"[A-Z]\d+").fullmatch("G5?58 ") is None

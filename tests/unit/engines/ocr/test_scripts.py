"""Which script a page is in, and which characters are put right by it."""

from __future__ import annotations

import pytest

from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.scripts import Script, in_script, script_of


def read(text: str, score: float = 0.99) -> tuple[Character, ...]:
    return tuple(Character(each, score, 0.5) for each in text)


def put_right(text: str, second: str, script: Script | None) -> str:
    (character,) = in_script((Character(text, 0.6, 0.5, second, 0.3),), script)
    return character.text


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("电费缴费转账余额", Script.SIMPLIFIED),
        ("電費繳費轉賬餘額", Script.TRADITIONAL),
        ("電費繳費轉", None),
        ("電費繳費轉賬餘額电费", None),
        ("Total 553.00", None),
        # Simplified texts are full of forms that Traditional ones know as well, and hold some that look Traditional.
        ("后里干面台只系谷范斗几松", None),
        ("乾著瞭藉徵夥於祇", None),
        ("电费缴费转账余额后里面台著", Script.SIMPLIFIED),
    ],
)
def test_a_page_is_of_a_script_where_that_is_clear(text: str, script: Script | None) -> None:
    assert script_of(read(text)) is script


def test_characters_that_are_unsure_do_not_vote() -> None:
    assert script_of(read("電費繳費轉賬餘額", score=0.7)) is None


@pytest.mark.parametrize(
    ("text", "second", "script", "right"),
    [
        ("费", "費", Script.TRADITIONAL, "費"),
        ("發", "发", Script.SIMPLIFIED, "发"),
        ("髮", "发", Script.SIMPLIFIED, "发"),
        ("发", "髮", Script.TRADITIONAL, "髮"),
        ("裡", "里", Script.SIMPLIFIED, "里"),
        ("裏", "里", Script.SIMPLIFIED, "里"),
        ("费", "費", None, "费"),
        ("費", "费", Script.TRADITIONAL, "費"),
        ("费", "贵", Script.TRADITIONAL, "费"),
        ("里", "裡", Script.TRADITIONAL, "里"),
        ("著", "着", Script.SIMPLIFIED, "著"),
        ("費", "", Script.SIMPLIFIED, "費"),
    ],
)
def test_a_character_is_put_right_only_by_its_twin(text: str, second: str, script: Script | None, right: str) -> None:
    assert put_right(text, second, script) == right

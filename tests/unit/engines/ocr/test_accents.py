"""On which pages an accent is taken for dust, and which."""

from __future__ import annotations

import pytest

from qwenport.engines.ocr.accents import is_written_plain, without_specks
from qwenport.engines.ocr.decoding import Character


def read(text: str) -> tuple[Character, ...]:
    return tuple(Character(each, 0.99, 0.5) for each in text)


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("RECEIPT NO 12 " * 29, True),
        ("RECEIPT NO 12 " * 29 + "É", True),
        ("RECEIPT NO 12 " * 29 + "ÉÉ", False),
        ("RECEIPT NO 12 " * 20 + "É", False),
        ("RECEIPT NO 12 " * 20, False),
        # What is no letter with an accent says nothing: other scripts, ligatures, signs.
        ("RECEIPT NO 12 " * 29 + "电费一二三ßøа°", True),
        ("Prélèvement à la livraison, payé à réception. " * 9, False),
    ],
)
def test_a_page_is_written_plain_where_accents_are_rarer_than_in_any_language_that_has_them(
    text: str, is_plain: bool
) -> None:
    assert is_written_plain(read(text)) is is_plain


@pytest.mark.parametrize(
    ("text", "score", "second", "right"),
    [
        ("Ú", 0.6, "U", "U"),
        ("è", 0.6, "e", "e"),
        ("É", 0.98, "E", "É"),
        ("É", 0.97, "E", "E"),
        ("Ú", 0.6, "O", "Ú"),
        ("Ú", 0.6, "u", "Ú"),
        ("Ú", 0.6, "Ù", "Ú"),
        ("Ú", 0.6, "", "Ú"),
        ("U", 0.6, "Ú", "U"),
        ("ø", 0.6, "o", "ø"),
        ("費", 0.6, "费", "費"),
        ("¨", 0.6, "", "¨"),
    ],
)
def test_an_unsure_accent_goes_only_where_the_plain_letter_is_the_next_choice(
    text: str, score: float, second: str, right: str
) -> None:
    (character,) = without_specks([Character(text, score, 0.5, second, 0.3)])

    assert character.text == right


def test_the_accent_becomes_the_next_choice() -> None:
    assert without_specks([Character("Ú", 0.6, 0.5, "U", 0.3)]) == (Character("U", 0.6, 0.5, "Ú", 0.3),)

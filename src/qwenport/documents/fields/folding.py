"""Text folded for comparing: Traditional as Simplified, full width as half, small letters, no spaces or marks.

Only comparisons see folded text. Values are always given as printed.
"""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import unicodedata
from functools import lru_cache

from msgspec import Struct
from opencc import OpenCC

_TO_SIMPLIFIED = OpenCC("t2s")
_TWINS = str.maketrans({"帐": "账", "傢": "家", "証": "证", "癥": "征"})


class Folded(Struct, frozen=True):
    """Folded text, and where each of its characters stands in what was folded."""

    text: str
    places: tuple[int, ...]


@lru_cache(maxsize=20_000)
def _folded_character(character: str) -> str:
    wide = unicodedata.normalize("NFKC", character)
    simplified = _TO_SIMPLIFIED.convert(wide).translate(_TWINS)
    return "".join(each for each in simplified.casefold() if each.isalnum())


@lru_cache(maxsize=20_000)
def folded(text: str) -> Folded:
    """Fold `text`, keeping the places of its characters."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for each in _folded_character(character):
            characters.append(each)
            places.append(place)
    return Folded("".join(characters), tuple(places))


def fold(text: str) -> str:
    """Fold `text`."""
    return folded(text).text


@lru_cache(maxsize=20_000)
def simplified(character: str) -> str:
    """Return a character in the Simplified script."""
    return str(_TO_SIMPLIFIED.convert(character))


def is_kana(character: str) -> bool:
    """Whether this is a letter that Japanese alone uses."""
    return "\u3041" <= character <= "\u30ff"


def is_chinese(character: str) -> bool:
    """Whether this is a Chinese character."""
    return "\u3400" <= character <= "\u9fff" or character == "〇"


def has_chinese(text: str) -> bool:
    """Whether a Chinese character is in `text`."""
    return any(is_chinese(character) for character in text)

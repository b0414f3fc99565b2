"""Simplified and Traditional characters as printed: a page votes on its script, and twins are put right.

The recogniser mixes up characters that differ little in print, such as 費 and 费. Only what it would itself take next
is put in the place of a character, and only on a page that is clearly of one script; else the text stays as read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache, lru_cache

import msgspec
from opencc import OpenCC

from qwenport.engines.ocr.decoding import Character

_LEAST_VOTES = 6
_LEAST_MAJORITY = 5
"""Times as many characters of the one script as of the other."""
_SURE = 0.8
"""How sure a character must be to vote."""

_OF_BOTH = frozenset(
    "后里干面台只系谷范郁云丑斗几松姜余征制表板卜冲出划向回合周咸困布席志愈才托折采据曲朱朴术极杯梁沈注胡致舍苏谷赞辟了"
)
"""Simplified forms that are Traditional characters of their own as well."""
_KEPT = frozenset("乾著瞭藉徵夥於祇")
"""Forms that look Traditional and that Simplified texts hold as well, in names and in some of their meanings."""


class Script(Enum):
    """One of the two ways of writing Chinese."""

    SIMPLIFIED = "s2t"
    TRADITIONAL = "t2s"


def script_of(characters: Iterable[Character]) -> Script | None:
    """Return the script that a page is clearly written in, None where it is not clear."""
    votes = {Script.SIMPLIFIED: 0, Script.TRADITIONAL: 0}
    for character in characters:
        own = _own_script(character.text) if character.score >= _SURE else None
        if own is not None:
            votes[own] += 1
    script, count = max(votes.items(), key=lambda each: each[1])
    other = min(votes.values())
    return script if count >= _LEAST_VOTES and count >= _LEAST_MAJORITY * other else None


def in_script(characters: Sequence[Character], script: Script | None) -> tuple[Character, ...]:
    """Return the characters with those put right whose twin of the page's script is the recogniser's next choice."""
    if script is None:
        return tuple(characters)
    return tuple(_put_right(each, script) for each in characters)


def _put_right(character: Character, script: Script) -> Character:
    own = _own_script(character.text)
    if own is None or own is script:
        return character
    # Several Traditional characters may share a Simplified one; each has but one.
    simplified, traditional = (
        (character.second, character.text) if script is Script.SIMPLIFIED else (character.text, character.second)
    )
    if not simplified or _converted(traditional, Script.TRADITIONAL) != simplified:
        return character
    return msgspec.structs.replace(character, text=character.second, second=character.text)


@lru_cache(maxsize=1 << 15)
def _own_script(text: str) -> Script | None:
    """Return the script to which a character belongs alone."""
    if not text or text in _OF_BOTH or text in _KEPT or ord(text[0]) < 0x3400:
        return None
    is_traditional = _converted(text, Script.TRADITIONAL) != text
    is_simplified = _converted(text, Script.SIMPLIFIED) != text
    if is_traditional == is_simplified:
        return None
    return Script.TRADITIONAL if is_traditional else Script.SIMPLIFIED


def _converted(text: str, script: Script) -> str:
    """Return a text of this script in the other one."""
    return str(_converter(script).convert(text))


@cache
def _converter(script: Script) -> OpenCC:
    return OpenCC(script.value)

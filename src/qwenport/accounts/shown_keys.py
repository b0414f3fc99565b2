"""Finding keys in texts that somebody found in a public place; what is found leaves this module as hashes only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.keys import hash_key

MOST_SHOWN = 10_000
"""Different things that look like a key, at a time: while they are looked up nobody else writes."""

_KEY = re.compile(r"(?=(sk-[A-Za-z0-9_-]{16,253}))", re.ASCII)
"""Looks ahead, so that one key that begins within another is found too."""
_RANDOM_KEY = re.compile(r"sk-[0-9a-f]{64}", re.ASCII)


def digests_of_shown(texts: Iterable[str]) -> Sequence[tuple[str, ...]]:
    """Return, for each different thing that looks like a key, the hashes of the keys that it may be.

    What follows a key without a blank may look like a part of it. Raises `SettingInvalid` for more than `MOST_SHOWN`.
    """
    found: dict[str, None] = {}
    for match in (match for text in texts for match in _KEY.finditer(text)):
        found[match[1]] = None
        if len(found) > MOST_SHOWN:
            raise SettingInvalid(f"more than {MOST_SHOWN} things here look like a key; send the texts in parts")
    return [tuple(dict.fromkeys(hash_key(key) for key in _readings(shown))) for shown in found]


def _readings(shown: str) -> Iterable[str]:
    yield shown
    yield shown.rstrip("-_")
    if random := _RANDOM_KEY.match(shown):
        yield random[0]

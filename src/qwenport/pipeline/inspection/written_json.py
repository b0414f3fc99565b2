"""The texts in JSON as somebody wrote it, names among them: nothing is nested too deep for it or stands there unseen.

JSON is read as a row of strings and not as what it means, since of two members of one name, or in a text that is no
JSON to the end, readers differ in what they see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_STRING = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?', re.DOTALL)
"""One that is not closed goes on to the end, so that each character is looked at once."""


def strings_in(content: str) -> Iterator[str]:
    """Yield every string and every name in JSON, in their order."""
    for match in _STRING.finditer(content):
        yield _unescaped(match[1])


def readings_of(content: str) -> Iterator[str]:
    """Yield JSON as it was written, then each of its strings that escapes make look otherwise there."""
    yield content
    if "\\" in content:
        yield from (_unescaped(match[1]) for match in _STRING.finditer(content) if "\\" in match[1])


def _unescaped(inside: str) -> str:
    if "\\" not in inside:
        return inside
    try:
        return msgspec.json.decode(f'"{inside}"', type=str)
    except (msgspec.DecodeError, UnicodeError):
        # Half of a character, or no escape at all; nobody else can read more of it.
        return inside

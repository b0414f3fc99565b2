"""Patterns that admit `?`, which stands for a printed character that could not be read.

A value of which a character is missing is still that value. A pattern that knows digits and letters alone would end at
the `?`, and give what is left for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

UNREADABLE = "?"
"""For one character, or for some."""

_TOKEN = re.compile(
    r"""(?P<group>\(\?(?:P<\w+>|[a-z]*[:)]|<?[=!]))
    |(?P<shorthand>\\[dw])
    |(?P<other>\\W)
    |\\(?:u[0-9a-fA-F]{4}|.)
    |\[(?P<negation>\^?)(?P<members>\]?(?:\\.|[^\]\\])*)\]
    |(?P<times>\{[0-9,]+\})
    |(?P<literal>[0-9A-Za-z])
    |.""",
    re.VERBOSE | re.DOTALL,
)
_VARIES = re.compile(r"\\[dwu]|(?<!\\)[0-9A-Za-z]|[^\W_].{9}")
"""Of a set of characters: it has digits or letters, or so many Chinese ones that it is no single word."""


class Pattern:
    """A regular expression that lets `?` stand where it wants a digit or a letter, in texts that have one."""

    def __init__(self, expression: str) -> None:
        """Compile an expression as `re` has them; its inline flags stand in groups of their own."""
        self._exact = re.compile(expression)

    @cached_property
    def _admitting(self) -> re.Pattern[str]:
        return re.compile(_TOKEN.sub(_admitted, self._exact.pattern))

    @property
    def has_part(self) -> bool:
        """Whether a group named `it` tells which part of a match counts."""
        return "it" in self._exact.groupindex

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield what matches and has something that can be read."""
        return (match for match in self._for(text).finditer(text) if _says_something(match))

    def match(self, text: str) -> re.Match[str] | None:
        """Return what matches at the start of a text."""
        return self._for(text).match(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of all of a text."""
        return self._for(text).fullmatch(text)

    def _for(self, text: str) -> re.Pattern[str]:
        return self._admitting if UNREADABLE in text else self._exact


def _says_something(match: re.Match[str]) -> bool:
    text = match[0]
    return UNREADABLE not in text or any(character.isalnum() for character in text)


def _admitted(token: re.Match[str]) -> str:
    """Return a part of an expression so that it lets `?` through."""
    if token["literal"] or token["shorthand"]:
        return f"[?{token[0]}]"
    if token["other"]:
        return r"[^\w?]"
    members = token["members"]
    if members is not None and _VARIES.search(members):
        # A hyphen in front is one; behind another character it makes a range.
        hyphen = "-" if members.startswith("-") else ""
        return f"[{token['negation']}{hyphen}?{members.removeprefix('-')}]"
    return token[0]

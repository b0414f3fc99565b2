"""The texts of a decoded JSON value: where each stands, and how it is changed there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

Path = tuple[str | int, ...]
"""Names and numbers that lead to a text."""

_Way = tuple["_Way", str | int] | None
"""A path from its end on: what lies below one holder shares it, so that deep values take no square of their depth."""


class JsonText(Struct, frozen=True, eq=False):
    """One text in its place."""

    text: str
    holder: Any
    """The list or the object that it stands in; for a value that is nothing but a text, a list made for it."""
    key: str | int
    way: _Way

    @property
    def path(self) -> Path:
        """Return what leads to it; empty for a value that is nothing but a text."""
        steps: list[str | int] = []
        way = self.way
        while way is not None:
            way, step = way
            steps.append(step)
        return tuple(reversed(steps))

    def say(self, text: str) -> None:
        """Put another text there."""
        self.holder[self.key] = text


def json_texts(value: object) -> Iterator[JsonText]:
    """Yield every text in the order in which they stand, however deep they lie; each may be changed when it has come.

    Names of members are none of them.
    """
    if isinstance(value, str):
        yield JsonText(value, [value], 0, None)
    entered: list[tuple[Any, _Way, Iterator[tuple[str | int, object]]]] = [(value, None, _members(value))]
    while entered:
        holder, way, members = entered[-1]
        for key, member in members:
            if isinstance(member, str):
                yield JsonText(member, holder, key, (way, key))
            elif isinstance(member, list | dict):
                entered.append((member, (way, key), _members(member)))
                break
        else:
            entered.pop()


def _members(value: object) -> Iterator[tuple[str | int, object]]:
    match value:
        case list():
            return enumerate(value)
        case dict():
            return iter(value.items())
        case _:
            return iter(())

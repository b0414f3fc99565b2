"""The texts of a decoded JSON value, each where it can be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

Path = tuple[str | int, ...]
"""Names and numbers that lead to a text."""


class JsonString(Struct, eq=False):
    """One text in its place."""

    path: Path
    holder: Any
    """The list or the object that it stands in."""
    key: str | int
    text: str

    def say(self, text: str) -> None:
        """Put another text there."""
        self.holder[self.key] = text


def json_strings(value: dict[str, Any]) -> Iterator[JsonString]:
    """Yield every text of an object, however deep it lies; each may be changed when it has come."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, holder = waiting.pop()
        members = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, each in list(members):
            if isinstance(each, str):
                yield JsonString((*path, key), holder, key, each)
            elif isinstance(each, dict | list):
                waiting.append(((*path, key), each))


def rename(value: dict[str, Any], change: Callable[[str], str]) -> bool:
    """Change the names of all members in place, and tell whether any was."""
    is_changed = False
    waiting: list[Any] = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, list):
            waiting += holder
        elif isinstance(holder, dict):
            waiting += holder.values()
            names = {name: change(name) for name in holder}
            if any(name != changed for name, changed in names.items()):
                is_changed = True
                members = [(names[name], each) for name, each in holder.items()]
                holder.clear()
                holder.update(members)
    return is_changed

"""The names of members in a decoded JSON value, which may be personal data as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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

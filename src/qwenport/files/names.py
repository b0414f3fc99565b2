"""Characters that no name of a stored file may hold."""

from __future__ import annotations

import unicodedata

_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, lone surrogates and line ends."""


def holds_control_characters(name: str) -> bool:
    """Tell whether a name holds what breaks lines, headers or terminals."""
    return any(unicodedata.category(character) in _CONTROL for character in name)

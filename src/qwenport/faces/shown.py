"""What errors repeat of a caller's own values."""

from __future__ import annotations

_CHARACTERS = 64


def shown(value: str | None) -> str:
    """Return the beginning of a value, enough to know it by; nothing where there is none."""
    return (value or "")[:_CHARACTERS]

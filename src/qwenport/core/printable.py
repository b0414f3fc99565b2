"""Text of unknown origin, made fit for a line: of a journal, of a header, of a table."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text with a question mark for each character that cannot be seen, such as half of a surrogate pair."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)

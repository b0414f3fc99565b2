"""Decodes files of text, whose encoding nobody wrote down."""

from __future__ import annotations

import codecs
import re

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = ("utf-8", "gb18030")
"""In this order: what is valid UTF-8 and means something else is rare, and GB18030 takes nearly everything."""
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Characters that no text has; tabs, ends of lines and pages, and the escape of terminal colours are none of them."""


def decode_text(content: bytes) -> str | None:
    """Return the text of a file in UTF-8, UTF-16 or GB18030; None where it is none."""
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None


def _encodings(content: bytes) -> tuple[str, ...]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return (encoding,)
    # Text in UTF-16 without a mark has zero bytes at every second place wherever it is ASCII; other text has none.
    sample = content[:4096]
    if sample[1::2].count(0) > len(sample) // 8:
        return ("utf-16-le",)
    if sample[::2].count(0) > len(sample) // 8:
        return ("utf-16-be",)
    return _UNMARKED

"""Titles by their print, for pages on which a layout model sees none: cards, tickets, receipts."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from qwenport.documents.blocks.paragraphs import PlacedLine
from qwenport.documents.tables.evidence import has_key

_LARGE = 1.2  # of the usual height of text
_LARGEST = 0.8  # of the largest print among titles
_UPPER = 0.3  # of the page's text
_CENTRED = 0.12  # of the text's width: how far from its middle a title stands at most
_FIGURES = 0.5  # share of digits: what has more is a number or an amount


def titles(lines: Sequence[PlacedLine], width: float) -> frozenset[int]:
    """Which lines of a page so wide, by their index, are titles.

    These are in large print in the upper part: in the middle, or at the left of the first row.
    """
    if not lines:
        return frozenset()
    top, bottom = min(line.top for line in lines), max(line.bottom for line in lines)
    least = _LARGE * median(line.height for line in lines)
    found = [
        line
        for line in lines
        if line.height >= least and line.top - top <= _UPPER * (bottom - top) and is_title(line.text)
    ]
    placed = [line for line in found if _is_central(line, lines, width) or _is_first(line, lines)]
    largest = max((line.height for line in placed), default=0.0)
    return frozenset(line.index for line in placed if line.height >= _LARGEST * largest)


def _is_central(line: PlacedLine, lines: Sequence[PlacedLine], width: float) -> bool:
    """Whether a line stands in the middle of the page, or of its text."""
    left, right = min(one.left for one in lines), max(one.right for one in lines)
    away = min(abs(line.left + line.right - left - right), abs(line.left + line.right - width))
    return away <= 2 * _CENTRED * (right - left)


def _is_first(line: PlacedLine, lines: Sequence[PlacedLine]) -> bool:
    """Whether nothing stands above a line, nor to the left of it."""
    return all(one.bottom > line.top and one.left >= line.left - line.height for one in lines)


def is_title(text: str) -> bool:
    """Whether a text may be one: words, and no key with its value."""
    shown = [character for character in text if not character.isspace()]
    digits = sum(map(str.isdigit, shown))
    return len(shown) > 1 and digits <= _FIGURES * len(shown) and not has_key(text)

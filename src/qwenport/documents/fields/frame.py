"""The lines of a page in a frame in which they lie level, and the places of parts of them."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise

from qwenport.documents.fields.folding import Folded, folded, is_chinese
from qwenport.documents.page import Line, Page, Quad

_SPACE = 0.55
"""How wide a gap between words is, in heights of the line, that was printed as a space beside Chinese."""


class Fragment:
    """A line of the page, level, with its text ready to be searched."""

    def __init__(self, number: int, line: Line, corners: Quad) -> None:
        self.number = number
        self.line = line
        self.text = _spaced(line)
        x0, y0, x1, y1, x2, y2, x3, y3 = corners
        self.left, self.right = (x0 + x3) / 2, (x1 + x2) / 2
        self.top, self.bottom = (y0 + y1) / 2, (y2 + y3) / 2
        if self.right < self.left or self.bottom < self.top:  # turned text: only its bounds mean something here
            self.left, self.right = min(corners[0::2]), max(corners[0::2])
            self.top, self.bottom = min(corners[1::2]), max(corners[1::2])
        self.height = max(1.0, self.bottom - self.top)
        self.middle = (self.top + self.bottom) / 2

    @cached_property
    def folded(self) -> Folded:
        """The text as comparisons see it."""
        return folded(self.text)

    @cached_property
    def _shares(self) -> tuple[float, ...]:
        """How far along the line each character begins, 0 to 1, with the end as the last."""
        widths = [_width(character) for character in self.text]
        whole = sum(widths) or 1.0
        shares = [0.0]
        for width in widths:
            shares.append(shares[-1] + width / whole)
        return tuple(shares)

    def x_at(self, place: int) -> float:
        """Where the character at `place` begins."""
        return self.left + (self.right - self.left) * self._shares[min(place, len(self.text))]

    def quad_of(self, start: int, end: int) -> Quad:
        """The place of a part of the text, in pixels of the page."""
        x0, y0, x1, y1, x2, y2, x3, y3 = self.line.quad
        first, last = self._shares[start], self._shares[end]
        return (
            x0 + (x1 - x0) * first, y0 + (y1 - y0) * first, x0 + (x1 - x0) * last, y0 + (y1 - y0) * last,
            x3 + (x2 - x3) * last, y3 + (y2 - y3) * last, x3 + (x2 - x3) * first, y3 + (y2 - y3) * first,
        )  # fmt: skip


def _spaced(line: Line) -> str:
    """Return the text with a space between Chinese and Latin where the gap of the printed words shows one."""
    if len(line.words) < 2 or not line.text.isprintable():
        return line.text
    text, at = "", 0
    gaps = [after.quad[0] - before.quad[2] for before, after in pairwise(line.words)]
    for gap, word in zip((0.0, *gaps), line.words, strict=True):
        start = line.text.find(word.text, at)
        if start < 0:
            return line.text
        text += line.text[at:start]
        others = [each for each in gaps if each is not gap]
        is_wide = gap > _SPACE * line.height or (gap > 0.35 * line.height and gap > 1.45 * max(others, default=0.0))
        if is_wide and start == at and at and _changes_script(text[-1], word.text[0]):
            text += " "
        text += word.text
        at = start + len(word.text)
    return text + line.text[at:]


def _changes_script(before: str, after: str) -> bool:
    return before.isalnum() and after.isalnum() and is_chinese(before) != is_chinese(after)


def _width(character: str) -> float:
    """Return about how wide a character is printed, in halves of a Chinese one."""
    if is_chinese(character) or character in "，。：；（）￥、":
        return 2.0
    return 0.6 if character in " .,:;'|il!" else 1.0


def fragments_of(page: Page) -> tuple[Fragment, ...]:
    """Return the lines that have text, level, from top to bottom."""
    lean = math.radians(page.angle)
    cosine, sine = math.cos(lean), math.sin(lean)
    level: list[Fragment] = []
    for number, line in enumerate(page.lines):
        if not line.text.strip():
            continue
        flat: list[float] = []
        for x, y in zip(line.quad[0::2], line.quad[1::2], strict=True):
            flat += (x * cosine + y * sine, y * cosine - x * sine)
        level.append(Fragment(number, line, _as_quad(flat)))
    return tuple(sorted(level, key=lambda fragment: (fragment.middle, fragment.left)))


def _as_quad(flat: list[float]) -> Quad:
    x0, y0, x1, y1, x2, y2, x3, y3 = flat
    return (x0, y0, x1, y1, x2, y2, x3, y3)


def same_row(one: Fragment, other: Fragment) -> bool:
    """Whether two fragments stand beside each other."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= 0.4 * min(one.height, other.height)


def share_columns(one: Fragment, other: Fragment) -> float:
    """How many pixels two fragments share from left to right; negative for the gap between them."""
    return min(one.right, other.right) - max(one.left, other.left)

"""Units of areas and volumes that are printed in one square, such as ㎡.

Where the figure stands high above the `m`, which many typefaces have so, the recogniser sees nothing in the square, or
one of the two. They are found by their shapes, set beside each other, and read once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.ink import ink_of
from qwenport.engines.ocr.scaling import Pixels

_UNITS = {"m²": "m²", "m2": "m²", "m³": "m³", "m3": "m³"}
"""What is read of the two side by side."""
_BEFORE = frozenset("0123456789(\uff08/")
"""What stands in front of a unit somewhere in its line."""
_BODY = (0.2, 0.5)
"""How high an `m` is at the least and at the most, as a part of the strip's height."""
_FIGURE = (0.1, 0.42)
_APART = 0.08
"""Of the strip's height: the gap between the two when they are set side by side."""
_SLACK = 0.12
"""Of the strip's height: how far from its ink a character may be told to be."""
_LEAST_SCORE = 0.6


class _Shape(Struct, frozen=True, gc=False):
    """Ink that hangs together, in pixels of the strip."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def with_units(
    characters: Sequence[Character], strip: Pixels, read: Callable[[Pixels], Sequence[Character]]
) -> tuple[Character, ...]:
    """Return the characters of a strip with the units that are printed in one square; `read` reads a strip."""
    found = tuple(characters)
    if not any(each.text in _BEFORE for each in found):
        return found
    ink, width = ink_of(strip), strip.shape[1]
    for body, figure in _squares(ink):
        own, others = _parted(found, body, figure, strip)
        is_another = any(body.left <= each.place * width <= body.right for each in others)
        if is_another or "".join(each.text for each in own) in {"m²", "m³"}:
            continue
        unit = _unit(read(_side_by_side(strip, ink, body, figure)), body, figure, width)
        if unit:
            found = tuple(sorted((*others, *unit), key=lambda each: each.place))
    return found


def _unit(again: Sequence[Character], body: _Shape, figure: _Shape, width: int) -> tuple[Character, ...]:
    """Return the two characters of a unit at their places on the strip; () where none was read with any certainty."""
    read = [each for each in again if each.text.strip()]
    unit = _UNITS.get("".join(each.text for each in read), "")
    if not unit or min(each.score for each in read) < _LEAST_SCORE:
        return ()
    places = (body.middle / width, (figure.right + body.right) / 2 / width)
    return tuple(replace(each, text=text, place=place) for each, text, place in zip(read, unit, places, strict=True))


def _parted(
    characters: Sequence[Character], body: _Shape, figure: _Shape, strip: Pixels
) -> tuple[list[Character], list[Character]]:
    """Return what was read of the square, and what was read of everything else."""
    height, width = strip.shape[:2]
    ends = {"m": (body.left, body.right)} | dict.fromkeys("²³23", (body.middle, max(figure.right, body.right)))
    own: list[Character] = []
    others: list[Character] = []
    for each in characters:
        start, end = ends.get(each.text, (math.inf, -math.inf))
        is_own = start - _SLACK * height <= each.place * width <= end + _SLACK * height
        (own if is_own else others).append(each)
    return own, others


def _side_by_side(strip: Pixels, ink: Pixels, body: _Shape, figure: _Shape) -> Pixels:
    """Return a strip that shows the body, and the figure as it stands in running text: behind it, a little raised."""
    height = strip.shape[0]
    gap = max(round(_APART * height), 1)
    ground = np.median(strip[ink == 0], axis=0)
    shown = np.full((height, body.width + figure.width + 5 * gap, 3), ground, dtype=np.uint8)
    down = max(body.top + figure.height // 2 - figure.bottom, 0)
    for shape, left, top in ((body, 2 * gap, body.top), (figure, body.width + 3 * gap, figure.top + down)):
        cut = strip[shape.top : shape.bottom, shape.left : shape.right]
        shown[top : top + shape.height, left : left + shape.width] = cut
    return shown


def _squares(ink: Pixels) -> Iterator[tuple[_Shape, _Shape]]:
    """Yield what may be an `m` with what may be its figure: small, above it, at its right."""
    height = ink.shape[0]
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, tall = stats[1:, :4].T
    is_body = (tall >= _BODY[0] * height) & (tall <= _BODY[1] * height) & (width >= tall) & (width <= 2 * tall)
    is_figure = (tall >= _FIGURE[0] * height) & (tall <= _FIGURE[1] * height) & (width <= tall)
    for at in np.flatnonzero(is_body):
        above = is_figure & (top < top[at]) & (top + tall <= top[at] + 0.4 * tall[at])
        near = (left >= left[at] + 0.4 * width[at]) & (left <= left[at] + width[at] + 0.3 * tall[at])
        for one in np.flatnonzero(above & near & (tall <= 1.1 * tall[at]))[:1]:
            yield _shape(stats[at + 1]), _shape(stats[one + 1])


def _shape(stats: Sequence[int]) -> _Shape:
    left, top, width, height = (int(value) for value in stats[:4])
    return _Shape(left, top, width, height)

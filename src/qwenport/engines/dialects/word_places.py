"""Where a line of text is, in the ways in which models say it, as `words_info` has it.

`location` are the corners from the top left on, clockwise; `rotate_rect` is centre, width, height and angle, as in the
Qwen-OCR guide (https://www.alibabacloud.com/help/en/model-studio/qwen-vl-ocr).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

_CORNERS, _RECTANGLE, _BOX = 8, 5, 4
"""How many numbers each way has."""
_FARTHEST = 1_000_000
"""Pixels; no image is larger."""


class Place(NamedTuple):
    """The place of one line, in whole pixels."""

    location: list[int]
    rotate_rect: list[int]


def place_of(said: object) -> Place | None:
    """Return the place that a value says: four corners, a turned rectangle, or an upright box; None for another."""
    numbers = _numbers(said)
    if numbers is None or any(abs(number) > _FARTHEST for number in numbers):
        return None
    if len(numbers) == _CORNERS:
        return Place(_whole(numbers), _whole(_rectangle(numbers)))
    if len(numbers) == _RECTANGLE:
        return Place(_whole(_corners(numbers)), _whole(numbers))
    if len(numbers) == _BOX:
        left, top, right, bottom = numbers
        corners = [left, top, right, top, right, bottom, left, bottom]
        return Place(_whole(corners), _whole(_rectangle(corners)))
    return None


def _numbers(said: object) -> list[float] | None:
    """Return the numbers of a list, or of a list of points."""
    if not isinstance(said, list):
        return None
    flat = [each for item in said for each in (item if isinstance(item, list) else [item])]
    if not all(type(each) in (int, float) and math.isfinite(each) for each in flat):
        return None
    return [float(each) for each in flat]


def _corners(rectangle: Sequence[float]) -> list[float]:
    """Return the corners of a turned rectangle, clockwise from the one that is nearest to the image's top left."""
    x, y, width, height, degrees = rectangle
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    points = [
        (
            x + across * width / 2 * cosine - down * height / 2 * sine,
            y + across * width / 2 * sine + down * height / 2 * cosine,
        )
        for across, down in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    first = min(range(4), key=lambda corner: (round(sum(points[corner])), round(points[corner][1])))
    return [number for point in (*points[first:], *points[:first]) for number in point]


def _rectangle(corners: Sequence[float]) -> list[float]:
    x0, y0, x1, y1, _, _, x3, y3 = corners
    degrees = math.degrees(math.atan2(y1 - y0, x1 - x0))
    if abs(degrees) > 90:
        degrees -= math.copysign(180, degrees)
    return [
        sum(corners[0::2]) / 4,
        sum(corners[1::2]) / 4,
        math.hypot(x1 - x0, y1 - y0),
        math.hypot(x3 - x0, y3 - y0),
        degrees,
    ]


def _whole(numbers: Sequence[float]) -> list[int]:
    return [round(number) for number in numbers]

"""Where a line of text is, in the ways in which models say it, as `words_info` has it.

`location` are the corners from the top left on, clockwise; `rotate_rect` is centre, width, height and angle, as in the
Qwen-OCR guide (https://www.alibabacloud.com/help/en/model-studio/qwen-vl-ocr).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from qwenport.engines.dialects.image_frames import Frame

_CORNERS, _RECTANGLE, _BOX = 8, 5, 4
"""How many numbers each way has."""
_FARTHEST = 1_000_000
"""Of any number that is believed; no image is larger."""


class Place(NamedTuple):
    """The place of one line, in whole pixels of the image."""

    location: list[int]
    rotate_rect: list[int]


def place_of(said: object, frame: Frame) -> Place | None:
    """Return the place that a value says: four corners, a turned rectangle, or an upright box.

    None for another value, and for a place that has no area or whose middle is not in the image: what reaches over an
    edge is cut off there.
    """
    numbers = _numbers(said)
    if numbers is None:
        return None
    told = _told_corners(numbers)
    if told is None:
        return None
    image = frame.picture
    across, down = image.width / frame.told_width, image.height / frame.told_height
    corners = [number * (down if index % 2 else across) for index, number in enumerate(told)]
    is_as_told = len(numbers) == _RECTANGLE and across == down == 1
    rectangle = numbers if is_as_told else _rectangle(corners)
    x, y, width, height, _ = rectangle
    if not (0 <= x <= image.width and 0 <= y <= image.height and round(width) > 0 and round(height) > 0):
        return None
    return Place(_whole(_clipped(corners, (image.width, image.height))), _whole(rectangle))


def _numbers(said: object) -> list[float] | None:
    """Return the numbers of a list, or of a list of points."""
    if not isinstance(said, list):
        return None
    flat = [each for item in said for each in (item if isinstance(item, list) else [item])]
    if not all(type(each) in (int, float) and abs(each) <= _FARTHEST for each in flat):
        return None
    return [float(each) for each in flat]


def _told_corners(numbers: Sequence[float]) -> Sequence[float] | None:
    if len(numbers) == _CORNERS:
        return numbers
    if len(numbers) == _RECTANGLE:
        return _corners(numbers)
    if len(numbers) == _BOX:
        (left, right), (top, bottom) = sorted(numbers[0::2]), sorted(numbers[1::2])
        return left, top, right, top, right, bottom, left, bottom
    return None


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
    # Whole degrees before they are folded, or those of lines that run upwards would be 90 or -90 by chance.
    degrees = round(math.degrees(math.atan2(y1 - y0, x1 - x0)))
    if abs(degrees) > 90:
        degrees -= 180 if degrees > 0 else -180
    return [
        sum(corners[0::2]) / 4,
        sum(corners[1::2]) / 4,
        math.hypot(x1 - x0, y1 - y0),
        math.hypot(x3 - x0, y3 - y0),
        degrees,
    ]


def _clipped(corners: Sequence[float], sides: tuple[int, int]) -> list[float]:
    return [min(max(number, 0), sides[index % 2]) for index, number in enumerate(corners)]


def _whole(numbers: Sequence[float]) -> list[int]:
    return [round(number) for number in numbers]

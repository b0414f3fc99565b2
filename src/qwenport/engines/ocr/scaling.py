"""At which sizes an image is looked at, and how places there are places in the image as it was given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Height by width by three colours, blue first, as OpenCV holds them."""
Points = NDArray[np.float32]
"""Any number of points, x and y in the last dimension."""

MOST_PIXELS = 16 << 20
"""Of the image that lines are cut out of: an A3 page at 300 dpi."""
MOST_DETECTED_PIXELS = 2_600_000
"""Of the image in which lines are looked for, which decides the memory; an A4 page at 150 dpi has 2.2 million."""
LEAST_SIDE = 736
"""A smaller image is enlarged to this before lines are looked for, as PP-OCR was trained (`limit_side_len`)."""
LONGEST_TO_SHORTEST = 6
"""A longer strip is put on a wider ground: the detector finds nothing in one, or is given a giant image of it."""

_MULTIPLE = 32
"""The detector halves its image five times."""


@dataclass(frozen=True, slots=True)
class Framing:
    """An image for the detector, and the way back."""

    image: Pixels
    scale_x: float
    """Detector pixels a pixel of the image."""
    scale_y: float
    left: float
    """Ground that was put before the image, in pixels of the image."""
    top: float

    def back(self, points: Points) -> Points:
        """Return where points of the detector's image are in the image."""
        scale = np.array((self.scale_x, self.scale_y), dtype=np.float32)
        shift = np.array((self.left, self.top), dtype=np.float32)
        return points.astype(np.float32) / scale - shift


def bounded(image: Pixels, most_pixels: int) -> tuple[Pixels, float]:
    """Return the image with at most so many pixels, and how many of its pixels one of the original is."""
    height, width = image.shape[:2]
    most = min(most_pixels or MOST_PIXELS, MOST_PIXELS)
    if height * width <= most:
        return image, 1.0
    scale = math.sqrt(most / (height * width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return _resized(image, size), scale


def framed(image: Pixels) -> Framing:
    """Return the image as the detector takes it: no strip, of a bounded size, with sides it can halve.

    A strip is scaled before it is put on its ground, which at full size could be a hundred times as large.
    """
    height, width = image.shape[:2]
    shortest = math.ceil(max(height, width) / LONGEST_TO_SHORTEST)
    ground_width, ground_height = max(width, shortest), max(height, shortest)
    scale = max(1.0, LEAST_SIDE / min(ground_height, ground_width))
    scale = min(scale, math.sqrt(MOST_DETECTED_PIXELS / (ground_height * ground_width)))
    size = (_whole(ground_width * scale), _whole(ground_height * scale))
    if (ground_width, ground_height) == (width, height):
        return Framing(_resized(image, size), size[0] / width, size[1] / height, 0.0, 0.0)
    within = (
        _scaled(width, size[0] / ground_width, size[0]),
        _scaled(height, size[1] / ground_height, size[1]),
    )
    left, top = (size[0] - within[0]) // 2, (size[1] - within[1]) // 2
    scale_x, scale_y = within[0] / width, within[1] / height
    return Framing(_on_ground(image, within, size), scale_x, scale_y, left / scale_x, top / scale_y)


def _on_ground(image: Pixels, within: tuple[int, int], size: tuple[int, int]) -> Pixels:
    """Return an image scaled to `within`, in the middle of a ground of its border's colour."""
    border = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
    colour = tuple(int(value) for value in np.median(border, axis=0))
    missing_width, missing_height = size[0] - within[0], size[1] - within[1]
    left, top = missing_width // 2, missing_height // 2
    padded = cv2.copyMakeBorder(
        _resized(image, within),
        top,
        missing_height - top,
        left,
        missing_width - left,
        cv2.BORDER_CONSTANT,
        value=colour,
    )
    return np.asarray(padded, dtype=np.uint8)


def _scaled(side: int, scale: float, most: int) -> int:
    return min(max(round(side * scale), 1), most)


def _whole(side: float) -> int:
    return max(round(side / _MULTIPLE), 1) * _MULTIPLE


def _resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)

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
    left: int
    """Ground that was put before the image, in pixels of the image."""
    top: int

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
    """Return the image as the detector takes it: no strip, of a bounded size, with sides it can halve."""
    grounded, left, top = _on_ground(image)
    height, width = grounded.shape[:2]
    scale = max(1.0, LEAST_SIDE / min(height, width))
    scale = min(scale, math.sqrt(MOST_DETECTED_PIXELS / (height * width)))
    size = (_whole(width * scale), _whole(height * scale))
    return Framing(_resized(grounded, size), size[0] / width, size[1] / height, left, top)


def _on_ground(image: Pixels) -> tuple[Pixels, int, int]:
    height, width = image.shape[:2]
    longest = max(height, width)
    missing_height = max(math.ceil(longest / LONGEST_TO_SHORTEST) - height, 0)
    missing_width = max(math.ceil(longest / LONGEST_TO_SHORTEST) - width, 0)
    if not missing_height and not missing_width:
        return image, 0, 0
    top, left = missing_height // 2, missing_width // 2
    border = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
    colour = tuple(int(value) for value in np.median(border, axis=0))
    padded = cv2.copyMakeBorder(
        image, top, missing_height - top, left, missing_width - left, cv2.BORDER_CONSTANT, value=colour
    )
    return np.asarray(padded, dtype=np.uint8), left, top


def _whole(side: float) -> int:
    return max(round(side / _MULTIPLE), 1) * _MULTIPLE


def _resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)

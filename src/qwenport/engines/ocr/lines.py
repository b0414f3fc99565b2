"""Single lines of text: cut out of a page, and read one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from qwenport.engines.ocr.backend import Floats, Session
from qwenport.engines.ocr.decoding import Character, Decoder
from qwenport.engines.ocr.scaling import Pixels

_HEIGHT = 48
"""What the recogniser was trained with."""
_LEAST_WIDTH = 96
"""Shorter lines are read on a black ground of this width, as in training, where it was 320: no better, and slower."""
_MOST_WIDTH = 3_200
"""A longer line is squeezed."""
_UPRIGHT = 1.5
"""A box that is so many times higher than wide holds a line that runs downwards."""


def cut_out(image: Pixels, corners: Floats) -> Pixels:
    """Return what stands between four corners as a level strip; what runs downwards is turned to the left."""
    width, height = (max(int(side), 1) for side in _sides(corners))
    level = np.array(((0, 0), (width, 0), (width, height), (0, height)), dtype=np.float32)
    way = cv2.getPerspectiveTransform(corners.astype(np.float32), level)
    strip = cv2.warpPerspective(image, way, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.rot90(strip)) if runs_downwards(corners) else np.asarray(strip, dtype=np.uint8)


def runs_downwards(corners: Floats) -> bool:
    """Tell whether the text of a box runs from its top to its bottom."""
    width, height = _sides(corners)
    return height >= _UPRIGHT * width


def _sides(corners: Floats) -> tuple[float, float]:
    """Return width and height of a box."""
    sides = [float(np.linalg.norm(corners[start] - corners[start - 1])) for start in range(4)]
    return max(sides[1], sides[3]), max(sides[0], sides[2])


class LineReader:
    """Reads strips that each hold one line."""

    def __init__(self, session: Session, characters: Sequence[str]) -> None:
        self._session = session
        self._decoder = Decoder(characters)

    def read(self, strip: Pixels) -> tuple[Character, ...]:
        """Return the characters of a strip.

        Batches of lines are no quicker on one thread (dense page: 1.06 s in sixes, 1.05 s one by one; page of long
        lines: 6.9 s and 4.0 s) and take up to twice the memory.
        """
        width = min(max(math.ceil(_HEIGHT * strip.shape[1] / strip.shape[0]), 1), _MOST_WIDTH)
        values = np.zeros((1, 3, _HEIGHT, max(width, _LEAST_WIDTH)), dtype=np.float32)
        values[0, :, :, :width] = _values(strip, width)
        return self._decoder.read(self._session(values)[0], width / values.shape[3])


def _values(strip: Pixels, width: int) -> Floats:
    resized = cv2.resize(strip, (width, _HEIGHT)).astype(np.float32)
    return np.asarray((resized.transpose(2, 0, 1) / 255 - 0.5) / 0.5, dtype=np.float32)

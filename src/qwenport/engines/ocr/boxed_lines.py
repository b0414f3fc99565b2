"""What stands in the boxes of one image: each is cut out and read when it is first asked for, and once."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from qwenport.engines.ocr.backend import Floats
from qwenport.engines.ocr.decoding import Character
from qwenport.engines.ocr.lines import LineReader, cut_out
from qwenport.engines.ocr.scaling import Pixels
from qwenport.engines.ocr.squared import with_units


class ReadStrip(Struct, frozen=True):
    """A line as it was cut out and read."""

    corners: Floats
    """Clockwise, beginning where the text's top left is."""
    pixels: Pixels
    characters: tuple[Character, ...]

    @property
    def surety(self) -> float:
        """Mean of the characters' scores; 0.0 for none."""
        return sum(each.score for each in self.characters) / len(self.characters) if self.characters else 0.0


class BoxedLines:
    """The lines of one image by the numbers of their boxes."""

    def __init__(self, image: Pixels, boxes: Floats, reader: LineReader) -> None:
        self.image = image
        self.boxes = boxes
        """Number of boxes by four corners by x and y."""
        self._reader = reader
        self._read: dict[int, ReadStrip] = {}

    def read(self, index: int) -> ReadStrip:
        """Return what stands in one box; text that runs downwards is turned to the left."""
        if index not in self._read:
            self._read[index] = self.read_at(self.boxes[index])
        return self._read[index]

    def read_at(self, corners: Floats) -> ReadStrip:
        """Return what stands between four corners, which need be no box of the detector."""
        strip = cut_out(self.image, corners)
        return ReadStrip(corners, strip, with_units(self._reader.read(strip), strip, self._reader.read))

    def read_turned(self, index: int) -> ReadStrip:
        """Return what stands in one box when it is turned by half."""
        strip = self.read(index)
        turned = np.ascontiguousarray(np.rot90(strip.pixels, 2))
        return ReadStrip(np.roll(strip.corners, 2, axis=0), turned, self._reader.read(turned))

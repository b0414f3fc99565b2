"""Where a strip with one line of text is blank: the gaps between its letters and words."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct

from qwenport.engines.ocr.scaling import Pixels

_RULE = 0.8
"""A row of pixels with so much ink is a rule under or over the text."""
_SPECK = 0.04
"""A column with no more ink than this part of the strip's height is blank: noise."""


class Gap(Struct, frozen=True, gc=False):
    """Neighbouring columns of pixels without ink."""

    start: int
    end: int
    """The first column that is not blank any more."""

    @property
    def width(self) -> int:
        """Pixels."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Where it is."""
        return (self.start + self.end) / 2


def ink_of(strip: Pixels) -> Pixels:
    """Return 1 for the pixels of a strip that are ink, and 0 for its ground, which is the larger part."""
    grey = cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY)
    _, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(mask if mask.mean() < 0.5 else 1 - mask, dtype=np.uint8)


def gaps_of(strip: Pixels) -> tuple[Gap, ...]:
    """Return the blank runs of a strip from left to right, those at its ends included."""
    ink = ink_of(strip)
    ink[ink.mean(axis=1) > _RULE] = 0
    blank = ink.sum(axis=0) <= _SPECK * strip.shape[0]
    edges = np.flatnonzero(np.diff(np.concatenate(((0,), blank.astype(np.int8), (0,)))))
    return tuple(Gap(int(start), int(end)) for start, end in edges.reshape(-1, 2))


def between(gaps: Sequence[Gap], left: float, right: float) -> Gap | None:
    """Return the widest gap whose middle lies between two places; None where ink goes through."""
    return max((gap for gap in gaps if left < gap.middle < right), key=lambda gap: gap.width, default=None)

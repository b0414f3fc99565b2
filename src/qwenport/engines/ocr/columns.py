"""Single characters that stand far below one another, such as the first ones of a form's keys.

The detector takes them for one line that runs downwards, or for several that overlap within a character; each is a
line of its own.
"""

from __future__ import annotations

import numpy as np

from qwenport.engines.ocr.backend import Floats
from qwenport.engines.ocr.ink import gaps_of
from qwenport.engines.ocr.scaling import Pixels

_APART = 0.4
"""Part of the column's width by which its characters stand apart; those of a line that runs downwards stand closer."""
_LONGEST_PIECE = 1.4
"""Times the column's width; a longer piece is a word that runs downwards."""
_MARGIN = 0.12
"""Part of the width that is kept above and below a character, as the detector keeps around lines."""
_SHARED = 0.7
"""Part of the narrower one's width that two boxes of one column share."""
_WIDER = 1.8
"""Times as wide as the other, one of them is at most."""


def column_of(index: int, boxes: Floats) -> tuple[Floats, frozenset[int]]:
    """Return a box together with those that overlap it above and below in its own width, and which boxes these are."""
    whole, members = boxes[index], frozenset({index})
    while True:
        added = {other for other, each in enumerate(boxes) if other not in members and _continues(whole, each)}
        if not added:
            return whole, members
        members |= added
        points = np.concatenate([boxes[member] for member in sorted(members)])
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        whole = np.array(((left, top), (right, top), (right, bottom), (left, bottom)), dtype=np.float32)


def stacked(corners: Floats, strip: Pixels) -> tuple[Floats, ...]:
    """Return the boxes of the characters of a column; () where it is none.

    `strip` is what was cut out of the column, turned to the left.
    """
    across, along = strip.shape[:2]
    ends = [gap for gap in gaps_of(strip) if gap.start == 0 or gap.end == along]
    cuts = [gap for gap in gaps_of(strip) if gap not in ends and gap.width >= _APART * across]
    starts = [ends[0].end if ends and ends[0].start == 0 else 0, *(gap.end for gap in cuts)]
    stops = [*(gap.start for gap in cuts), ends[-1].start if ends and ends[-1].end == along else along]
    pieces = list(zip(starts, stops, strict=True))
    if not cuts or max(stop - start for start, stop in pieces) > _LONGEST_PIECE * across:
        return ()
    margin = _MARGIN * across
    return tuple(_part(corners, (start - margin) / along, (stop + margin) / along) for start, stop in pieces)


def _part(corners: Floats, start: float, end: float) -> Floats:
    """Return a part of a box, from so far below its top to so far."""
    top_left, top_right, bottom_right, bottom_left = corners
    left, right = bottom_left - top_left, bottom_right - top_right
    return np.stack(
        (top_left + start * left, top_right + start * right, top_right + end * right, top_left + end * left)
    )


def _continues(column: Floats, box: Floats) -> bool:
    (left, top), (right, bottom) = column.min(axis=0), column.max(axis=0)
    (box_left, box_top), (box_right, box_bottom) = box.min(axis=0), box.max(axis=0)
    if top >= box_bottom or box_top >= bottom:
        return False
    narrow, wide = sorted((right - left, box_right - box_left))
    shared = min(right, box_right) - max(left, box_left)
    return bool(wide <= _WIDER * narrow and shared >= _SHARED * narrow)

"""Boxes of one row that overlap by about a character: the detector cut a line in two, and both parts show it.

Marks above and below the letters do that, as in `Zażółć gęślą`; the character would be read twice.
"""

from __future__ import annotations

import numpy as np

from qwenport.engines.ocr.backend import Floats
from qwenport.engines.ocr.lines import runs_downwards

_LEAST_SHARED = 0.45
"""Part of the lower one's height. The detector keeps a quarter of it as white at either end of a line; of characters
that were read twice the narrowest had 0.46."""
_MOST_SHARED = 1.2
_OFF = 0.25
"""Part of the height by which the ends that overlap are off each other's middle."""
_HIGHER = 1.4
"""Times as high as the other, one of them is at most: letters reach below the line in one part alone."""


def joined(boxes: Floats) -> Floats:
    """Return the boxes (each four corners by x and y), with one around the parts of each line that was cut."""
    following = _following(boxes)
    if not following:
        return boxes
    behind = set(following.values())
    lines = []
    for first in (index for index in range(len(boxes)) if index not in behind):
        members = [first]
        while members[-1] in following:
            members.append(following[members[-1]])
        lines.append(boxes[first] if len(members) == 1 else _around(boxes[members]))
    return np.stack(lines)


def _following(boxes: Floats) -> dict[int, int]:
    """Return the box that goes on with a line, by the one that it follows."""
    level = np.array([index for index, corners in enumerate(boxes) if not runs_downwards(corners)], dtype=np.intp)
    if len(level) < 2:
        return {}
    top_left, top_right, bottom_right, bottom_left = boxes[level].transpose(1, 0, 2)
    starts, ends = (top_left + bottom_left) / 2, (top_right + bottom_right) / 2
    heights = np.maximum(np.linalg.norm(bottom_left - top_left, axis=1), 1)
    along = (ends - starts) / np.maximum(np.linalg.norm(ends - starts, axis=1, keepdims=True), 1)
    shared = ends[:, None] - starts[None]
    height = np.minimum(heights[:, None], heights[None])
    lengths = np.einsum("ijk,ik->ij", shared, along) / height
    offs = np.abs(np.einsum("ijk,ik->ij", shared, along[:, ::-1] * (-1, 1))) / height
    ratios = heights[:, None] / heights[None]
    follows = (lengths >= _LEAST_SHARED) & (lengths <= _MOST_SHARED) & (offs <= _OFF)
    follows &= (ratios <= _HIGHER) & (ratios >= 1 / _HIGHER)
    # Strictly to the right at both ends: no box lies within another, and none comes back to the first.
    follows &= (starts[:, None, 0] < starts[None, :, 0]) & (ends[:, None, 0] < ends[None, :, 0])
    pairs: dict[int, int] = {}
    for left, right in np.argwhere(follows):
        if level[right] not in pairs.values():
            pairs.setdefault(int(level[left]), int(level[right]))
    return pairs


def _around(boxes: Floats) -> Floats:
    """Return the box around some, level with the first and the last."""
    along = boxes[-1, 1] - boxes[0, 0]
    along = along / np.linalg.norm(along)
    down = np.array((-along[1], along[0]), dtype=np.float32)
    far, deep = boxes @ along, boxes @ down
    corners = ((far.min(), deep.min()), (far.max(), deep.min()), (far.max(), deep.max()), (far.min(), deep.max()))
    return np.array([x * along + y * down for x, y in corners], dtype=np.float32)

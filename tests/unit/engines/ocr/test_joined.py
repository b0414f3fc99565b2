"""Lines that the detector cut in two, with a character in both parts."""

from __future__ import annotations

import numpy as np
import pytest

from qwenport.engines.ocr.backend import Floats
from qwenport.engines.ocr.joined import joined


def box(left: float, top: float, right: float, bottom: float, *, turned: float = 0.0) -> Floats:
    """Return a box, turned around the origin by an angle in degrees."""
    corners = np.array(((left, top), (right, top), (right, bottom), (left, bottom)))
    sine, cosine = np.sin(np.radians(turned)), np.cos(np.radians(turned))
    return (corners @ np.array(((cosine, sine), (-sine, cosine)))).astype(np.float32)


def test_parts_of_a_line_that_share_a_character_are_one() -> None:
    parts = np.stack((box(270, 26, 380, 74), box(20, 24, 150, 74), box(20, 100, 200, 140), box(121, 24, 298, 80)))

    assert joined(parts) == pytest.approx(np.stack((box(20, 24, 380, 80), box(20, 100, 200, 140))), abs=2)


def test_a_line_that_leans_is_one_as_well() -> None:
    parts = np.stack([box(left, 0, right, 40, turned=8) for left, right in ((0, 400), (380, 700))])

    assert joined(parts) == pytest.approx(np.stack([box(0, 0, 700, 40, turned=8)]), abs=0.1)


@pytest.mark.parametrize(
    "other",
    [
        box(184, 20, 400, 60),
        box(40, 20, 180, 60),
        box(180, 35, 400, 75),
        box(180, 10, 400, 70),
        box(180, 20, 200, 60),
        box(120, 20, 400, 60),
    ],
    ids=["white alone", "within", "of the next row", "higher", "downwards", "one over the other"],
)
def test_what_is_no_part_of_the_same_line_stays_apart(other: Floats) -> None:
    boxes = np.stack((box(0, 20, 200, 60), other))

    assert joined(boxes) is boxes


def test_no_boxes_are_none() -> None:
    assert joined(np.zeros((0, 4, 2), dtype=np.float32)).shape == (0, 4, 2)

"""A small builder of pages: rows of text with their boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from qwenport.documents.page import Line, Page, Quad

Row = tuple[str, float, float, float, float]
"""Text, x, y, width and height."""
PageOf = Callable[..., Page]


@pytest.fixture
def page_of() -> PageOf:
    """Make a page of rows, leaning by `angle` degrees."""

    def build(rows: Sequence[Row], *, angle: float = 0.0) -> Page:
        lines = tuple(Line(text=text, quad=_quad(x, y, w, h, angle), score=0.99) for text, x, y, w, h in rows)
        return Page(width=1200, height=900, lines=lines, angle=angle)

    return build


def _quad(x: float, y: float, w: float, h: float, angle: float) -> Quad:
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    flat = [
        value
        for left, top in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
        for value in (left * cosine - top * sine, left * sine + top * cosine)
    ]
    return (flat[0], flat[1], flat[2], flat[3], flat[4], flat[5], flat[6], flat[7])

"""Rules of rendered pages."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from qwenport.documents.tables import Rules, Segment
from qwenport.engines.ocr.ruled_lines import ruled_lines

SIZE = (1000, 700)
ROWS, COLUMNS = (100, 180, 260, 340), (100, 400, 900)


def _drawn(*, grey: int = 0, width: int = 1) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(22)
    for y in ROWS:
        pen.line((COLUMNS[0], y, COLUMNS[-1], y), fill=(grey,) * 3, width=width)
    for x in COLUMNS:
        pen.line((x, ROWS[0], x, ROWS[-1]), fill=(grey,) * 3, width=width)
    for y in ROWS[:-1]:
        pen.text((115, y + 25), "Hill Mill 1,234.50", fill="black", font=font)
    pen.text((100, 500), "A line of text that stands below the table and is no rule", fill="black", font=font)
    return image


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image, dtype=np.uint8)


def _long(segments: tuple[Segment, ...], least: float) -> list[Segment]:
    return [segment for segment in segments if segment.length > least]


def _turned(x: float, y: float, degrees: float) -> tuple[float, float]:
    """Where a point of the page is after it was turned clockwise about its centre."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    right, down = x - SIZE[0] / 2, y - SIZE[1] / 2
    return SIZE[0] / 2 + right * cosine - down * sine, SIZE[1] / 2 + right * sine + down * cosine


def _off(segment: Segment, ends: tuple[tuple[float, float], tuple[float, float]]) -> float:
    (x0, y0), (x1, y1) = ends
    return max(abs(segment.x0 - x0), abs(segment.y0 - y0), abs(segment.x1 - x1), abs(segment.y1 - y1))


@pytest.mark.parametrize("degrees", [0.0, 1.0, -2.5, 4.0])
@pytest.mark.parametrize(("grey", "width"), [(0, 2), (180, 1)])
def test_rules_are_found_where_they_are_drawn_and_nothing_else(degrees: float, grey: int, width: int) -> None:
    image = _drawn(grey=grey, width=width).rotate(-degrees, Image.Resampling.BICUBIC, fillcolor="white")

    rules = ruled_lines(_pixels(image))

    level = sorted(_long(rules.horizontal, 60), key=lambda one: one.y0)
    upright = sorted(_long(rules.vertical, 60), key=lambda one: one.x0)
    wanted = [(_turned(COLUMNS[0], y, degrees), _turned(COLUMNS[-1], y, degrees)) for y in ROWS]
    standing = [(_turned(x, ROWS[0], degrees), _turned(x, ROWS[-1], degrees)) for x in COLUMNS]
    assert [_off(one, ends) < 5 for one, ends in zip(level, wanted, strict=True)] == [True] * 4
    assert [_off(one, ends) < 5 for one, ends in zip(upright, standing, strict=True)] == [True] * 3


def test_a_broken_rule_is_one() -> None:
    image = Image.new("L", SIZE, 255)
    pen = ImageDraw.Draw(image)
    for x in range(100, 900, 60):
        pen.line((x, 300, x + 54, 300), fill=0, width=2)

    rules = ruled_lines(_pixels(image))

    assert [_off(one, ((100, 300.5), (934, 300.5))) < 4 for one in rules.horizontal] == [True]


def test_both_lines_of_a_double_rule_are_told() -> None:
    image = Image.new("L", SIZE, 255)
    pen = ImageDraw.Draw(image)
    for y in (300, 310):
        pen.line((100, y, 900, y), fill=0, width=2)

    assert [round(one.y0, -1) for one in sorted(ruled_lines(_pixels(image)).horizontal, key=lambda s: s.y0)] == [
        300,
        310,
    ]


def test_bars_pictures_and_blank_or_tiny_images_have_no_rules() -> None:
    bar = Image.new("L", SIZE, 255)
    ImageDraw.Draw(bar).rectangle((100, 300, 900, 340), fill=0)

    assert _long(ruled_lines(_pixels(Image.new("L", SIZE, 255))).horizontal, 0) == []
    assert ruled_lines(_pixels(Image.new("L", SIZE, 0))) == Rules()
    assert ruled_lines(_pixels(Image.new("RGB", (8, 8)))) == Rules()


def test_a_large_image_is_told_in_its_own_pixels() -> None:
    image = _drawn(width=2).resize((4000, 2800), Image.Resampling.BICUBIC)

    level = sorted(_long(ruled_lines(_pixels(image)).horizontal, 1000), key=lambda one: one.y0)

    assert [(round(s.x0 / 40), round(s.y0 / 40), round(s.x1 / 40)) for s in level] == [(10, y // 10, 90) for y in ROWS]

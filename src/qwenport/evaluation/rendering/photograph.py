"""A page as a telephone would have taken it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from qwenport.documents.page import Quad

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture of a page, and where its items have gone."""

    image: Image.Image
    quads: tuple[Quad, ...]
    angle: float
    """Degrees by which the top edge leans, clockwise."""


def photograph(page: Image.Image, quads: tuple[Quad, ...], chance: Random) -> Photograph:
    """Skews a page by 1 to 4 degrees on a table, then blurs, shades and grains it."""
    lean = math.radians(chance.uniform(1, 4) * chance.choice((-1, 1)))
    size = _turned_size(page.size, lean)
    corners = _skewed_corners(page.size, size, lean, chance)
    edges = ((0, 0), (page.width, 0), (page.width, page.height), (0, page.height))
    forward, backward = _homography(edges, corners), _homography(corners, edges)
    coefficients = tuple(float(value) for value in backward.flatten()[:8])
    paper = page.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
    cover = Image.new("L", page.size, 255).transform(size, Image.Transform.PERSPECTIVE, coefficients)
    table = Image.new("RGB", size, chance.choice(((92, 74, 58), (70, 78, 84), (128, 122, 112), (52, 50, 54))))
    table.paste(paper, (0, 0), cover)
    blurred = table.filter(ImageFilter.GaussianBlur(chance.uniform(0.4, 0.9)))
    top = math.atan2(corners[1][1] - corners[0][1], corners[1][0] - corners[0][0])
    moved = tuple(_moved(quad, forward) for quad in quads)
    return Photograph(_grained(blurred, chance), moved, math.degrees(top))


def _turned_size(page: tuple[int, int], lean: float) -> tuple[int, int]:
    """A picture that holds the turned page with a little of the table around it."""
    width, height = page
    sine, cosine = abs(math.sin(lean)), math.cos(lean)
    margin = 0.06 * min(page)
    return round(width * cosine + height * sine + margin), round(height * cosine + width * sine + margin)


def _skewed_corners(
    page: tuple[int, int], size: tuple[int, int], lean: float, chance: Random
) -> tuple[tuple[float, float], ...]:
    pull = 0.012 * min(page)
    corners = []
    for across, down in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        x, y = across * page[0], down * page[1]
        corners.append(
            (
                size[0] / 2 + x * math.cos(lean) - y * math.sin(lean) + chance.uniform(-pull, pull),
                size[1] / 2 + x * math.sin(lean) + y * math.cos(lean) + chance.uniform(-pull, pull),
            )
        )
    return tuple(corners)


def _homography(start: tuple[tuple[float, float], ...], end: tuple[tuple[float, float], ...]) -> Matrix:
    """The 3 by 3 matrix that takes four points to four points."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(start, end, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solution = np.linalg.solve(np.array(rows, dtype=np.float64), np.array(end, dtype=np.float64).flatten())
    return np.append(solution, 1.0).reshape(3, 3)


def _moved(quad: Quad, matrix: Matrix) -> Quad:
    points = np.array([[quad[i], quad[i + 1], 1.0] for i in range(0, 8, 2)]) @ matrix.T
    flat = (points[:, :2] / points[:, 2:]).flatten()
    x0, y0, x1, y1, x2, y2, x3, y3 = (float(value) for value in flat)
    return (x0, y0, x1, y1, x2, y2, x3, y3)


def _grained(image: Image.Image, chance: Random) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    toward = chance.uniform(0, 2 * math.pi)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :] * math.cos(toward)
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * math.sin(toward)
    shade = 0.9 + chance.uniform(0.08, 0.2) * (across + down)
    noise = np.random.default_rng(chance.getrandbits(32)).normal(0, chance.uniform(2.5, 5), (height, width, 1))
    return Image.fromarray(np.clip(pixels * shade[:, :, None] + noise, 0, 255).astype(np.uint8))

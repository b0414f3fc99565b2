"""The drawn lines of a page: rules of tables and boxes of forms, found by OpenCV's morphology."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from qwenport.documents.tables import Rules, Segment

Image = NDArray[np.uint8]

_MOST_PIXELS = 4_000_000  # of the image that is looked at: finer ones are scaled down, rules stay visible
_STEEPEST = 12.0  # degrees; a page that leans more is not turned
_PAPER = 31  # pixels around each one that tell how bright the paper is there
_CONTRAST = 12  # grey levels by which ink is darker than its paper, however thin and pale
_THICKEST = 9  # pixels; what is thicker is a bar or a picture, not a rule
_MOST_RULES = 600  # of each direction, the longest: a page full of hatching must not take minutes


def ruled_lines(image: NDArray[np.uint8]) -> Rules:
    """Level and upright rules in pixels of the image, (height, width) or (height, width, 3), in any order of colours.

    The page is turned straight by the lines' own angle first; rules are told from strokes of letters by their length,
    by being thin all along, and by the paper on both sides. Broken ones are joined.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    height, width = grey.shape
    if min(height, width) < 16:
        return Rules()
    scale = min(1.0, math.sqrt(_MOST_PIXELS / (height * width)))
    if scale < 1.0:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = _ink(np.asarray(grey, dtype=np.uint8))
    turn = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), _angle(ink), 1.0)
    straight = np.asarray(cv2.warpAffine(ink, turn, (ink.shape[1], ink.shape[0])), dtype=np.uint8)
    back = np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64)
    level = _level(straight, max(24, width // 50))
    upright = [(y0, x0, y1, x1) for x0, y0, x1, y1 in _level(np.ascontiguousarray(straight.T), 18)]
    return Rules(
        horizontal=tuple(_segment(ends, back, scale) for ends in level),
        vertical=tuple(_segment(ends, back, scale) for ends in upright),
    )


def _ink(grey: Image) -> Image:
    """255 where a pixel is darker than the paper around it."""
    found = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, blockSize=_PAPER, C=_CONTRAST
    )
    return np.asarray(found, dtype=np.uint8)


def _angle(ink: Image) -> float:
    """By how many degrees long lines of the page lean, clockwise; 0 where it has none."""
    half = cv2.resize(ink, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    least = max(30, half.shape[1] // 8)
    dark = np.asarray(half > 60, dtype=np.uint8)
    # The transform takes as long as there are points: letters, which hold no long run even when thickened, go first.
    runs = cv2.morphologyEx(cv2.dilate(dark, np.ones((3, 1), np.uint8)), cv2.MORPH_OPEN, np.ones((1, 13), np.uint8))
    found = cv2.HoughLinesP(
        cv2.bitwise_and(dark, runs), 1, math.pi / 1440, threshold=least // 2, minLineLength=least, maxLineGap=4
    )
    if found is None:
        return 0.0
    ends = found.reshape(-1, 4).astype(np.float64)
    right, down = ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]
    angles = np.degrees(np.arctan2(down, right))
    level = np.abs(angles) < _STEEPEST
    if not level.any():
        return 0.0
    lengths = np.hypot(right, down)[level]
    order = np.argsort(angles[level])
    middle = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    return float(angles[level][order][min(int(middle), len(order) - 1)])


def _level(ink: Image, least: int) -> list[tuple[float, float, float, float]]:
    """Ends of the nearly level rules of at least this length, from left to right."""
    # A rule that leans a little steps from row to row: it is made thicker, so that its runs stay long.
    thick = cv2.dilate(ink, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    whole = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, np.ones((1, max(7, least // 2)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=8)
    long = [i for i in range(1, count) if stats[i, cv2.CC_STAT_WIDTH] >= least]
    long.sort(key=lambda i: -int(stats[i, cv2.CC_STAT_WIDTH]))
    found = []
    for label in long[:_MOST_RULES]:
        left, top, width, height = (int(stats[label, i]) for i in range(4))
        part = labels[top : top + height, left : left + width] == label
        ends = _ends(part, ink[top : top + height, left : left + width] > 0)
        if ends is not None and _is_alone(ink, left, top, width, ends):
            found.append((left + 0.0, top + ends[0], left + width - 1.0, top + ends[1]))
    return found


def _ends(part: NDArray[np.bool_], ink: NDArray[np.bool_]) -> tuple[float, float] | None:
    """How high the rule stands at its left and right end; `None` where the part is no thin line."""
    ink = part & ink
    columns = np.flatnonzero(ink.any(axis=0))
    if len(columns) < 0.5 * part.shape[1]:
        return None
    weights = ink[:, columns].sum(axis=0)
    if np.median(weights) > _THICKEST:
        return None
    heights = (ink[:, columns] * np.arange(ink.shape[0])[:, None]).sum(axis=0) / weights
    slope, start = _fitted(columns.astype(np.float64), heights)
    off = np.abs(heights - (start + slope * columns))
    if abs(slope) > 0.12 or np.mean(off > 3) > 0.3:
        return None
    return start, start + slope * (part.shape[1] - 1)


def _fitted(places: NDArray[np.float64], heights: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and start of a straight line through points, twice: the second time without those far off."""
    slope, start = 0.0, float(np.median(heights))
    for bound in (6.0, 2.0):
        near = np.abs(heights - (start + slope * places)) <= bound
        if near.sum() < 8 or np.ptp(places[near]) < 8:
            break
        slope, start = (float(value) for value in np.polyfit(places[near], heights[near], 1))
    return slope, start


def _is_alone(ink: Image, left: int, top: int, width: int, ends: tuple[float, float]) -> bool:
    """Whether paper lies on both sides of a rule: a stroke of a letter has others above or below it."""
    places = np.arange(left, left + width)
    heights = np.linspace(top + ends[0], top + ends[1], width)
    shares = []
    for away in (-5, -4, 4, 5):
        rows = np.clip(np.round(heights + away).astype(int), 0, ink.shape[0] - 1)
        shares.append(float(np.mean(ink[rows, places] > 0)))
    above, below = max(shares[:2]), max(shares[2:])
    return above < 0.5 and below < 0.5 and min(above, below) < 0.25


def _segment(ends: tuple[float, float, float, float], back: NDArray[np.float64], scale: float) -> Segment:
    corners = np.array([[ends[0], ends[1], 1.0], [ends[2], ends[3], 1.0]]) @ np.asarray(back).T / scale
    (x0, y0), (x1, y1) = corners.round(1).tolist()
    return Segment(x0=x0, y0=y0, x1=x1, y1=y1)

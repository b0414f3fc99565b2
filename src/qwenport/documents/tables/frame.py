"""A frame in which a page stands straight.

A page that was photographed is turned and seen at a slant: its lines lean, and lean differently at the top than at the
bottom; so do its columns. Both are taken as linear in the place, which is enough for a few degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from qwenport.documents.page import Line, Page, Quad
from qwenport.documents.tables.rules import Box, Rules, Segment

_STEEPEST = 0.27  # about 15 degrees; what leans more is no text line
_FEW = 6
_EDGE = 0.25  # of the text's height: how near edges must stand to be at one place
_STEP, _STEPS = 0.003, 12
_MUCH_BETTER = 1.05
_Leaning = tuple[float, float, float]  # place across, slope, weight


class Frame(Struct, frozen=True, kw_only=True, gc=False):
    """How places on the page become places in the straightened frame."""

    x: float
    """Centre of the page, which stays where it is."""
    y: float
    lean: float = 0.0
    """Slope (dy/dx) of its text lines at the centre."""
    lean_change: float = 0.0
    """By how much the slope grows for each pixel downwards."""
    shear: float = 0.0
    """Slope (dx/dy) of its columns at the centre."""
    shear_change: float = 0.0
    """By how much it grows for each pixel to the right."""

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the page stands in the frame."""
        right, down = x - self.x, y - self.y
        return (
            x - (self.shear + self.shear_change * right) * down,
            y - (self.lean + self.lean_change * down) * right,
        )

    def pixel(self, u: float, v: float) -> tuple[float, float]:
        """Where a place in the frame stands on the page."""
        x, y = u, v
        for _ in range(4):
            moved_x, moved_y = self.place(x, y)
            x, y = x + u - moved_x, y + v - moved_y
        return x, y

    def box(self, quad: Quad) -> Box:
        """The upright box of four corners, in the frame."""
        corners = [self.place(quad[i], quad[i + 1]) for i in range(0, 8, 2)]
        us, vs = sorted(u for u, _ in corners), sorted(v for _, v in corners)
        return (us[0] + us[1]) / 2, (vs[0] + vs[1]) / 2, (us[2] + us[3]) / 2, (vs[2] + vs[3]) / 2

    def page_box(self, box: Box) -> Box:
        """The upright box in pixels of the page around a box of the frame."""
        left, top, right, bottom = box
        corners = [self.pixel(u, v) for u in (left, right) for v in (top, bottom)]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return round(min(xs), 1), round(min(ys), 1), round(max(xs), 1), round(max(ys), 1)


def frame_of(page: Page, rules: Rules) -> Frame:
    """The frame in which the page's lines and rules stand straightest."""
    x, y = page.width / 2, page.height / 2
    leaning = [_of_line(line) for line in page.lines if _is_long(line, page)]
    leaning += [_across(rule) for rule in rules.horizontal if rule.length > page.width / 12]
    lean, lean_change = _fitted(leaning, y, math.tan(math.radians(page.angle)))
    least = max(page.height / 20, 4 * median(line.height for line in page.lines)) if page.lines else 0.0
    standing = [_along(rule) for rule in rules.vertical if rule.length > least]
    shear, shear_change = _fitted(standing, x, -lean)
    frame = Frame(x=x, y=y, lean=lean, lean_change=lean_change, shear=shear, shear_change=shear_change)
    return frame if standing else with_aligned_edges(frame, page.lines)


def with_aligned_edges(frame: Frame, lines: Sequence[Line]) -> Frame:
    """The frame with its columns as upright as makes most lines begin and end below one another."""
    if len(lines) < _FEW:
        return frame
    size = _EDGE * median(line.height for line in lines)
    best, found = _MUCH_BETTER * _aligned(frame, lines, size), frame
    for step in range(-_STEPS, _STEPS + 1):
        tried = replace(frame, shear=frame.shear + step * _STEP)
        score = _aligned(tried, lines, size) - abs(step)
        if score > best:
            best, found = score, tried
    return found


def _aligned(frame: Frame, lines: Sequence[Line], size: float) -> float:
    """How many lines begin or end at the same place, in pairs."""
    places: dict[tuple[str, int], int] = {}
    for line in lines:
        left, _, right, _ = frame.box(line.quad)
        for side, place in (("left", left), ("right", right)):
            for half in (0.0, 0.5):
                key = (f"{side}{half}", math.floor(place / size + half))
                places[key] = places.get(key, 0) + 1
    return sum(count * count for count in places.values())


def _is_long(line: Line, page: Page) -> bool:
    width = line.right - line.left
    return width > 4 * line.height and width > page.width / 16


def _of_line(line: Line) -> _Leaning:
    x0, y0, x1, y1, x2, y2, x3, y3 = line.quad
    width = (x1 + x2 - x0 - x3) / 2 or 1.0
    slope = (y1 + y2 - y0 - y3) / 2 / width
    # Corners of recognised text are right to a pixel or two only, those of a rule to a fraction.
    return (y0 + y1 + y2 + y3) / 4, slope, width * width / 16


def _across(rule: Segment) -> _Leaning:
    width = rule.x1 - rule.x0 or 1.0
    return (rule.y0 + rule.y1) / 2, (rule.y1 - rule.y0) / width, width * width


def _along(rule: Segment) -> _Leaning:
    height = rule.y1 - rule.y0 or 1.0
    return (rule.x0 + rule.x1) / 2, (rule.x1 - rule.x0) / height, height * height


def _fitted(leaning: Sequence[_Leaning], centre: float, otherwise: float) -> tuple[float, float]:
    """The slope at the centre and its change, by least squares without the outliers."""
    usable = [one for one in leaning if abs(one[1]) < _STEEPEST]
    if not usable:
        return otherwise, 0.0
    middle = _weighted_median(usable)
    usual = median(abs(slope - middle) for _, slope, _ in usable)
    near = [one for one in usable if abs(one[1] - middle) <= max(4 * usual, 0.01)]
    return _least_squares(near, centre) if len(near) >= _FEW else (middle, 0.0)


def _weighted_median(leaning: Sequence[_Leaning]) -> float:
    ordered = sorted((slope, weight) for _, slope, weight in leaning)
    half, so_far = sum(weight for _, weight in ordered) / 2, 0.0
    for slope, weight in ordered:
        so_far += weight
        if so_far >= half:
            return slope
    return ordered[-1][0]


def _least_squares(leaning: Sequence[_Leaning], centre: float) -> tuple[float, float]:
    total = sum(weight for _, _, weight in leaning)
    mean_place = sum((place - centre) * weight for place, _, weight in leaning) / total
    mean_slope = sum(slope * weight for _, slope, weight in leaning) / total
    spread = sum(weight * (place - centre - mean_place) ** 2 for place, _, weight in leaning)
    if spread < total:  # all at one height
        return mean_slope, 0.0
    together = sum(w * (place - centre - mean_place) * (slope - mean_slope) for place, slope, w in leaning)
    change = together / spread
    return mean_slope - change * mean_place, change

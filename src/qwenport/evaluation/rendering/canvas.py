"""A sheet that is printed on, and that remembers what was printed where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

from qwenport.documents.page import Line, Quad
from qwenport.evaluation.rendering import fonts
from qwenport.evaluation.rendering.sample import Cell, TableTruth
from qwenport.evaluation.rendering.wrapping import wrap

Ink = tuple[int, int, int]
Place = tuple[float, float]

BLACK: Final[Ink] = (28, 28, 30)
GREY: Final[Ink] = (110, 110, 115)
RED: Final[Ink] = (190, 32, 38)
BLUE: Final[Ink] = (24, 52, 128)
WHITE: Final[Ink] = (255, 255, 255)


class GlyphMissing(Exception):
    """A layout prints a character that its typeface has not."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How something is printed."""

    size: int = 24
    """Pixels."""
    role: str = "body"
    """Which of the layout's typefaces: `body`, `head` or `figures`."""
    bold: bool = False
    ink: Ink = BLACK
    spacing: float = 0.0
    """Pixels between characters beyond what the typeface has."""
    anchor: str = "l"
    """What x means: `l` the left end, `m` the middle, `r` the right end."""
    angle: float = 0.0
    """Degrees, clockwise, about the place."""

    def but(self, **changes: Any) -> Pen:
        """The same pen, other in these."""
        return replace(self, **changes)


PLAIN: Final = Pen()


@dataclass(kw_only=True)
class Canvas:
    """A sheet: prints values into templates (`{name}`), and notes each printed item with its corners."""

    image: Image.Image
    values: Mapping[str, str]
    typefaces: Mapping[str, fonts.Typeface]
    chance: Random
    """For what is only decoration, and for small shifts."""
    lines: list[Line] = field(default_factory=list)
    tables: list[TableTruth] = field(default_factory=list)

    @property
    def drawing(self) -> ImageDraw.ImageDraw:
        """Draws what is no text."""
        return ImageDraw.Draw(self.image)

    def put(self, at: Place, template: str, pen: Pen = PLAIN) -> Quad:
        """Prints one item whose top line is y; gives its corners."""
        text = template.format_map(self.values)
        layer, box = self._picture(text, pen)
        shift = {"l": 0.0, "m": -0.5, "r": -1.0}[pen.anchor] * self._extent(text, pen)
        origin = (at[0] + shift, at[1])
        quad = _corners(box, origin, at, pen.angle)
        if pen.angle:
            self._paste_turned(layer, origin, at, pen)
        else:
            self.image.paste(pen.ink, (round(origin[0]) - _MARGIN, round(origin[1]) - _MARGIN), layer)
        self.lines.append(Line(text=text, quad=quad, score=1.0))
        return quad

    def put_all(self, items: Iterable[tuple[float, float, str]], pen: Pen = PLAIN) -> None:
        """Prints several items, each at its x and y."""
        for x, y, template in items:
            self.put((x, y), template, pen)

    def rows(self, at: Place, step: float, templates: Iterable[str], pen: Pen = PLAIN) -> float:
        """Prints items below each other; gives the y of the next. An empty template leaves a row free."""
        y = at[1]
        for template in templates:
            if template:
                self.put((at[0], y), template, pen)
            y += step
        return y

    def pairs(self, at: Place, frame: tuple[float, float], items: Iterable[tuple[str, str]], pen: Pen = PLAIN) -> float:
        """Prints keys and, at a distance, their values, in rows; `frame` is the distance and the step."""
        y = at[1]
        for key, value in items:
            self.put((at[0], y), key, pen)
            self.put((at[0] + frame[0], y), value, pen)
            y += frame[1]
        return y

    def sum_row(self, y: float, edges: tuple[float, float], pair: tuple[str, str], pen: Pen = PLAIN) -> float:
        """Prints a key at the left edge and its value up to the right one; gives the y of the next."""
        self.put((edges[0], y), pair[0], pen)
        self.put((edges[1], y), pair[1], pen.but(anchor="r"))
        return y + pen.size * 1.6

    def paragraph(self, at: Place, template: str, width: float, pen: Pen = PLAIN) -> float:
        """Prints text in as many lines as the width needs; gives the y below."""
        y = at[1]
        for part in wrap(template.format_map(self.values), width, lambda text: self._extent(text, pen)):
            self.put((at[0], y), part.replace("{", "{{").replace("}", "}}"), pen)
            y += pen.size * 1.35
        return y

    def extent(self, template: str, pen: Pen = PLAIN) -> float:
        """How wide an item is, in pixels."""
        return self._extent(template.format_map(self.values), pen)

    def table(self, cells: Iterable[Iterable[Cell]]) -> None:
        """Notes a table that was printed."""
        self.tables.append(TableTruth(rows=tuple(tuple(row) for row in cells)))

    def font(self, pen: Pen) -> ImageFont.FreeTypeFont:
        """The font of a pen."""
        return fonts.load(self.typefaces[pen.role], pen.size, bold=pen.bold)

    def _extent(self, text: str, pen: Pen) -> float:
        return self.font(pen).getlength(text) + pen.spacing * max(len(text) - 1, 0)

    def _stroke(self, pen: Pen) -> float:
        return max(pen.size / 40, 0.4) if pen.bold and not self.typefaces[pen.role].has_bold else 0

    def _picture(self, text: str, pen: Pen) -> tuple[Image.Image, tuple[int, int, int, int]]:
        """A mask of the text with a margin, and where its ink is in it."""
        face = self.typefaces[pen.role]
        missing = [character for character in text if not fonts.prints(face, character)]
        if missing:
            raise GlyphMissing(f"`{face.file}` has no picture of `{''.join(missing)}` in `{text}`")
        font = self.font(pen)
        size = (math.ceil(self._extent(text, pen)) + 2 * _MARGIN, math.ceil(pen.size * 1.5) + 2 * _MARGIN)
        mask = Image.new("L", size, 0)
        draw = ImageDraw.Draw(mask)
        x = float(_MARGIN)
        for piece in text if pen.spacing else (text,):
            draw.text((x, _MARGIN), piece, 255, font=font, anchor="la", stroke_width=self._stroke(pen))
            x += font.getlength(piece) + pen.spacing
        return mask, mask.point(lambda value: 255 if value > 60 else 0).getbbox() or (0, 0, *size)

    def _paste_turned(self, mask: Image.Image, origin: Place, about: Place, pen: Pen) -> None:
        layer = Image.new("L", self.image.size, 0)
        layer.paste(mask, (round(origin[0]) - _MARGIN, round(origin[1]) - _MARGIN))
        turned = layer.rotate(-pen.angle, Image.Resampling.BICUBIC, center=about)
        self.image.paste(pen.ink, (0, 0), turned)


_MARGIN: Final = 8


def _corners(box: tuple[int, int, int, int], origin: Place, about: Place, angle: float) -> Quad:
    left, top = round(origin[0]) - _MARGIN + box[0], round(origin[1]) - _MARGIN + box[1]
    right, bottom = left + box[2] - box[0], top + box[3] - box[1]
    if not angle:
        return (left, top, right, top, right, bottom, left, bottom)
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    turned: list[float] = []
    for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)):
        across, down = x - about[0], y - about[1]
        turned += (about[0] + across * cosine - down * sine, about[1] + across * sine + down * cosine)
    return (turned[0], turned[1], turned[2], turned[3], turned[4], turned[5], turned[6], turned[7])

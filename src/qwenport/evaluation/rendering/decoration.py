"""What is on a page beside its text: frames, rules, codes, portraits, faint patterns."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw

from qwenport.evaluation.rendering.canvas import BLACK, GREY, Canvas, Ink, Place

Box = tuple[float, float, float, float]


def frame(canvas: Canvas, box: Box, ink: Ink = BLACK, width: int = 2, *, round_by: float = 0.0) -> None:
    """The outline of a box (left, top, right, bottom)."""
    canvas.drawing.rounded_rectangle(box, radius=round_by, outline=ink, width=width)


def fill(canvas: Canvas, box: Box, ink: Ink, *, round_by: float = 0.0) -> None:
    """A coloured box, below what is printed afterwards."""
    canvas.drawing.rounded_rectangle(box, radius=round_by, fill=ink)


def rule(canvas: Canvas, start: Place, end: Place, ink: Ink = BLACK, width: int = 2) -> None:
    """A straight line."""
    canvas.drawing.line((*start, *end), fill=ink, width=width)


def dashes(canvas: Canvas, start: Place, right: float, ink: Ink = GREY) -> None:
    """A dashed line to the right."""
    for x in range(round(start[0]), round(right) - 8, 16):
        canvas.drawing.line((x, start[1], x + 8, start[1]), fill=ink, width=2)


def arrow(canvas: Canvas, start: Place, right: float, ink: Ink = BLACK) -> None:
    """An arrow to the right."""
    canvas.drawing.line((*start, right, start[1]), fill=ink, width=2)
    canvas.drawing.polygon(
        ((right, start[1]), (right - 12, start[1] - 6), (right - 12, start[1] + 6)),
        fill=ink,
    )


def square_code(canvas: Canvas, at: Place, size: int) -> None:
    """What looks like a QR code and says nothing."""
    count = 25
    modules = Image.new("L", (count, count), 255)
    draw = ImageDraw.Draw(modules)
    draw.point([(i % count, i // count) for i in range(count * count) if canvas.chance.random() < 0.48], 0)
    for x, y in ((0, 0), (count - 7, 0), (0, count - 7)):
        draw.rectangle((x - 1, y - 1, x + 7, y + 7), fill=255)
        draw.rectangle((x, y, x + 6, y + 6), outline=0)
        draw.rectangle((x + 2, y + 2, x + 4, y + 4), fill=0)
    canvas.image.paste(modules.resize((size, size), Image.Resampling.NEAREST), (round(at[0]), round(at[1])))


def bar_code(canvas: Canvas, at: Place, width: int, height: int) -> None:
    """What looks like a bar code and says nothing."""
    x = at[0]
    while x < at[0] + width:
        bar = canvas.chance.choice((2, 2, 4, 6))
        canvas.drawing.rectangle((x, at[1], x + bar - 1, at[1] + height), fill=BLACK)
        x += bar + canvas.chance.choice((2, 4, 4, 6))


def portrait(canvas: Canvas, box: Box) -> None:
    """The place of a photograph, with the outline of a head and shoulders."""
    left, top, right, bottom = box
    across, down = right - left, bottom - top
    canvas.drawing.rectangle(box, fill=(214, 222, 230))
    head = (left + across * 0.32, top + down * 0.16, left + across * 0.68, top + down * 0.56)
    canvas.drawing.ellipse(head, fill=(158, 160, 168))
    canvas.drawing.pieslice(
        (left + across * 0.1, top + down * 0.6, right - across * 0.1, bottom + down * 0.4), 180, 360, (120, 124, 136)
    )


def waves(canvas: Canvas, ink: Ink, step: int = 26, lean: float = 1.0) -> None:
    """Faint curved lines over the whole sheet, as on tickets and licences."""
    width, height = canvas.image.size
    for offset in range(-height, height * 2, step):
        points = [(x, offset + 14 * math.sin(x / 60 + offset / 90) + lean * x * 0.2) for x in range(0, width + 20, 20)]
        canvas.drawing.line(points, fill=ink, width=1)


def seal(canvas: Canvas, centre: Place, radius: float, ink: Ink = (206, 60, 60)) -> None:
    """A round seal without text: ring and star."""
    x, y = centre
    canvas.drawing.ellipse((x - radius, y - radius, x + radius, y + radius), outline=ink, width=4)
    points = [
        (
            x + math.sin(turn * math.pi / 5) * radius * (0.4 if turn % 2 == 0 else 0.16),
            y - math.cos(turn * math.pi / 5) * radius * (0.4 if turn % 2 == 0 else 0.16),
        )
        for turn in range(10)
    ]
    canvas.drawing.polygon(points, fill=ink)


def speckle(image: Image.Image, chance: Random, share: float) -> None:
    """Small dark spots, as dust leaves them on a scan."""
    draw = ImageDraw.Draw(image)
    for _ in range(round(image.width * image.height * share)):
        x, y = chance.randrange(image.width), chance.randrange(image.height)
        draw.point((x, y), fill=GREY)

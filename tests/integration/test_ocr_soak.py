"""Twenty pages in a row through one reading process of the embedded engine, with its real models."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.core.ocr import OcrTask
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.pool_order import local_pool_order
from qwenport.engines.ocr.wire import PageOrder
from qwenport.evaluation.soak import soak
from qwenport.settings.configuration_file import OcrTable

PAGES = 20

pytestmark = [pytest.mark.anyio, pytest.mark.engine]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def picture(words: str, width: int, height: int) -> bytes:
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).text((20, 20), words, "black", ImageFont.load_default(28))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


async def test_twenty_pages_in_a_row_leave_the_reading_process_as_large_as_it_was(tmp_path: Path) -> None:
    images = [
        picture("Invoice No: A-17", 320, 80),
        picture("Amount Due: 12.50\nThank you", 400, 120),
        picture("12 Sample Street\nTestville", 360, 140),
        picture("", 320, 80),
    ]
    tasks = (OcrTask.KEY_INFORMATION_EXTRACTION, None, OcrTask.DOCUMENT_PARSING, OcrTask.TABLE_PARSING)
    orders = [PageOrder(image=image, task=task) for image, task in zip(images, tasks, strict=True)]
    order = local_pool_order(OcrTable(), tmp_path)
    read: list[int] = []

    async with ReadingPool(msgspec.structs.replace(order, workers=1, recycle_pages=2 * PAGES + 1)) as pool:
        # The first pages of a process load models, and the allocator settles.
        await soak(pool, orders, PAGES, lambda: None)
        result = await soak(pool, orders, PAGES, lambda: read.append(1))

    assert result.problems == ()
    assert (result.pages, result.failed, result.replaced) == (PAGES, 0, False)
    assert len(result.samples) == len(read) == PAGES
    assert result.most_bytes >= max(result.samples) >= min(result.samples) > 0

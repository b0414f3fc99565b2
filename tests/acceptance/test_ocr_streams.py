"""Built-in tasks whose answers stream, on documents of several pages, before a live server that reads text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.core.ocr import OcrTask

if TYPE_CHECKING:
    from tests.acceptance.conftest import Recognize

pytestmark = pytest.mark.engine

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
ROWS = (("Item", "Price"), ("Tea", "12.50"), ("Rice", "30.00"))
TABLE = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in ROWS)
TASKS = (
    OcrTask.ADVANCED_RECOGNITION,
    OcrTask.TABLE_PARSING,
    OcrTask.DOCUMENT_PARSING,
    OcrTask.MULTI_LANGUAGE,
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a TIFF of two pages: a table, and a line of text."""
    path = tmp_path_factory.mktemp("pages") / "pages.tiff"
    text = Image.new("RGB", (320, 90), "white")
    ImageDraw.Draw(text).text((20, 20), "Received", font=ImageFont.truetype(FONT, 36), fill="black")
    table().save(path, save_all=True, append_images=[text])
    return path


def table() -> Image.Image:
    image = Image.new("RGB", (440, 220), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, 26)
    for row, cells in enumerate(ROWS):
        for column, cell in enumerate(cells):
            left, top = 20 + 200 * column, 20 + 60 * row
            draw.rectangle((left, top, left + 200, top + 60), outline="black", width=2)
            draw.text((left + 20, top + 14), cell, font=font, fill="black")
    return image


def part(answer: Any) -> dict[str, Any]:
    """Return the only part of what an answer, or a frame of one, says."""
    assert answer.status_code == 200, answer
    # The client that joins gives the same object again and again.
    return dict(answer.output.choices[0].message.content[0])


@pytest.mark.parametrize("task", TASKS)
def test_a_stream_of_several_pages_says_what_the_whole_answer_says(
    recognize: Recognize, pages: Path, task: OcrTask
) -> None:
    whole = recognize(task, pages)
    expected = part(whole)
    pieces = [part(frame) for frame in recognize(task, pages, stream=True, incremental_output=True)]
    *grown, last = [part(frame) for frame in recognize(task, pages, stream=True)]

    assert "Received" in expected["text"]
    assert len(pieces) > 2
    assert "".join(piece["text"] for piece in pieces) == expected["text"]
    assert last["text"] == expected["text"]
    assert [frame for frame in grown if not expected["text"].startswith(frame["text"])] == []
    results = [expected["ocr_result"]] if "ocr_result" in expected else []
    assert [piece["ocr_result"] for piece in pieces if "ocr_result" in piece] == results
    assert pieces[-1].get("ocr_result") == last.get("ocr_result") == expected.get("ocr_result")
    assert (whole.output.choices[0].finish_reason, whole.usage.image_tokens > 0) == ("stop", True)


def test_places_on_several_pages_tell_the_page_and_its_size(recognize: Recognize, pages: Path) -> None:
    result = part(recognize(OcrTask.ADVANCED_RECOGNITION, pages))["ocr_result"]

    assert result["pages"] == [{"page": 1, "width": 440, "height": 220}, {"page": 2, "width": 320, "height": 90}]
    found = [(word["page"], word["text"]) for word in result["words_info"]]
    assert sorted(found) == sorted([*((1, cell) for row in ROWS for cell in row), (2, "Received")])
    assert {tuple(sorted(word)) for word in result["words_info"]} == {("location", "page", "rotate_rect", "text")}


def test_tables_of_several_pages_follow_one_another_each_in_its_fence(recognize: Recognize, pages: Path) -> None:
    found = part(recognize(OcrTask.TABLE_PARSING, pages))

    assert found["text"] == f"```html\n<table>{TABLE}</table>\n```\n\nReceived"
    assert "ocr_result" not in found

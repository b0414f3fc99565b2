"""Places of lines in images that were turned and on drawn pages, before a live server that reads text in images.

They are pixels of the image as every viewer shows it: what the camera noted is followed, and `enable_rotate` changes
nothing of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.core.ocr import OcrTask
from qwenport.testing.made_documents import pdf

if TYPE_CHECKING:
    from tests.acceptance.conftest import Recognize

pytestmark = pytest.mark.engine

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
TEXTS = ("Invoice 2024-0553", "Total 1250.00 USD", "Paid by transfer")
WIDTH, HEIGHT = 520, 240
ORIENTATION = 0x0112
LIES = 6
"""EXIF's number of an image that was stored lying on its left side."""
Words = list[tuple[str, list[int], list[int]]]
Point = tuple[int, int]


def page() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, 36)
    for row, text in enumerate(TEXTS):
        draw.text((30, 20 + 70 * row), text, font=font, fill="black")
    return image


def stored(shown: Image.Image, image_format: str, *, is_noted: bool) -> bytes:
    """Return an image as a file; one with a note is stored lying, for whoever shows it to turn."""
    output, exif = io.BytesIO(), Image.Exif()
    if is_noted:
        exif[ORIENTATION] = LIES
        shown = shown.transpose(Image.Transpose.ROTATE_90)
    shown.save(output, image_format, exif=exif, lossless=True)
    return output.getvalue()


def words_in(answer: Any) -> Words:
    """Return text, location and rectangle of each line."""
    assert answer.status_code == 200, answer
    [part] = answer.output.choices[0].message.content
    return [(word["text"], word["location"], word["rotate_rect"]) for word in part["ocr_result"]["words_info"]]


def moved(location: list[int], where: Callable[[int, int], Point]) -> list[int]:
    """Return where the corners of a line are in another image."""
    return [each for point in zip(location[0::2], location[1::2], strict=True) for each in where(*point)]


@pytest.fixture
def upright(recognize: Recognize, tmp_path: Path) -> Words:
    """Give what is found in the page as it is."""
    path = tmp_path / "upright.png"
    path.write_bytes(stored(page(), "PNG", is_noted=False))
    words = words_in(recognize(OcrTask.ADVANCED_RECOGNITION, path))
    assert [text for text, *_ in words] == list(TEXTS)
    for row, (_, location, _) in enumerate(words):
        assert abs(location[0] - 30) < 10
        assert 20 + 70 * row - 10 < location[1] < location[5] < 20 + 70 * row + 60
    return words


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_places_in_an_image_with_a_note_are_those_that_viewers_show(
    recognize: Recognize, upright: Words, tmp_path: Path, image_format: str
) -> None:
    path = tmp_path / f"noted.{image_format.lower()}"
    path.write_bytes(stored(page(), image_format, is_noted=True))

    assert words_in(recognize(OcrTask.ADVANCED_RECOGNITION, path)) == upright


TURNED: dict[str, tuple[Image.Transpose, Callable[[int, int], Point], int]] = {
    "to the left": (Image.Transpose.ROTATE_90, lambda x, y: (y, WIDTH - x), -90),
    "upside down": (Image.Transpose.ROTATE_180, lambda x, y: (WIDTH - x, HEIGHT - y), 0),
    "to the right": (Image.Transpose.ROTATE_270, lambda x, y: (HEIGHT - y, x), 90),
}


@pytest.mark.parametrize("is_noted", [False, True], ids=["without a note", "with a note"])
@pytest.mark.parametrize("name", TURNED)
def test_places_in_an_image_that_is_turned_for_reading_are_those_of_the_image_as_it_was_sent(
    recognize: Recognize, upright: Words, tmp_path: Path, *, name: str, is_noted: bool
) -> None:
    turn, where, angle = TURNED[name]
    path = tmp_path / "turned.png"
    path.write_bytes(stored(page().transpose(turn), "PNG", is_noted=is_noted))

    found = words_in(recognize(OcrTask.ADVANCED_RECOGNITION, path, enable_rotate=True))

    # Corners go on from the top left of the text, clockwise, and rectangles keep to the text's own width and height.
    assert [text for text, *_ in found] == list(TEXTS)
    for (_, location, rectangle), (_, before, around) in zip(found, upright, strict=True):
        assert location == pytest.approx(moved(before, where), abs=2)
        assert rectangle == pytest.approx([*where(around[0], around[1]), around[2], around[3], angle], abs=2)


FIELDS = {"result_schema": {"Invoice": "", "Total": ""}, "result_places": True}
KIE = OcrTask.KEY_INFORMATION_EXTRACTION


def fields_in(answer: Any) -> list[tuple[list[str], str, list[int]]]:
    """Return path, value and the only location of each field that was found."""
    assert answer.status_code == 200, answer
    [part] = answer.output.choices[0].message.content
    result = part["ocr_result"]
    assert result.keys() == {"kv_result", "kv_places"}
    return [
        (place["path"], result["kv_result"][place["path"][0]], *place["locations"]) for place in result["kv_places"]
    ]


def test_values_of_fields_carry_their_places_in_the_image_as_it_was_sent(
    recognize: Recognize, upright: Words, tmp_path: Path
) -> None:
    turn, where, _ = TURNED["to the left"]
    asked = {"task": KIE.value, "task_config": FIELDS}
    (tmp_path / "as it is.png").write_bytes(stored(page(), "PNG", is_noted=False))
    (tmp_path / "turned.png").write_bytes(stored(page().transpose(turn), "PNG", is_noted=False))

    as_it_is = fields_in(recognize(KIE, tmp_path / "as it is.png", ocr_options=asked))
    turned = fields_in(recognize(KIE, tmp_path / "turned.png", enable_rotate=True, ocr_options=asked))

    values = [(["Invoice"], "2024-0553"), (["Total"], "1250.00 USD")]
    assert [(path, value) for path, value, _ in as_it_is] == [(path, value) for path, value, _ in turned] == values
    for (_, _, place), (_, _, moved_place), (_, line, _) in zip(as_it_is, turned, upright, strict=False):
        # The value is the right end of its line, behind the key.
        assert place[2:6] == pytest.approx(line[2:6], abs=3)
        assert line[0] + 60 < place[0] < line[2]
        assert moved_place == pytest.approx(moved(place, where), abs=3)


def test_max_pixels_leaves_places_in_pixels_of_the_image(recognize: Recognize, upright: Words, tmp_path: Path) -> None:
    # Half of the page's.
    path = tmp_path / "page.png"
    path.write_bytes(stored(page(), "PNG", is_noted=False))
    found = words_in(recognize(OcrTask.ADVANCED_RECOGNITION, path, max_pixels=WIDTH * HEIGHT // 2))

    assert [text for text, *_ in found] == list(TEXTS)
    for (_, location, _), (_, before, _) in zip(found, upright, strict=True):
        assert location == pytest.approx(before, abs=6)


def test_places_on_a_page_of_a_document_have_a_frame(recognize: Recognize, tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf("Total 553"))
    [part] = recognize(OcrTask.ADVANCED_RECOGNITION, path).output.choices[0].message.content
    result = part["ocr_result"]

    # 612 by 200 points, drawn at 200 dots an inch.
    assert result["pages"] == [{"page": 1, "width": 1700, "height": 556}]
    [word] = result["words_info"]
    # A reader leaves some white around the ink.
    left, _, _, _, _, bottom, _, _ = (number * 72 / 200 for number in word["location"])
    assert (word["text"], left, bottom) == ("Total 553", pytest.approx(20, abs=12), pytest.approx(100, abs=12))

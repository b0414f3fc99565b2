"""The models that ship, on pages that are drawn here."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from functools import cache
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.core.ocr import OcrTask
from qwenport.documents.page import Page
from qwenport.documents.reading_order import page_text
from qwenport.engines.ocr.model_files import WeightsUnreadable, checked
from qwenport.engines.ocr.page_reader import PageReader, PageUnreadable
from qwenport.engines.ocr.reader_order import ModelFile
from qwenport.engines.ocr.reading_models import reader_order
from qwenport.engines.ocr.recognition import Recognizer
from qwenport.engines.ocr.scaling import MOST_DETECTED_PIXELS, Pixels, bounded, framed
from qwenport.engines.ocr.wire import Failure, PageOrder
from qwenport.settings.configuration_file import OcrTable

pytestmark = pytest.mark.engine

LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
CHINESE = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
ENGLISH = ("Monthly Statement of Account", "Payment received, thank you", "Balance 12,345.67")


@cache
def recognizer() -> Recognizer:
    return Recognizer(reader_order(OcrTable(), Path("/nowhere")))


def drawn(*texts: str, font: str = LATIN, size: tuple[int, int] = (700, 300), top: int = 40) -> Pixels:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(texts):
        draw.text((30, top + 70 * row), text, font=ImageFont.truetype(font, 30), fill="black")
    return np.asarray(image)[:, :, ::-1].copy()


def texts_of(page: Page) -> list[str]:
    return [line.text for line in page.lines]


def test_a_page_is_read_as_printed_with_its_words_in_place() -> None:
    page = recognizer().read(drawn(*ENGLISH))

    assert texts_of(page) == list(ENGLISH)
    assert (page.width, page.height, page.angle) == (700, 300, 0.0)
    assert [[word.text for word in line.words] for line in page.lines] == [text.split(" ") for text in ENGLISH]
    assert min(line.score for line in page.lines) > 0.95
    for line in page.lines:
        lefts = [word.quad[0] for word in line.words]
        assert lefts == sorted(lefts)
        assert line.left <= lefts[0] < line.left + 15


@pytest.mark.parametrize("texts", [("电费缴费转账余额",), ("電費繳費轉賬餘額",)])
def test_chinese_is_told_in_the_script_it_is_printed_in(texts: tuple[str, ...]) -> None:
    assert texts_of(recognizer().read(drawn(*texts, font=CHINESE))) == list(texts)


@pytest.mark.parametrize(
    ("text", "font"),
    [
        ("Die Größe der Straßenschäden", LATIN),
        ("El niño pidió ¿cuánto cuesta?", LATIN),
        ("Teşekkür ederim, güneşli bir gün", LATIN),
        ("Blåbærsyltetøy på brød", LATIN),
        ("ひらがなとカタカナ", CHINESE),
    ],
    ids=["de", "es", "tr", "no", "ja"],
)
def test_other_languages_are_read_as_printed(text: str, font: str) -> None:
    assert texts_of(recognizer().read(drawn(text, font=font))) == [text]


def test_a_line_that_the_detector_cuts_in_two_is_read_once() -> None:
    image = Image.new("RGB", (600, 100), "white")
    font = ImageFont.truetype("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf", 34)
    ImageDraw.Draw(image).text((30, 30), "Zażółć gęślą jaźń", font=font, fill="black")

    assert texts_of(recognizer().read(np.asarray(image)[:, :, ::-1].copy())) == ["Zażółć gęślą jaźń"]


def test_first_characters_of_the_keys_of_a_form_are_no_line_that_runs_downwards() -> None:
    rows = (("名", "称", "上海明珠贸易有限公司"), ("类", "型", "有限责任公司"), ("住", "所", "世纪大道100号"))
    image = Image.new("RGB", (560, 220), "white")
    draw = ImageDraw.Draw(image)
    for row, cells in enumerate(rows):
        for x, cell in zip((40, 150, 230), cells, strict=True):
            draw.text((x, 30 + 62 * row), cell, font=ImageFont.truetype(CHINESE, 28), fill="black")

    assert texts_of(recognizer().read(np.asarray(image)[:, :, ::-1].copy())) == [cell for row in rows for cell in row]


@pytest.mark.parametrize(("turns", "rotates"), [(1, True), (2, True), (2, False), (3, False)])
def test_a_turned_page_is_read_and_its_places_are_those_of_the_given_image(turns: int, *, rotates: bool) -> None:
    upright = drawn(*ENGLISH)
    given = np.ascontiguousarray(np.rot90(upright, turns))

    page = recognizer().read(given, rotates=rotates)

    assert texts_of(page) == list(ENGLISH)
    assert (page.height, page.width) == given.shape[:2]
    top_left = np.array(page.lines[0].quad[:2])
    expected = {1: (40, 700 - 30), 2: (700 - 30, 300 - 40), 3: (300 - 40, 30)}[turns]
    assert np.abs(top_left - expected).max() < 14


def test_a_strip_that_is_long_and_flat_is_read() -> None:
    assert texts_of(recognizer().read(drawn("Total amount due 1,234.50", size=(1600, 44), top=4))) == [
        "Total amount due 1,234.50"
    ]


@pytest.mark.parametrize("size", [(1, 1), (2000, 12)])
def test_an_image_without_text_is_an_empty_page(size: tuple[int, int]) -> None:
    blank = np.full((size[1], size[0], 3), 255, dtype=np.uint8)

    assert recognizer().read(blank) == Page(width=size[0], height=size[1])


def test_places_of_a_scaled_image_are_those_of_the_given_one() -> None:
    large = cv2.resize(drawn(*ENGLISH), (2100, 900), interpolation=cv2.INTER_CUBIC)

    page = recognizer().read(np.asarray(large, dtype=np.uint8), most_pixels=700 * 300)

    assert (texts_of(page), page.width, page.height) == (list(ENGLISH), 2100, 900)
    assert abs(page.lines[1].left - 90) < 20


def test_a_character_that_is_covered_is_not_invented() -> None:
    image = drawn("Amount 87,224.00")
    image[30:90, 228:250] = 128

    (text,) = texts_of(recognizer().read(image))

    assert text != "Amount 87,224.00"
    assert text.startswith("Amount ")


@pytest.mark.parametrize("shape", [(5000, 5000), (40, 8000), (8000, 40), (2, 2), (10, 3000)])
def test_the_detector_is_never_given_more_than_its_bound(shape: tuple[int, int]) -> None:
    framing = framed(np.zeros((*shape, 3), dtype=np.uint8))

    height, width = framing.image.shape[:2]
    assert height * width <= 1.1 * MOST_DETECTED_PIXELS
    assert (height % 32, width % 32) == (0, 0)


def test_places_on_a_framed_image_lead_back() -> None:
    framing = framed(np.zeros((30, 3000, 3), dtype=np.uint8))
    height, width = framing.image.shape[:2]

    corners = framing.back(np.array(((0, 0), (width, height)), dtype=np.float32))

    assert corners == pytest.approx(np.array(((0, -235), (3000, 265))), abs=3)


def test_what_stands_in_a_strip_is_found_where_it_is() -> None:
    strip = np.full((60, 4000, 3), 255, dtype=np.uint8)
    strip[20:50, 3000:3040] = 0

    framing = framed(strip)
    rows, columns = np.nonzero(framing.image[:, :, 0] < 128)
    ends = ((columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1))

    assert framing.back(np.array(ends, dtype=np.float32)) == pytest.approx(np.array(((3000, 20), (3040, 50))), abs=3)


def test_a_long_strip_is_never_put_on_a_ground_of_its_own_size() -> None:
    strip = np.full((140, 28_000, 3), 255, dtype=np.uint8)
    tracemalloc.start()
    try:
        framed(strip)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 5_000_000 < most < 40_000_000


def test_an_image_within_its_bound_is_not_touched() -> None:
    image = np.zeros((10, 10, 3), dtype=np.uint8)

    assert bounded(image, 100)[0] is image


def test_a_task_that_needs_what_is_not_installed_is_told_and_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapid_layout", None)
    reader = PageReader(reader_order(OcrTable(), tmp_path))
    _, encoded = cv2.imencode(".png", drawn("Total 553"))
    order = PageOrder(image=encoded.tobytes(), task=OcrTask.DOCUMENT_PARSING)

    with pytest.raises(PageUnreadable) as unreadable:
        reader.read(order)
    answer = reader.read(msgspec.structs.replace(order, task=OcrTask.TEXT_RECOGNITION))

    words = "the package `rapid_layout` is not installed"
    assert (unreadable.value.failure, str(unreadable.value)) == (Failure.TASK_UNAVAILABLE, words)
    assert answer.text == "Total 553"


def test_a_model_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x")

    with pytest.raises(WeightsUnreadable, match="is not the pinned file"):
        checked(ModelFile(path=str(tmp_path / "m.onnx"), sha256="0" * 64))
    with pytest.raises(WeightsUnreadable, match="cannot be read"):
        checked(ModelFile(path=str(tmp_path / "none.onnx"), sha256="0" * 64))


def test_nothing_is_downloaded_or_asked_of_a_network() -> None:
    """In a process of its own, in which every look-up and connection raises."""
    script = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(refuse)
from pathlib import Path
import numpy as np
from qwenport.engines.ocr.reading_models import reader_order
from qwenport.engines.ocr.recognition import Recognizer
from qwenport.settings.configuration_file import OcrTable
reader = Recognizer(reader_order(OcrTable(), Path("/nowhere")))
reader.read(np.full((60, 200, 3), 255, dtype=np.uint8), rotates=True)
print("read")
"""

    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr


def test_rows_of_a_drawn_table_are_told_row_by_row() -> None:
    image = Image.new("RGB", (900, 260), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(LATIN, 28)
    for row, cells in enumerate((("Date", "Details", "Amount"), ("2024-05-01", "Rent", "1,200.00"))):
        for x, cell in zip((30, 300, 650), cells, strict=True):
            draw.text((x, 40 + 80 * row), cell, font=font, fill="black")

    page = recognizer().read(np.asarray(image)[:, :, ::-1].copy())

    assert page_text(page) == "Date    Details    Amount\n2024-05-01   Rent    1,200.00"

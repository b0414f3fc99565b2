"""`qwenport ocr` from the command line; few pages are really read, and those are small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
SIZE = (360, 110)


def page(*texts: str) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(texts):
        draw.text((20, 12 + 48 * row), text, font=ImageFont.truetype(FONT, 26), fill="black")
    return image


@pytest.mark.engine
def test_a_folder_is_read_with_places_and_boxes_and_tells_which_file_is_bad(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "below").mkdir(parents=True)
    page("Date: 2024-05-20", "Total: 553.00").save(folder / "below" / "a.PNG")
    (folder / "bad.jpg").write_bytes(b"no image")
    (folder / "note.txt").write_text("not read")
    (tmp_path / "fields.json").write_text('{"Date": "", "Total": "", "Plate": ""}')

    code, out, err = run("ocr", "papers", "--schema", "fields.json", "--json", "--draw", "boxes.png")

    assert code == 1
    assert err.splitlines() == [
        "Reading 2 files",
        "papers/bad.jpg: The image format is illegal and cannot be opened",
    ]
    (told,) = json.loads(out)
    values = {"Date": "2024-05-20", "Total": "553.00", "Plate": ""}
    assert told.keys() == {"file", "page", "width", "height", "text", "result", "fields", "lines", "seconds"}
    assert (told["file"], told["page"], told["result"]) == ("papers/below/a.PNG", 0, {"kv_result": values})
    assert (told["width"], told["height"]) == SIZE
    assert json.loads(told["text"]) == values
    assert [line["text"] for line in told["lines"]] == ["Date: 2024-05-20", "Total: 553.00"]
    assert [(field["path"], field["value"]) for field in told["fields"]] == [
        (["Date"], "2024-05-20"),
        (["Total"], "553.00"),
    ]
    for field, line in zip(told["fields"], told["lines"], strict=True):
        [(left, top, right, *_)] = field["locations"]
        assert 0 < field["score"] <= 1
        # The value is the right end of its line.
        assert line["location"][0] + 40 < left < right
        assert (top, right) == (pytest.approx(line["location"][1], abs=3), pytest.approx(line["location"][2], abs=3))
    assert not list(tmp_path.glob("boxes-*.png"))
    with Image.open(tmp_path / "boxes.png") as drawn:
        assert drawn.size == SIZE
        pixels = np.asarray(drawn.convert("RGB")).astype(int)
    for line in told["lines"]:
        for x, y in zip(line["location"][0::2], line["location"][1::2], strict=True):
            around = pixels[max(round(y) - 2, 0) : round(y) + 3, max(round(x) - 2, 0) : round(x) + 3]
            # A corner is coloured; print and paper are grey.
            assert np.ptp(around, axis=2).max() > 50


@pytest.mark.engine
def test_the_pages_of_a_document_are_told_one_after_the_other(run: Run, tmp_path: Path) -> None:
    page("First page").save(tmp_path / "two.pdf", save_all=True, append_images=[page("Second page")])

    code, out, err = run("ocr", "two.pdf")

    assert (code, out) == (0, "== two.pdf, page 1\nFirst page\n== two.pdf, page 2\nSecond page\n")
    assert err.splitlines() == ["Reading two.pdf"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name at least one image, PDF or folder"),
        (("empty",), "there is no image or PDF in what was named"),
        (("a.png", "--task", "nonsense"), 'Invalid value "nonsense" for --task'),
        (("a.png", "--task", "formula_recognition"), "`formula_recognition` needs a vision model"),
        (("a.png", "--task", "table_parsing", "--schema", "list.json"), "the task is `table_parsing`"),
        (("a.png", "--schema", "missing.json"), "missing.json cannot be read: No such file or directory"),
        (("a.png", "--schema", "broken.json"), "broken.json: the schema is no JSON"),
        (("a.png", "--schema", "list.json"), "list.json: the schema must be a JSON object, not a list"),
        (("a.png", "--fast"), "run `qwenport models pull pp-ocrv6-tiny`"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_before_anything_is_read(
    arguments: tuple[str, ...], words: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text('{"Date": ')
    (tmp_path / "list.json").write_text('["Date"]')

    code, out, err = run("ocr", *arguments)

    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.png", None, "missing.png: it cannot be read: No such file or directory"),
        ("bad.png", b"no image", "bad.png: The image format is illegal and cannot be opened"),
        ("empty.pdf", b"", "empty.pdf: "),
    ],
)
def test_a_file_that_is_none_is_named(name: str, content: bytes | None, words: str, run: Run, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    code, out, err = run("ocr", name)

    first, second = err.splitlines()
    assert (code, out, first) == (1, "", f"Reading {name}")
    assert second.startswith(words)


def test_every_kind_of_image_in_a_folder_is_tried_and_nothing_else(run: Run, tmp_path: Path) -> None:
    endings = ["apng", "bmp", "dib", "GIF", "heic", "heif", "hif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff"]
    for ending in [*endings, "webp", "svg", "txt", "zip"]:
        (tmp_path / f"page.{ending}").write_bytes(b"GIF89a")

    code, out, err = run("ocr", ".")

    refused = "The image format is illegal and cannot be opened"
    assert (code, out) == (1, "")
    assert sorted(err.splitlines()[1:]) == sorted(f"page.{ending}: {refused}" for ending in [*endings, "webp"])


@pytest.mark.parametrize(("arguments", "out"), [(("--json",), "[]\n"), ((), "")])
def test_programs_get_json_even_when_nothing_was_read(
    arguments: tuple[str, ...], out: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")

    assert run("ocr", "bad.png", *arguments)[:2] == (1, out)

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from random import Random

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw

from qwenport.documents.page import Line, Quad
from qwenport.evaluation.rendering import (
    Cell,
    FontsMissing,
    Layout,
    Sample,
    TableTruth,
    dense_page,
    fonts,
    frozen_layouts,
    layouts,
    misplaced,
    render,
    statement_page,
    table_layouts,
    text_page,
)
from qwenport.evaluation.rendering.canvas import Canvas, GlyphMissing, Pen
from qwenport.evaluation.rendering.grids import Grid, Span, print_table
from qwenport.evaluation.rendering.photograph import photograph

pytestmark = pytest.mark.skipif(
    not fonts.are_installed(), reason=f"typefaces are missing: apt-get install {' '.join(fonts.PACKAGES)}"
)

_DOCUMENTS = [*layouts().values(), *frozen_layouts().values()]
_ALL = [*_DOCUMENTS, *table_layouts().values()]


def _named(found: list[Layout]) -> list[object]:
    return [pytest.param(layout, id=layout.name) for layout in found]


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_frozen_layouts_are_those_that_were_drawn_before_the_rules() -> None:
    folder = files("qwenport.evaluation.rendering.frozen")
    drawn = b"".join((folder / f"{name}.py").read_bytes() for name in ("cards", "papers", "shops", "tickets"))

    assert sha256(drawn).hexdigest() == "dedb3b248fd4ec3c98a80abd821c9fdc042de329417acbb5b49e88160f21159a"


@pytest.mark.parametrize("layout", _named(_ALL))
def test_nothing_leaves_the_page_or_lies_on_something_else(layout: Layout) -> None:
    samples = [render(layout, 2), render(layout, 3, photo=True)]

    assert [misplaced(sample) for sample in samples] == [(), ()]


@pytest.mark.parametrize("layout", _named(_DOCUMENTS))
def test_every_value_is_printed_and_asked_for(layout: Layout) -> None:
    sample = render(layout, 4)
    printed = _squeezed("".join(line.text for line in sample.lines))

    assert {key: value for key, value in sample.fields.items() if _squeezed(value) not in printed} == {}
    assert min(map(len, sample.fields.values())) > 0
    assert list(msgspec.json.decode(sample.schema, type=dict[str, str])) == list(sample.fields)


@pytest.mark.parametrize("layout", _named(list(table_layouts().values())))
def test_cells_of_a_table_cover_its_grid_once_and_are_printed(layout: Layout) -> None:
    sample = render(layout, 5)
    printed = _squeezed("".join(line.text for line in sample.lines))

    assert sample.tables != ()
    for table in sample.tables:
        places = Counter(
            (cell.row + down, cell.column + across)
            for cell in table.cells
            for down in range(cell.row_span)
            for across in range(cell.column_span)
        )
        rows, columns = (max(values) + 1 for values in zip(*places, strict=True))
        assert places == Counter((row, column) for row in range(rows) for column in range(columns))
        assert [cell.text for cell in table.cells if _squeezed(cell.text) not in printed] == []


@pytest.mark.parametrize("photo", [False, True])
def test_a_seed_gives_the_same_page_again_and_another_seed_another(*, photo: bool) -> None:
    layout = layouts()["train-ticket-blue"]
    first = render(layout, 7, photo=photo)

    assert render(layout, 7, photo=photo) == first
    assert render(layout, 8, photo=photo).fields != first.fields


def test_images_are_png_and_photos_jpeg_of_the_size_that_is_told() -> None:
    layout = layouts()["cafe"]
    shown = [(render(layout, 1, photo=photo)) for photo in (False, True)]
    opened = [Image.open(BytesIO(sample.image)) for sample in shown]

    assert [(image.format, image.size) for image in opened] == [
        ("PNG", (600, 660)),
        ("JPEG", (shown[1].width, shown[1].height)),
    ]
    assert opened[1].size != (600, 660)


def test_a_photo_leans_by_one_to_four_degrees_and_a_print_does_not() -> None:
    layout = layouts()["invoice"]
    angles = [abs(render(layout, seed, photo=True).angle) for seed in range(4)]

    assert render(layout, 1).page.angle == 0.0
    # The perspective moves corners by up to 1.2 percent of the shorter side, which turns the top edge a little more.
    assert all(0.0 < angle < 5.8 for angle in angles)
    assert max(angles) > 1.0


def test_quads_of_a_photo_lie_where_the_ink_went() -> None:
    page = Image.new("RGB", (800, 600), "white")
    marks: list[Quad] = []
    for x, y in ((60, 60), (740, 60), (740, 540), (60, 540), (400, 300)):
        ImageDraw.Draw(page).rectangle((x - 5, y - 5, x + 5, y + 5), fill="red")
        marks.append((x - 5, y - 5, x + 6, y - 5, x + 6, y + 6, x - 5, y + 6))

    shot = photograph(page, tuple(marks), Random("marks"))

    pixels = np.asarray(shot.image).astype(int)
    is_red = (pixels[:, :, 0] - pixels[:, :, 1]) > 90
    for quad in shot.quads:
        middle = (sum(quad[0::2]) / 4, sum(quad[1::2]) / 4)
        left, top = round(middle[0]) - 12, round(middle[1]) - 12
        ys, xs = np.nonzero(is_red[top : top + 25, left : left + 25])
        assert (left + xs.mean() + 0.5, top + ys.mean() + 0.5) == pytest.approx(middle, abs=1.0)


def test_layouts_are_many_in_each_language_and_of_many_kinds() -> None:
    by_language = Counter(layout.language for layout in layouts().values())

    assert len(layouts()) >= 32
    assert len(frozen_layouts()) >= 12
    assert {language: count >= 8 for language, count in by_language.items()} == dict.fromkeys(
        ("zh-Hans", "zh-Hant", "en"), True
    )
    assert {layout.kind for layout in layouts().values()} == {
        "air itinerary",
        "bank card",
        "business licence",
        "contract",
        "delivery note",
        "driving licence",
        "identity card",
        "invoice",
        "medical invoice",
        "name card",
        "passport",
        "purchase order",
        "quota invoice",
        "rent receipt",
        "shop receipt",
        "taxi ticket",
        "train ticket",
        "utility bill",
        "vat invoice",
        "vehicle licence",
    }
    assert not layouts().keys() & frozen_layouts().keys()


def test_tables_are_ruled_partly_ruled_and_unruled() -> None:
    kinds = Counter(layout.kind for layout in table_layouts().values())

    assert kinds == {"table ruled": 6, "table partly ruled": 4, "table unruled": 4}


def test_a_blue_train_ticket_asks_for_ten_fields() -> None:
    sample = render(layouts()["train-ticket-blue"], 1)

    assert list(sample.fields) == [
        "发票号码",
        "车次",
        "起始站",
        "终点站",
        "发车日期和时间点",
        "座位号",
        "席别类型",
        "票价",
        "身份证号码",
        "购票人姓名",
    ]
    assert "限乘当日当次车" in [line.text for line in sample.lines]


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "en"])
def test_a_statement_and_a_dense_page_have_a_hundred_items_and_a_text_page_paragraphs(language: str) -> None:
    statement, dense, text = statement_page(1, language), dense_page(1, language), text_page(1, language)

    assert (statement.width, statement.height, len(statement.lines)) == (1600, 1200, 102)
    assert (dense.width, dense.height, len(dense.lines)) == (1600, 1200, 102)
    assert len(text.lines) > 15
    assert (misplaced(statement), misplaced(dense), misplaced(text)) == ((), (), ())


def _canvas(values: dict[str, str]) -> Canvas:
    face = fonts.TYPEFACES["en"]["sans"][0]
    roles = dict.fromkeys(("body", "head", "figures"), face)
    return Canvas(image=Image.new("RGB", (600, 400), "white"), values=values, typefaces=roles, chance=Random(1))


def test_a_merged_cell_stands_once_where_it_begins() -> None:
    canvas = _canvas({"fee": "12.50"})
    grid = Grid(widths=(120, 120, 120), pen=Pen(size=20))
    rows = ((Span("Zone", rows=2), Span("Fee", columns=2)), ("day", "night"), ("A", "{fee}", ""))

    print_table(canvas, (10, 10), grid, rows)

    assert canvas.tables == [
        TableTruth(
            rows=(
                (
                    Cell(text="Zone", row=0, column=0, row_span=2),
                    Cell(text="Fee", row=0, column=1, column_span=2),
                ),
                (Cell(text="day", row=1, column=1), Cell(text="night", row=1, column=2)),
                (
                    Cell(text="A", row=2, column=0),
                    Cell(text="12.50", row=2, column=1),
                    Cell(text="", row=2, column=2),
                ),
            )
        )
    ]
    assert [line.text for line in canvas.lines] == ["Zone", "Fee", "day", "night", "A", "12.50"]


def test_the_noted_place_is_that_of_the_ink() -> None:
    canvas = _canvas({})

    quad = canvas.put((50, 60), "Haven", Pen(size=40, ink=(0, 0, 0), anchor="l"))

    ys, xs = np.nonzero(np.asarray(canvas.image.convert("L")) < 160)
    assert (quad[0], quad[1], quad[4], quad[5]) == pytest.approx(
        (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=1
    )


def test_a_turned_item_is_noted_turned() -> None:
    canvas = _canvas({})

    quad = canvas.put((100, 50), "Haven", Pen(size=40, ink=(0, 0, 0), angle=90.0))

    ys, xs = np.nonzero(np.asarray(canvas.image.convert("L")) < 160)
    ink = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    assert (min(quad[0::2]), min(quad[1::2]), max(quad[0::2]), max(quad[1::2])) == pytest.approx(ink, abs=1.5)
    # Clockwise by a right angle: the text begins at the top, and its top line is to the right.
    assert quad[0] > quad[6]
    assert quad[1] < quad[3]


def test_a_character_that_the_typeface_has_not_is_refused() -> None:
    with pytest.raises(GlyphMissing, match=r"has no picture of `票` in `票`"):
        _canvas({}).put((10, 10), "票")


def test_a_missing_typeface_is_told_with_the_packages_to_install() -> None:
    with pytest.raises(
        FontsMissing,
        match=r"the typeface `truetype/none/None.ttf` is not installed: on Debian, `apt-get install fonts-arphic-ukai ",
    ):
        fonts.load(fonts.Typeface("truetype/none/None.ttf"), 20)


def test_items_that_overlap_or_leave_the_page_are_found() -> None:
    # The third is turned by 45 degrees: its box meets the second, its shape does not.
    quads: dict[str, Quad] = {
        "outside": (-2, 10, 40, 10, 40, 30, -2, 30),
        "on it": (30, 20, 80, 20, 80, 40, 30, 40),
        "turned": (92, 30, 132, 70, 118, 84, 78, 44),
    }
    lines = tuple(Line(text=text, quad=quad, score=1.0) for text, quad in quads.items())
    sample = msgspec.structs.replace(render(layouts()["cafe"], 1), lines=lines)

    assert misplaced(sample) == ("`outside` leaves the page", "`outside` and `on it` overlap")


def test_a_sample_is_a_page_that_was_read_without_fault() -> None:
    sample: Sample = render(layouts()["cafe"], 1, photo=True)

    assert (sample.page.width, sample.page.height) == (sample.width, sample.height)
    assert (sample.page.lines, sample.page.angle) == (sample.lines, sample.angle)

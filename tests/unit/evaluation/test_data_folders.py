"""Folders of data, recognised by what is in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwenport.documents.page import Line, Page
from qwenport.evaluation.case import Case, DataUnreadable
from qwenport.evaluation.data_folders import DataKind, folder_cases, kind_of
from qwenport.evaluation.page_cache import PageCache, ReadPage
from qwenport.evaluation.sroie import page_of_boxes

KEY = {"company": "ACME SHOP LTD", "date": "01/02/2026", "address": "1 TEST STREET", "total": "12.00"}


@pytest.fixture
def sroie(tmp_path: Path) -> Path:
    """Give a folder with one whole receipt, one without fields, and one without boxes."""
    for name in ("img", "box", "key"):
        (tmp_path / name).mkdir()
    for stem in ("b", "a", "unlabelled"):
        (tmp_path / "img" / f"{stem}.jpg").write_bytes(stem.encode())
    (tmp_path / "key" / "a.json").write_text(json.dumps(KEY))
    (tmp_path / "key" / "b.json").write_text(json.dumps({"company": "OTHER"}))
    (tmp_path / "box" / "a.csv").write_text("1,2,31,2,31,12,1,12,ACME, SHOP LTD\n\n5,20,25,20,25,30,5,30,12.00\n")
    return tmp_path


def cases_of(folder: Path) -> list[Case]:
    return list(folder_cases(folder, kind_of(folder)))


def test_a_folder_of_sroie_gives_receipts_by_name(sroie: Path) -> None:
    first, second = cases_of(sroie)

    assert kind_of(sroie) is DataKind.SROIE
    assert (first.name, first.load(), first.fields) == ("a", b"a", KEY)
    assert first.lines == (
        Line(text="ACME, SHOP LTD", quad=(1, 2, 31, 2, 31, 12, 1, 12), score=1.0),
        Line(text="12.00", quad=(5, 20, 25, 20, 25, 30, 5, 30), score=1.0),
    )
    assert json.loads(first.schema).keys() == KEY.keys()
    assert page_of_boxes(first) == Page(width=31, height=30, lines=first.lines)
    assert (second.name, second.lines) == ("b", ())
    assert second.fields == {"company": "OTHER", "date": "", "address": "", "total": ""}


def test_the_names_of_the_official_archive_and_a_folder_above_are_known(sroie: Path) -> None:
    (sroie / "key").rename(sroie / "entities")
    (sroie / "entities" / "a.json").rename(sroie / "entities" / "a.txt")
    (sroie / "box" / "a.csv").rename(sroie / "box" / "a.txt")
    above = sroie.parent / f"{sroie.name}-above"
    above.mkdir()
    sroie.rename(above / "train")

    assert [(case.name, len(case.lines)) for case in cases_of(above)] == [("a", 2), ("b", 0)]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("key/a.json", "{", "a.json is no JSON object of strings"),
        ("box/a.csv", "1,2,3,TEXT", "a.csv, line 1: eight numbers and a text are needed"),
        ("box/a.csv", "1,2,3,4,5,6,7,x,TEXT", "a.csv, line 1: `x` is no number"),
    ],
)
def test_a_broken_file_is_named(sroie: Path, file: str, content: str, words: str) -> None:
    (sroie / file).write_text(content)

    with pytest.raises(DataUnreadable, match=words.replace("{", r"\{")):
        cases_of(sroie)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="is no data set that is known"):
        kind_of(tmp_path)
    with pytest.raises(DataUnreadable, match="is no folder"):
        kind_of(tmp_path / "nowhere")


CLASSES = """\
0 Ignore
1 Store_name_value
2 Store_name_key
3 Store_addr_value\t
4 Store_addr_key
5 Tel_value
6 Tel_key\t
7 Date_value
8 Date_key
9 Time_value
10 Time_key\t
11 Prod_item_value\t
12 Prod_item_key\t
13 Prod_quantity_value
14 Prod_quantity_key
15 Prod_price_value
16 Prod_price_key
17 Subtotal_value
18 Subtotal_key
19 Tax_value
20 Tax_key
21 Tips_value
22 Tips_key
23 Total_value
24 Total_key\t
25 Others"""
ONE = "image_files/Image_12/10/845be0.jpeg"


def box(left: int, top: int, right: int, text: str, label: int) -> dict[str, object]:
    """Return a box ten pixels high as the data set has it: from the bottom left, the other way round."""
    bottom = top + 10
    return {"box": [float(each) for each in (left, bottom, right, bottom, right, top, left, top)], "text": text} | {
        "label": label
    }


ANNOTATIONS = [
    box(0, 40, 90, "\uffe59.00", 23),
    box(0, 20, 90, "92833Town", 3),
    box(50, 10, 90, "Street\u2028", 3),
    box(0, 10, 45, "1Long", 3),
    box(0, 40, 45, "TOTAL", 24),
    box(0, 60, 45, "", 0),
    box(0, 70, 45, "12/30/2016FRI", 7),
    box(50, 70, 90, "DATE", 8),
    box(0, 80, 45, "12/30/2016FRI", 7),
    box(0, 90, 45, "4.48", 19),
    box(0, 105, 45, "0.20", 19),
]


@pytest.fixture
def wildreceipt(tmp_path: Path) -> Path:
    """Give a folder as the archive makes it, with one receipt, and one whose picture is missing."""
    folder = tmp_path / "wildreceipt"
    (folder / "image_files" / "Image_12" / "10").mkdir(parents=True)
    (folder / ONE).write_bytes(b"picture")
    (folder / "class_list.txt").write_text(CLASSES)
    (folder / "dict.txt").write_text("/\n\\\n")
    receipts = [
        {"file_name": ONE, "height": 348, "width": 348, "annotations": ANNOTATIONS},
        {"file_name": ONE.replace("8", "9"), "height": 348, "width": 348, "annotations": ANNOTATIONS},
    ]
    rows = "".join(json.dumps(receipt, ensure_ascii=False) + "\n" for receipt in receipts)
    for name in ("train.txt", "test.txt"):
        (folder / name).write_text(rows)
    return folder


def test_a_folder_of_wildreceipt_gives_the_receipts_whose_pictures_are_there(wildreceipt: Path) -> None:
    (case,) = cases_of(wildreceipt)

    assert kind_of(wildreceipt) is DataKind.WILDRECEIPT
    assert (case.name, case.load()) == (ONE, b"picture")
    assert case.fields == {
        "store_name": "",
        "store_address": "1Long Street 92833Town",
        "telephone": "",
        "date": "12/30/2016FRI",
        "time": "",
        "subtotal": "",
        "tips": "",
        "total": "\uffe59.00",
    }
    assert json.loads(case.schema).keys() == case.fields.keys()
    assert case.lines[:2] == (
        Line(text="\uffe59.00", quad=(0, 40, 90, 40, 90, 50, 0, 50), score=1.0),
        Line(text="92833Town", quad=(0, 20, 90, 20, 90, 30, 0, 30), score=1.0),
    )
    assert len(case.lines) == len(ANNOTATIONS) - 1


def test_the_layout_of_mmocr_and_a_folder_above_are_known(wildreceipt: Path) -> None:
    (wildreceipt / "annotations").mkdir()
    (wildreceipt / "test.txt").rename(wildreceipt / "annotations" / "test.txt")
    (wildreceipt / ONE).rename(wildreceipt / "image_files" / Path(ONE).name)

    (case,) = cases_of(wildreceipt.parent)
    assert case.load() == b"picture"


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [("class_list.txt", "one two", "`one two`"), ("test.txt", '\n{"file_name": 1}', "test.txt, line 2")],
)
def test_a_broken_list_is_named(wildreceipt: Path, file: str, content: str, words: str) -> None:
    (wildreceipt / file).write_text(content)

    with pytest.raises(DataUnreadable, match=words):
        cases_of(wildreceipt)


def test_a_folder_that_is_said_to_be_one_and_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match=r"holds no class_list\.txt and test\.txt of WildReceipt"):
        list(folder_cases(tmp_path, DataKind.WILDRECEIPT))


PAGE = Page(width=10, height=20, lines=(Line(text="字", quad=(0, 0, 5, 0, 5, 5, 0, 5), score=0.5),))


def test_a_kept_page_is_found_by_picture_and_reader(tmp_path: Path) -> None:
    cache = PageCache(tmp_path / "new" / "folder", "reader 1")
    cache.keep(b"picture", ReadPage(page=PAGE, seconds=1.5))

    assert cache.find(b"picture") == ReadPage(page=PAGE, seconds=1.5, is_kept=True)
    assert cache.find(b"another picture") is None
    assert PageCache(tmp_path / "new" / "folder", "reader 2").find(b"picture") is None


def test_a_damaged_kept_page_is_read_again(tmp_path: Path) -> None:
    cache = PageCache(tmp_path, "reader")
    cache.keep(b"picture", ReadPage(page=PAGE, seconds=1.5))
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])

    assert cache.find(b"picture") is None

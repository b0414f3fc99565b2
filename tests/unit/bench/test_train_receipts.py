"""Training on made-up receipts."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest
from bench import train_receipts

from qwenport.documents.receipts.weights import Weights
from qwenport.evaluation.page_cache import PageCache, ReadPage
from qwenport.evaluation.reader_name import reader_name
from qwenport.evaluation.sroie import page_of_boxes, sroie_cases
from qwenport.settings.configuration_file import OcrTable

RECEIPTS = 70
SHOPS = 12
NO_CHARACTERS = "0 one character, 0 two or three characters, 0 more characters"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of receipts of a dozen shops, two layouts, drawn anew each time in the same way."""
    folder = tmp_path_factory.mktemp("sroie")
    for name in ("img", "box", "key"):
        (folder / name).mkdir()
    drawing = random.Random(7)
    for number in range(RECEIPTS):
        fields, rows = receipt(number % SHOPS, drawing)
        (folder / "img" / f"{number:03}.jpg").write_bytes(str(number).encode())
        (folder / "key" / f"{number:03}.json").write_text(json.dumps(fields))
        (folder / "box" / f"{number:03}.csv").write_text("".join(rows))
    return folder


def receipt(shop: int, drawing: random.Random) -> tuple[dict[str, str], list[str]]:
    price = drawing.randrange(100, 9000)
    fields = {
        "company": f"SHOP{'ABCDEFGHIJKL'[shop]} TRADING SDN BHD",
        "date": f"{drawing.randrange(10, 28)}/0{drawing.randrange(1, 9)}/2026",
        "address": f"NO.{shop + 1}, JALAN UJIAN {shop}, 40000 SHAH ALAM",
        "total": f"{price / 100:.2f}",
    }
    rows = [
        fields["company"],
        f"NO.{shop + 1}, JALAN UJIAN {shop},",
        "40000 SHAH ALAM",
        "TEL: 03-55550000",
        f"DATE: {fields['date']} 10:00",
        "BREAD 1.10",
        f"TOTAL {fields['total']}" if shop % 2 else f"AMOUNT DUE {fields['total']}",
        f"CASH {price / 100 + 50:.2f}",
        "CHANGE 50.00",
    ]
    return fields, [
        f"20,{30 * at},{20 + 12 * len(row)},{30 * at},{20 + 12 * len(row)},{30 * at + 20},20,{30 * at + 20},{row}\n"
        for at, row in enumerate(rows)
    ]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["train_receipts", *arguments])
    train_receipts.main()


def test_weights_are_named_after_features_and_hold_no_text(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "weights.json"
    run(monkeypatch, str(data), "--write", str(written))

    weights = msgspec.json.decode(written.read_bytes(), type=Weights)
    assert weights.total["key_total"] > 1
    assert not any(letter.isupper() for letter in "".join(msgspec.to_builtins(weights)["total"]))
    printed = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["held-out, boxes", "unseen shops, seed 5, boxes", "unseen shops, seed 11, boxes"]


def test_training_is_the_same_each_time_and_reads_shops_it_never_saw(data: Path) -> None:
    examples = [train_receipts.Example(case=case, page=page_of_boxes(case)) for case in sroie_cases(data)]
    shops = train_receipts.held_out_shops([example.case for example in examples], 5)
    seen = [example for example in examples if train_receipts.shop_of(example.case) not in shops]
    unseen = [example for example in examples if train_receipts.shop_of(example.case) in shops]

    weights = train_receipts.train(seen)

    assert weights == train_receipts.train(seen)
    assert len(shops) == round(SHOPS * 0.2)
    assert [train_receipts.answer_of(example.page, weights) for example in unseen] == [
        dict(example.case.fields) for example in unseen
    ]


def test_the_held_out_receipts_depend_on_nothing_but_the_names() -> None:
    names = [f"{number:03}" for number in range(626)]

    held = train_receipts.held_out(names)

    assert held == train_receipts.held_out(names[::-1])
    assert len(set(held)) == 50
    assert held[:5] == ["121", "327", "514", "524", "105"]


def test_names_and_kept_pages_go_together(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, str(data), "--names")
    names = capsys.readouterr().out.split()
    cache = PageCache(tmp_path, reader_name(OcrTable()))
    for case in sroie_cases(data):
        if case.name in names:
            cache.keep(case.load(), ReadPage(page=page_of_boxes(case), seconds=1.0))

    run(monkeypatch, str(data), "--pages", str(tmp_path))

    figures = [line for line in capsys.readouterr().out.splitlines() if "OCR  " in line]
    assert len(figures) == 3
    assert all("normalised F1 1.000" in line for line in figures)
    assert len(names) >= 50


def test_faults_of_addresses_are_counted_by_where_the_pages_come_from(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = PageCache(tmp_path, reader_name(OcrTable()))
    for case in sroie_cases(data):
        page = page_of_boxes(case)
        lines = tuple(msgspec.structs.replace(line, text=line.text.replace("JALAN", "JALÁN")) for line in page.lines)
        cache.keep(case.load(), ReadPage(page=msgspec.structs.replace(page, lines=lines), seconds=1.0))

    run(monkeypatch, str(data), "--faults", "--pages", str(tmp_path))

    boxes, read, *_ = capsys.readouterr().out.splitlines()
    assert boxes.endswith("boxes: 12 right, 0 other rows, 0 accents alone, " + NO_CHARACTERS)
    assert read.endswith("OCR: 0 right, 0 other rows, 12 accents alone, " + NO_CHARACTERS)

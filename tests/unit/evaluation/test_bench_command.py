"""`qwenport bench ocr` from the command line to its file, with the real engine on two made-up documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.cli.main import main

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(("bench", "ocr", *arguments))
    return int(ended.value.code or 0)


def test_two_documents_are_read_scored_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("--rendered", "--limit", "2", "--cache", "pages", "--json", "figures.json")

    assert run(*arguments) == 0
    first = json.loads((tmp_path / "figures.json").read_text())
    table = capsys.readouterr().out
    assert run(*arguments, "--wrong") == 0
    second = json.loads((tmp_path / "figures.json").read_text())

    assert first["source"] == "rendered seed 1"
    assert first["versions"].keys() == {"qwenport", "rapidocr", "onnxruntime"}
    assert [case.get("failure", "") for case in first["cases"]] == ["", ""]
    assert all(case["characters"]["errors"] <= 0.05 * case["characters"]["characters"] for case in first["cases"])
    assert all(case["normalised"]["right"] >= 0.5 * case["normalised"]["wanted"] for case in first["cases"])
    assert 0 < first["peak_worker_bytes"] < 1_300_000_000
    assert table.splitlines()[0].split()[:3] == ["documents", "n", "CER"]
    assert second["cases"] == [{**case, "is_kept": True} for case in first["cases"]]
    assert second["peak_worker_bytes"] == 0


def test_the_file_of_figures_holds_no_word_of_the_documents_that_was_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("img", "box", "key"):
        (tmp_path / "receipts" / name).mkdir(parents=True)
    receipts, figures = tmp_path / "receipts", tmp_path / "figures.json"
    image = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(image).text((30, 30), "TOTAL 12.50", font=ImageFont.truetype(FONT, 30), fill="black")
    image.save(receipts / "img" / "a.jpg")
    (receipts / "box" / "a.csv").write_text("30,30,250,30,250,60,30,60,TOTAL 12.50\n")
    (receipts / "key" / "a.json").write_text(json.dumps({"company": "SOMEBODY"}))
    arguments = ("--data", "receipts", "--kind", "sroie", "--cache", "pages", "--json", "figures.json")

    assert run(*arguments) == 0
    plain = figures.read_text()
    assert run(*arguments, "--wrong") == 0

    assert (json.loads(plain)["source"], "SOMEBODY" in plain) == ("receipts", False)
    assert "SOMEBODY" in figures.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say which documents: `--data DIR` for a folder of yours, or `--rendered`"),
        (("--data", "nowhere"), "nowhere is no folder"),
        (("--data", "."), "is no data set that is known"),
        (("--rendered", "--only", "missing.txt"), "missing.txt cannot be read"),
        (("--rendered", "--only", "none.txt"), "rendered seed 1 holds none of these documents"),
        (("--rendered", "--soak", "3"), "soak"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    arguments: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none.txt").write_text("no such document\n")

    assert run(*arguments) == 1
    printed = capsys.readouterr().err
    assert words in printed
    assert len(printed.splitlines()) == 1

"""Folders of SROIE: scanned receipts with boxes and four fields.

Of the ICDAR 2019 Robust Reading Challenge on Scanned Receipts OCR and Information Extraction, tasks 1 and 3.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from qwenport.documents.page import Line, Page
from qwenport.evaluation.case import Case, DataUnreadable

FIELDS = ("company", "date", "address", "total")
_SCHEMA = json.dumps(
    {
        "company": "Name of the shop or company",
        "date": "Date of the receipt",
        "address": "Address of the shop",
        "total": "Total amount",
    }
).encode()
_LAYOUTS = (("img", "box", "key"), ("img", "box", "entities"))
"""Names of the folders of pictures, boxes and fields: of a well-known copy, and of the official archive."""
_PICTURES = (".jpg", ".jpeg", ".png")


def is_sroie(folder: Path) -> bool:
    """Whether a folder, or its `data`, holds pictures, boxes and fields under the names that SROIE uses."""
    return _folders(folder) is not None


def sroie_cases(folder: Path) -> Iterator[Case]:
    """Yield the receipts that have a picture and fields, in the order of their names.

    Raises:
        DataUnreadable: a file of fields is no JSON object of strings.
    """
    folders = _folders(folder)
    if folders is None:
        raise DataUnreadable(f"{folder} holds no folders img, box and key of SROIE")
    pictures, boxes, keys = folders
    for picture in sorted(path for path in pictures.iterdir() if path.suffix.lower() in _PICTURES):
        fields = _beside(keys, picture.stem, (".json", ".txt"))
        if fields is None:
            continue
        box = _beside(boxes, picture.stem, (".csv", ".txt"))
        yield Case(
            name=picture.stem,
            group="SROIE",
            load=functools.partial(_read, picture),
            fields=_fields(fields),
            schema=_SCHEMA,
            lines=() if box is None else tuple(_lines(box)),
            in_capitals=True,
        )


def page_of_boxes(case: Case) -> Page:
    """Return the page that the boxes of a receipt make, as if they had been recognised without an error."""
    width = max((line.right for line in case.lines), default=1.0)
    height = max((line.bottom for line in case.lines), default=1.0)
    return Page(width=round(width), height=round(height), lines=case.lines)


def _folders(folder: Path) -> tuple[Path, Path, Path] | None:
    for place in (folder, folder / "data", folder / "train", folder / "test"):
        for names in _LAYOUTS:
            pictures, boxes, keys = (place / name for name in names)
            if pictures.is_dir() and boxes.is_dir() and keys.is_dir():
                return pictures, boxes, keys
    return None


def _beside(folder: Path, stem: str, suffixes: tuple[str, ...]) -> Path | None:
    return next((path for suffix in suffixes if (path := folder / f"{stem}{suffix}").is_file()), None)


def _fields(path: Path) -> dict[str, str]:
    try:
        fields = msgspec.json.decode(path.read_text("utf-8", errors="replace"), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise DataUnreadable(f"{path} is no JSON object of strings: {error}") from error
    return {name: fields.get(name, "") for name in FIELDS}


def _lines(path: Path) -> Iterator[Line]:
    """Yield the boxes: eight whole numbers and the text, which may hold commas."""
    for number, row in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
        if not row.strip():
            continue
        parts = row.split(",", 8)
        if len(parts) < 9:
            raise DataUnreadable(f"{path}, line {number}: eight numbers and a text are needed, separated by commas")
        x0, y0, x1, y1, x2, y2, x3, y3 = (_number(part, path, number) for part in parts[:8])
        yield Line(text=parts[8], quad=(x0, y0, x1, y1, x2, y2, x3, y3), score=1.0)


def _number(part: str, path: Path, line: int) -> float:
    try:
        return float(part)
    except ValueError as error:
        raise DataUnreadable(f"{path}, line {line}: `{part}` is no number") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataUnreadable(f"{path} cannot be read: {error.strerror}") from error

"""Folders of WildReceipt: photographed receipts whose boxes carry text and class.

Sun et al. 2021, in the layout that MMOCR reads: `class_list.txt`, and `test.txt` with one JSON object a line.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from qwenport.documents.page import Line, Page, Quad
from qwenport.documents.reading_order import rows_of
from qwenport.evaluation.case import Case, DataUnreadable

_CLASSES = "class_list.txt"
_TEST = "test.txt"
_FIELDS = {
    "Store_name_value": ("store_name", "Name of the shop"),
    "Store_addr_value": ("store_address", "Address of the shop"),
    "Tel_value": ("telephone", "Telephone number of the shop"),
    "Date_value": ("date", "Date of the receipt"),
    "Time_value": ("time", "Time of day of the receipt"),
    "Subtotal_value": ("subtotal", "Amount before tax"),
    "Tax_value": ("tax", "Tax"),
    "Tips_value": ("tips", "Tips"),
    "Total_value": ("total", "Total amount"),
}
"""Classes that stand once on a receipt, and how they are asked for; single goods are left out."""


class _Annotation(Struct, frozen=True):
    box: Quad
    text: str
    label: int


class _Receipt(Struct, frozen=True):
    file_name: str
    annotations: tuple[_Annotation, ...]


def is_wildreceipt(folder: Path) -> bool:
    """Whether a folder holds the list of classes and the labelled test part."""
    return (folder / _CLASSES).is_file() and (folder / _TEST).is_file()


def wildreceipt_cases(folder: Path) -> Iterator[Case]:
    """Yield the receipts of the test part whose pictures are there, in the order of the list.

    Raises:
        DataUnreadable: a line of a list is not as it should be.
    """
    classes = _classes(folder / _CLASSES)
    decode = msgspec.json.Decoder(_Receipt).decode
    for number, row in enumerate((folder / _TEST).read_text("utf-8").splitlines(), start=1):
        if not row.strip():
            continue
        try:
            receipt = decode(row)
        except msgspec.DecodeError as error:
            raise DataUnreadable(f"{folder / _TEST}, line {number}: {error}") from error
        picture = folder / receipt.file_name
        if picture.is_file():
            yield _case(picture, receipt, classes)


def _case(picture: Path, receipt: _Receipt, classes: Mapping[int, str]) -> Case:
    fields = _fields(receipt.annotations, classes)
    wanted = {name: words for name, words in _FIELDS.values() if name in fields}
    lines = tuple(Line(text=each.text, quad=each.box, score=1.0) for each in receipt.annotations if each.text.strip())
    return Case(
        name=receipt.file_name,
        group="WildReceipt",
        load=functools.partial(Path.read_bytes, picture),
        fields=fields,
        schema=json.dumps(wanted).encode() if wanted else b"",
        lines=lines,
    )


def _fields(annotations: Sequence[_Annotation], classes: Mapping[int, str]) -> dict[str, str]:
    """Return the values of a receipt; boxes of one class are joined in the order in which they are read."""
    found: dict[str, list[Line]] = {}
    for each in annotations:
        named = _FIELDS.get(classes.get(each.label, ""))
        if named is not None and each.text.strip():
            found.setdefault(named[0], []).append(Line(text=each.text.strip(), quad=each.box, score=1.0))
    return {name: _joined(lines) for name, lines in found.items()}


def _joined(lines: Sequence[Line]) -> str:
    rows = rows_of(Page(width=0, height=0, lines=tuple(lines)))
    return " ".join(line.text for row in rows for line in row)


def _classes(path: Path) -> dict[int, str]:
    """Read lines of a number and a name."""
    classes: dict[int, str] = {}
    for line in path.read_text("utf-8").splitlines():
        number, _, name = line.strip().partition(" ")
        if not number:
            continue
        if not number.isdecimal() or not name:
            raise DataUnreadable(f"{path} holds `{line}`; a number and a name are needed")
        classes[int(number)] = name.strip()
    return classes

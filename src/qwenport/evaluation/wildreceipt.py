"""Folders of WildReceipt: photographed receipts whose boxes carry text and class.

Sun et al. 2021, "Spatial Dual-Modality Graph Reasoning for Key Information Extraction". The layout is that of the
archive, https://download.openmmlab.com/mmocr/data/wildreceipt.tar, and that into which MMOCR 1.x moves its files
(dataset_zoo/wildreceipt/kie.py): `class_list.txt`, `test.txt` with one JSON object a line, and `image_files`. Texts are
written without blanks there, so that only normalised figures of fields say something.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from qwenport.documents.page import Line, Page, Quad
from qwenport.documents.reading_order import rows_of
from qwenport.evaluation.case import Case, DataUnreadable

_CLASSES = "class_list.txt"
_TESTS = ("test.txt", "annotations/test.txt")
"""In the archive, and as MMOCR 1.x moves it."""
_PICTURES = "image_files"
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
_OF_SEVERAL_ROWS = frozenset({"store_name", "store_address"})


class _Annotation(Struct, frozen=True):
    box: Quad
    """Its corners begin at the bottom left."""
    text: str
    label: int


class _Receipt(Struct, frozen=True):
    file_name: str
    annotations: tuple[_Annotation, ...]


def is_wildreceipt(folder: Path) -> bool:
    """Whether a folder, or its `wildreceipt`, holds the list of classes and the labelled test part."""
    return _place(folder) is not None


def wildreceipt_cases(folder: Path) -> Iterator[Case]:
    """Yield the receipts of the test part whose pictures are there, in the order of the list.

    Raises:
        DataUnreadable: there are no lists, or a line of one is not as it should be.
    """
    place = _place(folder)
    if place is None:
        raise DataUnreadable(f"{folder} holds no class_list.txt and test.txt of WildReceipt")
    root, tests = place
    classes = _classes(root / _CLASSES)
    decode = msgspec.json.Decoder(_Receipt).decode
    # Not by `splitlines`, which ends lines within texts too.
    for number, row in enumerate(_read(tests).decode("utf-8", "replace").split("\n"), start=1):
        if not row.strip():
            continue
        try:
            receipt = decode(row)
        except msgspec.DecodeError as error:
            raise DataUnreadable(f"{tests}, line {number}: {error}") from error
        picture = _picture(root, receipt.file_name)
        if picture is not None:
            yield _case(picture, receipt, classes)


def _place(folder: Path) -> tuple[Path, Path] | None:
    """Return the folder with the list of classes, and the list of the test part."""
    for root in (folder, folder / "wildreceipt"):
        for test in _TESTS:
            if (root / _CLASSES).is_file() and (root / test).is_file():
                return root, root / test
    return None


def _picture(root: Path, name: str) -> Path | None:
    """Return the picture of a receipt, which MMOCR 1.x moves out of the folders that its name tells."""
    places = (root / name, root / _PICTURES / PurePosixPath(name).name)
    return next((place for place in places if place.is_file()), None)


def _case(picture: Path, receipt: _Receipt, classes: Mapping[int, str]) -> Case:
    fields = _fields(receipt.annotations, classes)
    wanted = {name: words for name, words in _FIELDS.values() if name in fields}
    return Case(
        name=receipt.file_name,
        group="WildReceipt",
        load=functools.partial(_read, picture),
        fields=fields,
        schema=json.dumps(wanted).encode() if wanted else b"",
        lines=tuple(map(_line, (each for each in receipt.annotations if each.text.strip()))),
    )


def _fields(annotations: Sequence[_Annotation], classes: Mapping[int, str]) -> dict[str, str]:
    """Return the values of a receipt, empty for those that it does not say; what it says in two ways is left out."""
    found: dict[str, list[Line]] = {name: [] for name, _ in _FIELDS.values()}
    for each in annotations:
        named = _FIELDS.get(classes.get(each.label, ""))
        if named is not None and each.text.strip():
            found[named[0]].append(_line(each))
    values = {name: _values(name, lines) for name, lines in found.items()}
    return {name: "".join(several) for name, several in values.items() if len(several) <= 1}


def _values(name: str, lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the different values that boxes of one class make, each of a printed row, or of all rows together."""
    rows = [" ".join(line.text for line in row) for row in rows_of(Page(width=0, height=0, lines=tuple(lines)))]
    if name in _OF_SEVERAL_ROWS and rows:
        return (" ".join(rows),)
    return tuple(dict.fromkeys(rows))


def _line(annotation: _Annotation) -> Line:
    """Return the text of a box; its corners begin at the top left, wherever those of the data set begin."""
    across, down = annotation.box[0::2], annotation.box[1::2]
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    return Line(text=annotation.text.strip(), quad=(left, top, right, top, right, bottom, left, bottom), score=1.0)


def _classes(path: Path) -> dict[int, str]:
    """Read lines of a number and a name, with blanks and tabs between and behind them."""
    classes: dict[int, str] = {}
    for line in _read(path).decode("utf-8", "replace").splitlines():
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not parts[0].isdecimal():
            raise DataUnreadable(f"{path} holds `{line.strip()}`; a number and a name are needed")
        classes[int(parts[0])] = parts[1]
    return classes


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataUnreadable(f"{path} cannot be read: {error.strerror}") from error

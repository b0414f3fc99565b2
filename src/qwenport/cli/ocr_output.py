"""What `qwenport ocr` prints of each page, as soon as it was read."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from qwenport.core.printable import printable
from qwenport.engines.ocr.value_places import ValuePlace, value_at
from qwenport.engines.ocr.wire import PageAnswer


class ReadPage(Struct, frozen=True, kw_only=True):
    """One page of one file."""

    path: Path
    page: int
    """From 1; 0 for an image that is no page of a document."""
    width: int
    """Pixels of what was read; a page of a PDF was drawn with so many."""
    height: int
    answer: PageAnswer


class PagePrinter(Protocol):
    """Prints pages one after another; nothing of them is kept."""

    def page(self, read: ReadPage, *, is_headed: bool) -> None:
        """Print a page, after its name where it is not the only one."""
        ...

    def end(self) -> None:
        """Print what comes after the last page."""
        ...


class TextPrinter:
    """For people: the text of each page."""

    def page(self, read: ReadPage, *, is_headed: bool) -> None:
        """Print a page, after its name where it is not the only one."""
        if is_headed:
            # No escape sequence of a file's name reaches the terminal; nor does one of its text.
            print(f"== {printable(str(read.path))}" + (f", page {read.page}" if read.page else ""))
        print("\n".join(printable(line) for line in read.answer.text.split("\n")), flush=True)

    def end(self) -> None:
        """Print nothing."""


class JsonPrinter:
    """For programs: one list, which is whole also when the reading is broken off."""

    def __init__(self) -> None:
        self._is_begun = False

    def page(self, read: ReadPage, *, is_headed: bool) -> None:  # noqa: ARG002 - each object has its name
        """Print the object of a page."""
        told = json.dumps(_told(read), ensure_ascii=False, indent=2)
        sys.stdout.write((",\n" if self._is_begun else "[\n") + textwrap.indent(told, "  "))
        sys.stdout.flush()
        self._is_begun = True

    def end(self) -> None:
        """Close the list."""
        sys.stdout.write("\n]\n" if self._is_begun else "[]\n")


def _told(read: ReadPage) -> dict[str, Any]:
    page = read.answer.page
    lines = () if page is None else page.lines
    result: Any = msgspec.json.decode(read.answer.result) if read.answer.result else None
    return {
        "file": str(read.path),
        "page": read.page,
        "width": read.width,
        "height": read.height,
        "text": read.answer.text,
        "result": result,
        "fields": [_told_field(place, result) for place in read.answer.places],
        "lines": [{"text": line.text, "location": line.quad, "score": line.score} for line in lines],
        "seconds": round(read.answer.seconds, 3),
    }


def _told_field(place: ValuePlace, result: dict[str, Any]) -> dict[str, Any]:
    value = value_at(result["kv_result"], place.path)
    return {"path": place.path, "value": value, "locations": place.quads, "score": place.score}

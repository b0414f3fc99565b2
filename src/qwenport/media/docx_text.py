"""The text of a Word document (ECMA-376, WordprocessingML); runs in `document_child`."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NoReturn
from xml.parsers import expat

from qwenport.media.document_ending import DocumentEnded, Ending

_BODY = "word/document.xml"
_PIECE = 1 << 16
_LONGEST_TAG = 1 << 20
"""Bytes of one tag, comment or the like, which the parser looks through again with every piece that comes."""
_NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
"""The transitional form, which Word writes, and the strict one."""
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
"""The same content once more, for readers that do not know the first form."""


def docx_texts(document: BinaryIO) -> Iterator[str]:
    """Yield the text piece by piece: a line for each paragraph, and for each row of a table with tabs between cells.

    Raises:
        DocumentEnded: the archive is no Word document, damaged, or encrypted.
    """
    try:
        with zipfile.ZipFile(document) as archive:
            if _BODY not in archive.namelist():
                raise DocumentEnded(Ending.UNSUPPORTED)
            with archive.open(_BODY) as body:
                yield from _texts(body)
    # An encrypted member is a RuntimeError; a method of compression that is not known, NotImplementedError below it.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, expat.ExpatError) as error:
        raise DocumentEnded(Ending.UNREADABLE) from error


def _texts(body: object) -> Iterator[str]:
    text = _Text()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = text.start
    parser.EndElementHandler = text.end
    parser.CharacterDataHandler = text.characters
    # Word writes no document type; entities that grow without end are declared in one.
    parser.StartDoctypeDeclHandler = _refuse
    size = 0
    while piece := body.read(_PIECE):  # type: ignore[attr-defined]  # typeshed has no public name for what `open` gives
        parser.Parse(piece, False)  # noqa: FBT003 - it takes no names
        size += len(piece)
        if size - parser.CurrentByteIndex > _LONGEST_TAG:
            raise DocumentEnded(Ending.UNREADABLE)
        yield text.take()
    parser.Parse(b"", True)  # noqa: FBT003 - it takes no names
    yield text.take()


def _refuse(*_: object) -> NoReturn:
    raise DocumentEnded(Ending.UNREADABLE)


class _Text:
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_text = False
        self._cells = 0
        """How many cells of tables, one within another, the parser is in."""
        self._fallbacks = 0

    def take(self) -> str:
        """Return what was collected since it was last taken."""
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def start(self, name: str, _: dict[str, str]) -> None:
        if name == _FALLBACK:
            self._fallbacks += 1
        match _local(name):
            case "t":
                self._is_text = True
            case "tab":
                self._add("\t")
            case "br" | "cr":
                self._add("\n")
            case "tc":
                self._cells += 1

    def end(self, name: str) -> None:
        if name == _FALLBACK:
            self._fallbacks -= 1
        match _local(name):
            case "t":
                self._is_text = False
            case "p":
                self._add(" " if self._cells else "\n")
            case "tc":
                self._cells -= 1
                self._add("\t")
            case "tr":
                self._add("\n")

    def characters(self, text: str) -> None:
        if self._is_text:
            self._add(text)

    def _add(self, text: str) -> None:
        if not self._fallbacks:
            self._pieces.append(text)


def _local(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return local if namespace in _NAMESPACES else ""

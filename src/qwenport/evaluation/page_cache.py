"""Recognised pages on disk, so that rules can be measured again without reading pictures again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from qwenport.documents.page import Page
from qwenport.evaluation.case import Case


class ReadPage(Struct, frozen=True, kw_only=True):
    """A page as it was read."""

    page: Page
    seconds: float
    """How long the reading took when it was done."""
    is_kept: bool = False
    """Whether it comes from the cache."""


class PageCache:
    """A folder with one JSON file for each picture and reader."""

    def __init__(self, folder: Path, reader: str) -> None:
        """Take a folder, made when needed.

        Args:
            folder: holds texts of the pictures: as private as they are.
            reader: says which engine, version and model reads; pages of others are not seen.
        """
        self._folder = folder
        self._reader = hashlib.sha256(reader.encode()).hexdigest()[:12]

    def find(self, image: bytes) -> ReadPage | None:
        """Return a page that was kept; None where there is none, or its file is damaged."""
        try:
            kept = msgspec.json.decode(self._path(image).read_bytes(), type=ReadPage)
        except (OSError, msgspec.DecodeError):
            return None
        return msgspec.structs.replace(kept, is_kept=True)

    def keep(self, image: bytes, read: ReadPage) -> None:
        """Keep a page."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(image)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(msgspec.json.encode(read))
        unfinished.replace(path)

    def pages_of(self, cases: Iterable[Case]) -> dict[str, Page]:
        """Return the pages that are there, by the name of the case."""
        found = {case.name: self.find(case.load()) for case in cases}
        return {name: read.page for name, read in found.items() if read is not None}

    def _path(self, image: bytes) -> Path:
        return self._folder / f"{self._reader}-{hashlib.sha256(image).hexdigest()}.json"

"""Files that models are read from, pinned by digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from qwenport.engines.ocr.reader_order import ModelFile, ReaderOrder


class WeightsUnreadable(Exception):
    """A model file is not there, or is not the pinned one; the words say which."""


def checked(file: ModelFile) -> Path:
    """Return the file's path after reading it.

    Raises:
        WeightsUnreadable: it cannot be read, or is another file than the pinned one.
    """
    path = Path(file.path)
    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise WeightsUnreadable(f"`{path}` cannot be read: {error.strerror}") from error
    if digest != file.sha256:
        raise WeightsUnreadable(f"`{path}` is not the pinned file: expected SHA-256 {file.sha256}, found {digest}")
    return path


def check_all(order: ReaderOrder) -> None:
    """Read every file that pages are read with; raises `WeightsUnreadable`."""
    for file in (order.detector, order.recogniser, order.characters, order.orientation):
        if file is not None:
            checked(file)

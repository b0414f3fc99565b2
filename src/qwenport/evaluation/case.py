"""One document with its truth, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from qwenport.documents.page import Line
from qwenport.evaluation.metrics.cells import Grid


class Case(Struct, frozen=True, kw_only=True):
    """One picture, and what is known to stand on it."""

    name: str
    group: str
    """Documents of one group are reported together: a kind of document, or the name of a data set."""
    load: Callable[[], bytes]
    """Returns the file of the picture."""
    fields: Mapping[str, str] = {}
    """By the key under which they are asked for; empty where fields are not known."""
    schema: bytes = b""
    """The JSON object by which they are asked for."""
    lines: tuple[Line, ...] = ()
    """Printed items with their places; empty where they are not known."""
    in_capitals: bool = False
    """Whether the truth writes everything in capitals, however it is printed; then case does not count in texts."""
    tables: tuple[Grid, ...] = ()


class DataUnreadable(Exception):
    """A folder is no data set that is known here, or a file of it is not as it should be."""

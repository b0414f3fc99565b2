"""Where a line of print ends."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

_PIECES: Final = re.compile(r"[A-Za-z0-9.,:;()&/#'@%\-]+ ?| |.", re.DOTALL)
_NEVER_FIRST: Final = frozenset("，。、；：）》」”！？,.;:)")


def wrap(text: str, width: float, extent: Callable[[str], float]) -> Iterator[str]:
    """Parts of a text that are no wider than `width`; Latin words stay whole, no line begins with a closing mark."""
    line = ""
    for match in _PIECES.finditer(text):
        piece = match.group()
        if line and extent((line + piece).rstrip()) > width and piece not in _NEVER_FIRST:
            yield line.rstrip()
            line = ""
        line += piece if line else piece.lstrip()
    if line.strip():
        yield line.rstrip()

"""The documentation as its tests read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

Fences = Callable[[Path, str], list[str]]
Rows = Callable[[Path], list[list[str]]]
Prose = Callable[[Path], str]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def pages() -> list[Path]:
    """Return every page of the repository that people read."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="session")
def fences() -> Fences:
    """Give what stands in the fenced blocks of one language on a page."""

    def read(page: Path, language: str) -> list[str]:
        return [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind == language]

    return read


@pytest.fixture(scope="session")
def prose() -> Prose:
    """Give a page without its fenced blocks."""

    def read(page: Path) -> str:
        return FENCE.sub("", page.read_text("utf-8"))

    return read


@pytest.fixture(scope="session")
def rows(prose: Prose) -> Rows:
    """Give the cells of every line of a page's tables."""

    def read(page: Path) -> list[list[str]]:
        lines = [line for line in prose(page).splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    return read

"""Bars as a terminal shows them, and as a log has them."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from qwenport.cli.progress import RowBar


def shown(*, is_terminal: bool) -> list[str]:
    """Return the lines that are left of a phase of two pages which turned out to be three."""
    written = StringIO()
    bar = RowBar(Console(file=written, force_terminal=is_terminal, width=60, color_system=None))
    bar.begin("Reading 2 files", 2)
    bar.grow(1)
    bar.advance(1)
    bar.end()
    return written.getvalue().split("\n")


def test_a_terminal_is_shown_how_many_pages_of_all_are_read() -> None:
    (bar,) = [line for line in shown(is_terminal=True) if "1/3" in line]

    assert "Reading 2 files \u2501\u2501" in bar


def test_a_log_has_one_line_for_it() -> None:
    assert shown(is_terminal=False) == ["Reading 2 files", ""]

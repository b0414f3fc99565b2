"""How results are shown: JSON and CSV for programs, tables and fields for people."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qwenport.core.printable import printable

Row = Mapping[str, Any]

OUT = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
ERRORS = Console(stderr=True, soft_wrap=True, highlight=False)

MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
"""A moment in UTC; a table shows its seconds."""


def say(words: str) -> None:
    """Print a line for people."""
    OUT.print(words, markup=False, soft_wrap=True)


def show_json(content: object) -> None:
    """Print a result for programs."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def show_csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Print rows as CSV with a header line."""
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def show_rows(rows: Sequence[Row], columns: Sequence[str], empty: str, *, json: bool) -> None:
    """Print rows as JSON, or as a table with these columns."""
    show_json(rows) if json else show_table(rows, columns, empty)


def show_table(rows: Sequence[Row], columns: Sequence[str], empty: str) -> None:
    """Print rows for people; numbers stand right."""
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(row.get(column), int) and not isinstance(row.get(column), bool) for row in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        # An id is copied into the next command, so it stays in one piece.
        table.add_column(column.replace("_", " "), justify=justify, overflow="fold", no_wrap=column.endswith("id"))
    for row in rows:
        # As Text, or a name in square brackets would be taken for markup.
        table.add_row(*(Text(shown(row.get(column))) for column in columns))
    OUT.print(table)


def show_whole(content: Row, *, json: bool) -> None:
    """Print one thing as JSON, or with all that is known of it: fields first, then a table for each list of rows."""
    if json:
        show_json(content)
        return
    tables = {name: value for name, value in content.items() if is_rows(value)}
    for name, value in content.items():
        if name not in tables:
            OUT.print(f"{name}:", style="bold", end=" ", markup=False)
            say(shown(value))
    for name, rows in tables.items():
        OUT.print(f"\n{name}:", style="bold", markup=False)
        show_table(rows, list(dict.fromkeys(column for row in rows for column in row)), "")


def is_rows(value: object) -> bool:
    """Tell whether a value is a list that reads best as a table."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def shown(value: object) -> str:
    """Return a value as a cell of a table."""
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        moment = MOMENT.fullmatch(value)
        return f"{moment[1]} {moment[2]}" if moment else printable(value)
    if isinstance(value, dict):
        return ", ".join(f"{shown(name)}={enclosed(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(enclosed(each) for each in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def enclosed(value: object) -> str:
    """Return a value within another one, so that it is seen where it ends."""
    return f"({shown(value)})" if isinstance(value, dict | list) and value else shown(value)

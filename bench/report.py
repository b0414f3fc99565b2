"""Writes the tables of a run into the documentation: `python -m bench.report bench/results/NAME.json`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import msgspec

from bench.processes import ROOT
from bench.result import Result
from bench.tables import Table, tables_of
from bench.words import Language, say

PAGES = {
    Language.ENGLISH: ROOT / "docs" / "en" / "performance.md",
    Language.CHINESE: ROOT / "docs" / "zh" / "performance.md",
}
_BEGIN = "<!-- written by bench/report.py from here -->"
_END = "<!-- to here -->"
_GENERATED = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)


class PageInvalid(Exception):
    """A page has no place for the tables."""


def markdown(result: Result, name: str, language: Language) -> str:
    """Return the tables of a run, and what it was run on, as Markdown."""
    machine = result.machine
    where = (
        f"{machine.cpu}, CPU: {machine.cores}, {machine.memory_gib} GiB, {machine.kernel}, Python {machine.python}, "
        f"nginx {machine.nginx or '-'}, LiteLLM {result.rivals['litellm']}, Portkey {result.rivals['portkey']}"
    )
    parts = [f"`bench/results/{name}`: {result.date}, {where}, `{machine.commit}`, `{result.command}`."]
    if result.quick:
        parts.append(say("quick_run", language))
    for table in tables_of(result, language):
        parts += [f"### {table.title}", *([table.note] if table.note else []), _table(table)]
    reasons = [f"- {name}: {reason}" for name, reason in sorted(result.skipped.items())]
    if reasons:
        parts += [f"### {say('skipped', language)}", "\n".join(reasons)]
    return "\n\n".join(parts)


def put_in(page: str, tables: str) -> str:
    """Return the page with the tables between its two marks.

    Raises:
        PageInvalid: the marks are missing.
    """
    if not _GENERATED.search(page):
        raise PageInvalid(f"the page has no `{_BEGIN}` with `{_END}` after it")
    return _GENERATED.sub(lambda _: f"{_BEGIN}\n\n{tables}\n\n{_END}", page, count=1)


def _table(table: Table) -> str:
    head, *rows = table.rows
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def main() -> int:
    """Write both pages, or print one language."""
    parser = argparse.ArgumentParser(description="Write the tables of a run into the documentation.")
    parser.add_argument("result", type=Path)
    parser.add_argument("--print", choices=("en", "zh"), dest="language", help="print instead of writing the pages")
    arguments = parser.parse_args()
    result = msgspec.json.decode(arguments.result.read_bytes(), type=Result)
    if arguments.language:
        language = Language.ENGLISH if arguments.language == "en" else Language.CHINESE
        print(markdown(result, arguments.result.name, language))
        return 0
    for language, page in PAGES.items():
        text = put_in(page.read_text("utf-8"), markdown(result, arguments.result.name, language))
        page.write_text(text, "utf-8")
        print(f"wrote {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`qwenport bench ocr`: how well and how fast the embedded engine reads, on documents with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from qwenport.cli.arguments import whole
from qwenport.cli.ocr_bench_options import Documents, Reading

LEAST_PAGES = 10
"""Of a soak, whose fifths are compared."""

bench = App(name="bench", help="Measure the embedded engines.")

_Flag = Parameter(negative=())


@bench.command(name="ocr")
def bench_ocr(
    *,
    documents: Documents | None = None,
    reading: Reading | None = None,
    soak: Annotated[int | None, whole(LEAST_PAGES, 1_000_000)] = None,
    pairs: Annotated[int | None, whole(1, 1_000)] = None,
    wrong: Annotated[bool, _Flag] = False,
    json: Path | None = None,
) -> int:
    """Read documents whose text is known, and show how much of it was right, how fast, and with how much memory.

    Args:
        documents: which documents.
        reading: how they are read.
        soak: instead, read so many pages in a row with one process; the exit code is 1 when it grows by more than a
            tenth, holds more than 1300 MB, or fails.
        pairs: instead, compare one reading process with two in so many interleaved pairs of runs.
        wrong: show the fields that are wrong, with what the document says.
        json: write all figures and the score of each document to this file; with `--wrong`, its wrong fields too.
    """
    from qwenport.cli.ocr_bench_run import run  # noqa: PLC0415 - it imports the engines, which takes a second

    return run(documents or Documents(), reading or Reading(), soak=soak, pairs=pairs, wrong=wrong, json=json)

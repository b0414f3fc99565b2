"""`qwenport calls export`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import msgspec
from cyclopts import Parameter

from qwenport.cli.arguments import ALWAYS, AsJson, Period
from qwenport.cli.calls import ALL_CALLS, CallFilters, calls
from qwenport.cli.context import operator, settings
from qwenport.cli.display import Row, say, show_json
from qwenport.cli.progress import RowBar
from qwenport.cli.whole_file import whole_file
from qwenport.client.admin_client import AdminClient
from qwenport.metering.parquet import write_parquet
from qwenport.metering.reports import CallRow

Overwrite = Annotated[bool, Parameter(name="--overwrite", negative=())]

Query = dict[str, object]

CALL = msgspec.json.Decoder(CallRow)
ROWS_AT_ONCE = 5_000


@calls.command
def export(
    *,
    out: Path,
    format: Literal["csv", "parquet", "ndjson"] = "csv",
    filters: CallFilters = ALL_CALLS,
    period: Period = ALWAYS,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Write calls into a file, newest first.

    Args:
        out: the file; it appears when it is whole.
        format: CSV with a header line, Parquet, or one JSON object a line.
        overwrite: replace a file that is there.
        period: from when until when.
        filters: which calls.
        json: print JSON.
    """
    query: Query = {**filters.query(), **period.query()}
    with whole_file(out, overwrite=overwrite) as part:
        if format == "parquet":
            count = parquet_of(query, part)
        else:
            with part.open("wb") as file:
                count = calls_as({**query, "format": format}, file)
        size = part.stat().st_size
    if json:
        show_json({"file": str(out), "format": format, "calls": count, "size_bytes": size})
    else:
        say(f"{count:,} calls are in {out}.")


def parquet_of(query: Query, part: Path) -> int:
    """Write Parquet, and return the number of calls."""
    # The lines are kept on the disk meanwhile: the writer pulls rows, and the server pushes them.
    with tempfile.TemporaryFile(dir=part.parent) as lines:
        calls_as({**query, "format": "ndjson"}, lines)
        lines.seek(0)
        return write_parquet(batches_of(lines), part)


def batches_of(lines: BinaryIO) -> Iterator[Sequence[CallRow]]:
    """Yield calls, a bounded number at a time."""
    while batch := list(islice(lines, ROWS_AT_ONCE)):
        yield CALL.decode_lines(b"".join(batch))


def calls_as(query: Query, file: BinaryIO) -> int:
    """Write what the server sends, and return the number of calls."""

    async def run() -> int:
        async with operator(settings()) as client:
            return await fetch(client, query, file)

    lines = asyncio.run(run())
    return lines - 1 if query["format"] == "csv" and lines else lines


async def fetch(client: AdminClient, query: Query, file: BinaryIO) -> int:
    """Write what the server sends into a file, and return the number of lines."""
    bar = RowBar()
    bar.begin("calls", await expected(client, query))
    count = 0
    try:
        async with client.stream("/calls/export", query) as blocks:
            async for block in blocks:
                file.write(block)
                count += (lines := block.count(b"\n"))
                bar.advance(lines)
    finally:
        bar.end()
    return count


async def expected(client: AdminClient, query: Query) -> int | None:
    """Return how many calls there are, where the sums tell it."""
    if any(query[name] is not None for name in ("face", "outcome", "status", "upstream", "least_cost")):
        return None
    named = {name: query[name] for name in ("account", "workspace", "key", "model", "served_by", "since", "until")}
    rows: Sequence[Row] = await client.get("/usage", {**named, "by": "month"})
    return sum(int(row["requests"]) for row in rows)

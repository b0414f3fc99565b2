"""Does what `qwenport bench ocr` asks; apart, as the engines it imports take a second that no other command pays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from qwenport.cli.context import CommandFailed, settings
from qwenport.cli.display import say, show_table
from qwenport.cli.ocr_bench_options import Documents, Reading
from qwenport.cli.ocr_bench_table import FIGURE_COLUMNS, figure_rows, pace_lines, soak_lines, wrong_lines
from qwenport.cli.progress import RowBar
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.pool_order import PoolOrder, local_pool_order
from qwenport.evaluation.case import Case, DataUnreadable
from qwenport.evaluation.data_folders import folder_cases, kind_of
from qwenport.evaluation.measuring import Measurement, measure, measurement
from qwenport.evaluation.pace import compare_pace
from qwenport.evaluation.page_cache import PageCache
from qwenport.evaluation.reader_name import reader_name
from qwenport.evaluation.reading import Answering, ReadingFailed
from qwenport.evaluation.rendered import Rendering, rendered_cases
from qwenport.evaluation.rendering import FontsMissing
from qwenport.evaluation.soak import soak as read_in_a_row
from qwenport.evaluation.soak_orders import first_of, soak_orders
from qwenport.settings.configuration_file import OcrModel, OcrTable

SOAK_PICTURES = 4
"""Documents that a soak reads over and over, of a user's own."""
PACE_PICTURES = 8
"""Pages of each run of a pair."""


def run(
    documents: Documents, reading: Reading, *, soak: int | None, pairs: int | None, wrong: bool, json: Path | None
) -> int:
    """Return the exit code; see the command."""
    table = _table(reading)
    try:
        if soak is not None:
            return asyncio.run(_soak(table, documents, soak, json))
        if pairs is not None:
            return asyncio.run(_pace(table, documents, pairs, json))
        return asyncio.run(_measure(table, documents, reading, wrong=wrong, json=json))
    except (DataUnreadable, FontsMissing, ReadingFailed) as error:
        raise CommandFailed(str(error)) from error


async def _measure(table: OcrTable, documents: Documents, reading: Reading, *, wrong: bool, json: Path | None) -> int:
    cases = _cases(documents)
    cache = None if reading.cache is None else PageCache(reading.cache, reader_name(table))
    bar = RowBar()
    bar.begin(f"reading {len(cases)} documents", len(cases))
    async with ReadingPool(_pool_order(table)) as pool:
        scores, peak = await measure(cases, Answering(pool, cache), pool, table.workers, lambda: bar.advance(1))
    bar.end()
    result = measurement(_source(documents), table, reading.workers, scores, peak)
    _show(result, wrong=wrong)
    _write(json, result if wrong else _without_texts(result))
    return 1 if any(score.failure for score in scores) else 0


async def _soak(table: OcrTable, documents: Documents, pages: int, json: Path | None) -> int:
    orders = soak_orders(_soak_cases(documents))
    order = msgspec.structs.replace(_pool_order(table), workers=1, recycle_pages=pages + 1)
    bar = RowBar()
    bar.begin(f"reading {pages} pages", pages)
    async with ReadingPool(order) as pool:
        result = await read_in_a_row(pool, orders, pages, lambda: bar.advance(1))
    bar.end()
    for line in soak_lines(result):
        say(line)
    _write(json, result)
    return 1 if result.problems else 0


async def _pace(table: OcrTable, documents: Documents, pairs: int, json: Path | None) -> int:
    images = _images(documents, PACE_PICTURES)
    order = _pool_order(table)
    bar = RowBar()
    bar.begin(f"reading {2 * pairs} times {len(images)} pages", 2 * pairs)
    async with (
        ReadingPool(msgspec.structs.replace(order, workers=1)) as one,
        ReadingPool(msgspec.structs.replace(order, workers=2)) as two,
    ):
        result = await compare_pace(one, two, images, pairs, lambda: bar.advance(1))
    bar.end()
    for line in pace_lines(result):
        say(line)
    _write(json, result)
    return 0


def _table(reading: Reading) -> OcrTable:
    """Return the operator's settings with what the command says."""
    table = settings().file.ocr
    model = OcrModel.FAST if reading.fast else table.model
    return msgspec.structs.replace(table, workers=reading.workers, model=model)


def _pool_order(table: OcrTable) -> PoolOrder:
    return local_pool_order(table, settings().models_dir)


def _cases(documents: Documents) -> tuple[Case, ...]:
    if documents.data is None and not _is_rendered(documents):
        raise CommandFailed("say which documents: `--data DIR` for a folder of yours, or `--rendered`")
    found: Iterable[Case]
    if documents.data is not None:
        found = folder_cases(documents.data, documents.kind or kind_of(documents.data))
    else:
        found = rendered_cases(_rendering(documents))
    if documents.only is not None:
        names = _names(documents.only)
        found = (case for case in found if case.name in names)
    cases = tuple(islice(found, documents.limit))
    if not cases:
        raise CommandFailed(f"{_source(documents)} holds none of these documents with both a picture and its truth")
    return cases


def _names(path: Path) -> frozenset[str]:
    try:
        return frozenset(path.read_text("utf-8").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error


def _is_rendered(documents: Documents) -> bool:
    return any((documents.rendered, documents.frozen, documents.photo, documents.tables, documents.dense))


def _rendering(documents: Documents) -> Rendering:
    return Rendering(
        seed=documents.seed,
        frozen=documents.frozen,
        photo=documents.photo,
        tables=documents.tables,
        dense=documents.dense,
    )


def _images(documents: Documents, count: int) -> list[bytes]:
    """Return pictures to be read over and over: of the documents that were named, else of rendered ones."""
    named = documents.data is not None or _is_rendered(documents)
    cases: Sequence[Case] = _cases(documents) if named else tuple(rendered_cases(_rendering(documents)))
    return [case.load() for case in first_of(cases, count)]


def _soak_cases(documents: Documents) -> Sequence[Case]:
    """Return what is read in a row: of the documents that were named, else two with fields, a table, a dense page."""
    if documents.data is not None or _is_rendered(documents):
        return first_of(_cases(documents), SOAK_PICTURES)
    rendering = _rendering(documents)
    bills = first_of(tuple(rendered_cases(rendering)), 2)
    table, *_ = rendered_cases(msgspec.structs.replace(rendering, tables=True))
    _, dense, *_ = rendered_cases(msgspec.structs.replace(rendering, dense=True))
    return bills[0], table, bills[1], dense


def _source(documents: Documents) -> str:
    if documents.data is not None:
        return documents.data.resolve().name
    marks = [name for name in ("frozen", "photo", "tables", "dense") if getattr(documents, name)]
    return " ".join(("rendered", *marks, f"seed {documents.seed}"))


def _show(result: Measurement, *, wrong: bool) -> None:
    show_table(figure_rows(result.figures), FIGURE_COLUMNS, "")
    if result.peak_worker_bytes:
        say(f"\none reading process held at most {result.peak_worker_bytes / 1e6:.0f} MB")
    for line in wrong_lines(result.cases, wrong=wrong):
        say(line)


def _without_texts(result: Measurement) -> Measurement:
    """Return it without a word of the documents, which may be nobody else's to keep."""
    return msgspec.structs.replace(
        result, cases=tuple(msgspec.structs.replace(case, wrong=()) for case in result.cases)
    )


def _write(path: Path | None, result: msgspec.Struct) -> None:
    if path is None:
        return
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from error

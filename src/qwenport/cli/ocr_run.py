"""What `qwenport ocr` does: decodes files in bounded children, reads their pages in a pool, prints and draws."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from qwenport.catalog.weights import WeightsStore
from qwenport.cli.context import CommandFailed
from qwenport.cli.display import ERRORS, show_json
from qwenport.cli.ocr_drawing import draw_page
from qwenport.cli.progress import RowBar
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ocr import OcrTask
from qwenport.core.printable import printable
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.pool_order import local_pool_order
from qwenport.engines.ocr.reading_models import NAMES, missing_backend, shipped_model
from qwenport.engines.ocr.wire import PageAnswer, PageFailed, PageOrder
from qwenport.media.decoding import Decoded, Decoder
from qwenport.settings.configuration_file import OcrModel, OcrTable
from qwenport.settings.settings import Settings

ENDINGS = frozenset(
    {".bmp", ".gif", ".heic", ".heif", ".jpe", ".jpeg", ".jpg", ".pdf", ".png", ".tif", ".tiff", ".webp"}
)
"""Of the files of a folder that are read; a file that is named itself is read whatever its name."""


class Errand(Struct, frozen=True, kw_only=True):
    """What the command is asked to do with each page."""

    task: OcrTask | None
    schema: bytes
    is_json: bool
    drawing: Path | None
    is_fast: bool
    turns: bool


class _Read(Struct, frozen=True, kw_only=True):
    """One page of one file."""

    path: Path
    page: Decoded
    answer: PageAnswer


async def read_files(paths: Iterable[Path], errand: Errand, chosen: Settings) -> int:
    """Read all files and print what they say; returns 1 when one of them could not be read.

    Raises:
        CommandFailed: there is nothing to read, or the model is not on this machine.
    """
    files = list(_files(paths))
    if not files:
        raise CommandFailed("there is no image or PDF in what was named")
    table = _table(errand, chosen)
    bar, decoder = RowBar(), Decoder(chosen.file.media)
    read: list[_Read] = []
    failures = 0
    bar.begin(f"Reading {len(files)} files" if len(files) > 1 else f"Reading {files[0].name}", len(files))
    try:
        async with ReadingPool(local_pool_order(table, chosen.models_dir)) as pool:
            for path in files:
                try:
                    read += await _read(path, errand, decoder, pool)
                except (CommandFailed, ParameterInvalid) as error:
                    failures += 1
                    ERRORS.print(f"{printable(str(path))}: {error}", markup=False)
                bar.advance(1)
    finally:
        bar.end()
    _show(read, errand)
    return 1 if failures else 0


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file() and each.suffix.lower() in ENDINGS)
        else:
            yield path


def _table(errand: Errand, chosen: Settings) -> OcrTable:
    table = chosen.file.ocr
    if errand.is_fast:
        table = msgspec.structs.replace(table, model=OcrModel.FAST)
    if words := missing_backend(table.backend):
        raise CommandFailed(words)
    model = shipped_model(NAMES[table.model])
    if not WeightsStore(chosen.models_dir).is_present(model):
        raise CommandFailed(f"`{model.name}` is not on this machine: run `qwenport models pull {model.name}`")
    return table


async def _read(path: Path, errand: Errand, decoder: Decoder, pool: ReadingPool) -> list[_Read]:
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise CommandFailed(f"it cannot be read: {error.strerror}") from error
    pages = await decoder.decode(content)
    wants_page = errand.is_json or errand.drawing is not None
    orders = (
        PageOrder(
            image=page.data,
            task=errand.task,
            result_schema=errand.schema,
            rotates=errand.turns,
            wants_page=wants_page,
        )
        for page in pages
    )
    replies = await asyncio.gather(*(pool.read(order) for order in orders))
    read = []
    for page, reply in zip(pages, replies, strict=True):
        if isinstance(reply, PageFailed):
            where = f"page {page.page} " if page.page else "it "
            raise CommandFailed(f"{where}could not be read ({reply.failure}): {reply.reason}")
        read.append(_Read(path=path, page=page, answer=reply))
    return read


def _show(read: list[_Read], errand: Errand) -> None:
    if errand.is_json:
        show_json([_told(each) for each in read])
    else:
        _print(read)
    # Last, so that a disk that refuses the pictures costs nothing else.
    if errand.drawing is not None:
        for number, each in enumerate(read, start=1):
            draw_page(each.page.data, each.answer.page, _numbered(errand.drawing, number))


def _print(read: list[_Read]) -> None:
    for each in read:
        if len(read) > 1:
            # No escape sequence of a file's name reaches the terminal; nor does one of its text.
            print(f"== {printable(str(each.path))}" + (f", page {each.page.page}" if each.page.page else ""))
        print("\n".join(printable(line) for line in each.answer.text.split("\n")))


def _told(read: _Read) -> dict[str, Any]:
    page = read.answer.page
    lines = () if page is None else page.lines
    return {
        "file": str(read.path),
        "page": read.page.page,
        "text": read.answer.text,
        "result": msgspec.json.decode(read.answer.result) if read.answer.result else None,
        "lines": [{"text": line.text, "location": line.quad, "score": line.score} for line in lines],
        "seconds": round(read.answer.seconds, 3),
    }


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")

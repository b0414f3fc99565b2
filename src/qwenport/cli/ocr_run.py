"""What `qwenport ocr` does: decodes files in bounded children, and has their pages read in a pool, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from qwenport.catalog.weights import WeightsStore
from qwenport.cli.context import CommandFailed
from qwenport.cli.ocr_desk import Desk, Errand
from qwenport.cli.ocr_output import JsonPrinter, PagePrinter, TextPrinter
from qwenport.cli.progress import RowBar
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.pool_order import local_pool_order
from qwenport.engines.ocr.reading_models import NAMES, missing_backend, shipped_model
from qwenport.media.decoding import Decoder
from qwenport.settings.configuration_file import OcrModel, OcrTable
from qwenport.settings.settings import Settings

ENDINGS = frozenset(
    {".apng", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pdf", ".png"}
    | {".tif", ".tiff", ".webp"}
)
"""Of the files of a folder that are read; a file that is named itself is read whatever its name.

A GIF is refused as it is everywhere, by its name in the output: not to be told of one would leave a page out unseen.
"""


async def read_files(paths: Iterable[Path], errand: Errand, chosen: Settings) -> int:
    """Read all files and print each page when it was read; returns 1 when something could not be read or drawn.

    Raises:
        CommandFailed: there is nothing to read, or the model is not on this machine.
    """
    files = list(_files(paths))
    if not files:
        raise CommandFailed("there is no image or PDF in what was named")
    order = local_pool_order(_table(errand, chosen), chosen.models_dir)
    printer: PagePrinter = JsonPrinter() if errand.is_json else TextPrinter()
    bar, decoder = RowBar(), Decoder(chosen.file.media)
    bar.begin(f"Reading {len(files)} files" if len(files) > 1 else f"Reading {files[0].name}", len(files))
    try:
        async with ReadingPool(order) as pool:
            desk = Desk(errand, printer, bar, pool)
            for path in files:
                pages = await desk.pages(path, decoder)
                await desk.read(path, pages, ahead=order.size, is_headed=len(files) > 1)
    finally:
        bar.end()
        printer.end()
    return 1 if desk.failures else 0


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

"""Where the files of `qwenport ocr` become pages that are read, printed and drawn, one after another."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from qwenport.cli.context import CommandFailed
from qwenport.cli.display import ERRORS
from qwenport.cli.ocr_drawing import draw_page
from qwenport.cli.ocr_output import PagePrinter, ReadPage
from qwenport.cli.progress import RowBar
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ocr import OcrTask
from qwenport.core.printable import printable
from qwenport.engines.ocr.wire import PageFailed, PageOrder, PageReply
from qwenport.media.decoding import Decoded, Decoder


class Errand(Struct, frozen=True, kw_only=True):
    """What the command is asked to do with each page."""

    task: OcrTask | None
    schema: bytes
    is_json: bool
    drawing: Path | None
    is_fast: bool
    turns: bool


class Pool(Protocol):
    """Reads pages, some at a time."""

    async def read(self, order: PageOrder) -> PageReply:
        """Return what was read, or why nothing was."""
        ...


class Desk:
    """Has pages read, and prints and draws them in their order; what fails is told, and the rest goes on."""

    def __init__(self, errand: Errand, printer: PagePrinter, bar: RowBar, pool: Pool) -> None:
        """Read nothing yet."""
        self.failures = 0
        """How many files and pages could not be read, or drawn."""
        self._errand = errand
        self._printer = printer
        self._bar = bar
        self._pool = pool
        self._drawing = errand.drawing
        self._number = 0

    async def pages(self, path: Path, decoder: Decoder) -> deque[Decoded]:
        """Return the pages of a file, none of one that is no image or document."""
        try:
            decoded = deque(await decoder.decode(await _content(path)))
        except (CommandFailed, ParameterInvalid) as error:
            self._tell(f"{printable(str(path))}: {error}")
            self._bar.advance(1)
            return deque()
        self._bar.grow(len(decoded) - 1)
        return decoded

    async def read(self, path: Path, pages: deque[Decoded], *, ahead: int, is_headed: bool) -> None:
        """Have pages read, some of them ahead of the one that is printed next; each is forgotten then."""
        is_headed = is_headed or len(pages) > 1
        reading: deque[tuple[Decoded, asyncio.Task[PageReply]]] = deque()
        try:
            while pages or reading:
                while pages and len(reading) <= ahead:
                    page = pages.popleft()
                    reading.append((page, asyncio.create_task(self._pool.read(self._order(page)))))
                page, task = reading[0]
                reply = await task
                reading.popleft()
                await self._show(path, page, reply, is_headed=is_headed)
                self._bar.advance(1)
        finally:
            for _, task in reading:
                task.cancel()
            await asyncio.gather(*(task for _, task in reading), return_exceptions=True)

    def _order(self, page: Decoded) -> PageOrder:
        errand = self._errand
        return PageOrder(
            image=page.data,
            task=errand.task,
            result_schema=errand.schema,
            rotates=errand.turns,
            wants_page=errand.is_json or self._drawing is not None,
        )

    async def _show(self, path: Path, page: Decoded, reply: PageReply, *, is_headed: bool) -> None:
        self._number += 1
        if isinstance(reply, PageFailed):
            where = f"page {page.page}" if page.page else "it"
            self._tell(f"{printable(str(path))}: {where} could not be read ({reply.failure}): {reply.reason}")
            return
        header = page.header
        read = ReadPage(path=path, page=page.page, width=header.width, height=header.height, answer=reply)
        self._printer.page(read, is_headed=is_headed)
        if self._drawing is None:
            return
        try:
            await asyncio.to_thread(draw_page, page.data, reply.page, _numbered(self._drawing, self._number))
        except CommandFailed as error:
            # A disk that refuses one picture refuses the next, and what is read is worth having without them.
            self._drawing = None
            self._tell(str(error))

    def _tell(self, words: str) -> None:
        self.failures += 1
        ERRORS.print(words, markup=False)


async def _content(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise CommandFailed(f"it cannot be read: {error.strerror}") from error


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")

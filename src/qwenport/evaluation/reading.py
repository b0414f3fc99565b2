"""Reads pictures through the pool that the engine uses, or takes pages that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Protocol

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from qwenport.core.ocr import OcrTask
from qwenport.documents.page import Page
from qwenport.engines.ocr.sight import Sight
from qwenport.engines.ocr.tasks import SchemaRefused, TaskWork
from qwenport.engines.ocr.wire import PageFailed, PageOrder, PageReply
from qwenport.evaluation.case import Case
from qwenport.evaluation.html_tables import grids_of
from qwenport.evaluation.metrics.cells import Grid
from qwenport.evaluation.page_cache import PageCache, ReadPage
from qwenport.evaluation.scores import Answer

_NO_PAGE = Page(width=0, height=0)
_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)


class Pool(Protocol):
    """Processes that read pages."""

    @property
    def processes(self) -> tuple[int, ...]:
        """Ids of those that are alive."""
        ...

    async def read(self, order: PageOrder) -> PageReply:
        """Read one page."""
        ...


class ReadingFailed(Exception):
    """A picture was not read; the message says why."""


class Answering:
    """Gives the answers that the engine gives.

    Only the recognition is done by the pool, and may be kept. What a task makes of the page is done here anew each
    time by the engine's own code, so that a changed rule is measured without reading again.
    """

    def __init__(self, pool: Pool, cache: PageCache | None) -> None:
        """Take what reads, and where pages are kept."""
        self._pool = pool
        self._cache = cache
        self._work = TaskWork()

    async def answer(self, case: Case) -> Answer:
        """Return what the engine says of one document; a failure is an answer as well."""
        image = case.load()
        try:
            read = await self._page(image)
            return Answer(
                page=read.page,
                fields=self._fields(case, read.page) if case.fields else {},
                tables=self._tables(image, read.page) if case.tables else (),
                seconds=read.seconds,
                is_kept=read.is_kept,
            )
        except (ReadingFailed, SchemaRefused) as error:
            return Answer(page=_NO_PAGE, failure=str(error))

    async def _page(self, image: bytes) -> ReadPage:
        kept = self._cache.find(image) if self._cache is not None else None
        if kept is not None:
            return kept
        reply = await self._pool.read(PageOrder(image=image, task=OcrTask.TEXT_RECOGNITION, wants_page=True))
        if isinstance(reply, PageFailed) or reply.page is None:
            words = f"{reply.failure.value} {reply.reason}" if isinstance(reply, PageFailed) else "no page came back"
            raise ReadingFailed(words.strip())
        read = ReadPage(page=reply.page, seconds=reply.seconds)
        if self._cache is not None:
            self._cache.keep(image, read)
        return read

    def _fields(self, case: Case, page: Page) -> dict[str, str]:
        order = PageOrder(image=b"", task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=case.schema)
        answer = self._work.perform(order, Sight(image=_NO_PIXELS, page=page))
        return dict(_leaves(msgspec.json.decode(answer.result, type=_FieldsResult).kv_result))

    def _tables(self, image: bytes, page: Page) -> tuple[Grid, ...]:
        order = PageOrder(image=b"", task=OcrTask.TABLE_PARSING)
        answer = self._work.perform(order, Sight(image=_pixels(image), page=page))
        return grids_of(answer.text) if answer.fence == "html" else ()


def _pixels(image: bytes) -> NDArray[np.uint8]:
    """Decode an image to height by width by blue, green, red, as the engine does."""
    try:
        with Image.open(BytesIO(image)) as picture:
            return np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8)[:, :, ::-1])
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ReadingFailed(f"the picture cannot be decoded: {error}") from error


class _FieldsResult(Struct, frozen=True):
    kv_result: dict[str, object]


def _leaves(values: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of an answer; below the first level, names are joined by points."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        elif isinstance(value, str):
            yield f"{path}{name}", value

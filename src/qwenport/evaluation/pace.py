"""Pages a second with one reading process and with two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from qwenport.core.clock import SystemClock
from qwenport.core.ocr import OcrTask
from qwenport.engines.ocr.wire import PageFailed, PageOrder
from qwenport.evaluation.reading import Pool, ReadingFailed


class Pair(Struct, frozen=True, kw_only=True):
    """One run with each."""

    one_pages_s: float
    two_pages_s: float

    @property
    def ratio(self) -> float:
        """How many times as many pages two processes read."""
        return self.two_pages_s / self.one_pages_s


class PaceResult(Struct, frozen=True, kw_only=True):
    """Interleaved runs, so that what else the machine does falls on both."""

    pairs: tuple[Pair, ...]
    pages_of_a_run: int

    @property
    def median_ratio(self) -> float:
        """The middle of the pairs' ratios."""
        return median(pair.ratio for pair in self.pairs)


async def compare_pace(
    one: Pool, two: Pool, images: Sequence[bytes], pairs: int, after_run: Callable[[], object]
) -> PaceResult:
    """Read the same pictures with one process and with two, in turn; every other pair begins with two.

    Raises:
        ReadingFailed: a page was not read.
    """
    # The first pages start processes and load models, which is no part of the pace.
    await _pages_s(one, images[:1])
    await _pages_s(two, [*images[:1], *images[:1]])
    measured = []
    for number in range(pairs):
        order = (one, two) if number % 2 == 0 else (two, one)
        pace = {}
        for pool in order:
            pace[id(pool)] = await _pages_s(pool, images)
            after_run()
        measured.append(Pair(one_pages_s=pace[id(one)], two_pages_s=pace[id(two)]))
    return PaceResult(pairs=tuple(measured), pages_of_a_run=len(images))


async def _pages_s(pool: Pool, images: Sequence[bytes]) -> float:
    clock = SystemClock()
    begin = clock.monotonic()
    replies = await asyncio.gather(
        *(pool.read(PageOrder(image=image, task=OcrTask.TEXT_RECOGNITION)) for image in images)
    )
    failures = [reply for reply in replies if isinstance(reply, PageFailed)]
    if failures:
        raise ReadingFailed(f"{len(failures)} of {len(images)} pages were not read: {failures[0].reason}")
    return len(images) / (clock.monotonic() - begin)

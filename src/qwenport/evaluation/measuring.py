"""Measures the OCR engine on some documents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from qwenport.evaluation.case import Case
from qwenport.evaluation.reader_name import versions
from qwenport.evaluation.reading import Answering, Pool
from qwenport.evaluation.scores import CaseScore, Figures, by_group, score
from qwenport.evaluation.worker_memory import peak_bytes
from qwenport.settings.configuration_file import OcrTable


class Measurement(Struct, frozen=True, kw_only=True):
    """Figures, and what they were made of."""

    source: str
    """Which documents: a folder, or how they were rendered."""
    model: str
    backend: str
    workers: int
    threads: int
    versions: dict[str, str]
    peak_worker_bytes: int
    """The most that one reading process held; 0 where all pages were kept ones."""
    figures: tuple[Figures, ...]
    cases: tuple[CaseScore, ...]


async def measure(
    cases: Sequence[Case], answering: Answering, pool: Pool, at_once: int, after_page: Callable[[], object]
) -> tuple[tuple[CaseScore, ...], int]:
    """Return how each document was read, and the most bytes that a reading process held.

    Args:
        cases: their pictures are loaded one by one.
        answering: gives the answers.
        pool: whose processes are looked at.
        at_once: how many documents are under way.
        after_page: called after each document.
    """
    places = asyncio.Semaphore(at_once)
    peak = 0

    async def one(case: Case) -> CaseScore:
        nonlocal peak
        async with places:
            result = score(case, await answering.answer(case))
            peak = max(peak, peak_bytes(pool.processes))
            after_page()
            return result

    return tuple(await asyncio.gather(*(one(case) for case in cases))), peak


def measurement(source: str, table: OcrTable, workers: int, scores: Sequence[CaseScore], peak: int) -> Measurement:
    """Put figures together with what they depend on."""
    return Measurement(
        source=source,
        model=table.model.value,
        backend=table.backend.value,
        workers=workers,
        threads=table.threads,
        versions=versions(table),
        peak_worker_bytes=peak,
        figures=by_group(scores),
        cases=tuple(scores),
    )

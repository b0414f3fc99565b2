"""Reads many pages in a row with one process, and sees whether it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from qwenport.engines.ocr.wire import PageFailed, PageOrder
from qwenport.evaluation.reading import Pool
from qwenport.evaluation.worker_memory import peak_bytes
from qwenport.observability.memory import resident_bytes

MOST_GROWTH = 0.10
"""Of what it holds once every page was seen, by which a process may have grown at the end."""
MOST_BYTES = 1_300_000_000
"""That a process may hold at any moment."""


class SoakResult(Struct, frozen=True, kw_only=True):
    """What many pages in a row did to one process."""

    pages: int
    failed: int
    replaced: bool
    """Whether the process was replaced on the way, as it ended."""
    early_bytes: int
    """What it held in the second fifth of the pages, the middle value."""
    late_bytes: int
    """In the last fifth."""
    most_bytes: int
    """The most that it ever held, also while it read a page, where the system tells it."""
    samples: tuple[int, ...]
    """What it held after each page."""

    @property
    def growth(self) -> float:
        """Part by which it grew."""
        return self.late_bytes / self.early_bytes - 1 if self.early_bytes else 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in words; empty where all is well."""
        found = []
        if self.failed:
            found.append(f"{self.failed} of {self.pages} pages were not read")
        if self.replaced:
            found.append("the reading process ended on the way and was replaced")
        if self.growth > MOST_GROWTH:
            found.append(f"the reading process grew by {self.growth:.0%}; {MOST_GROWTH:.0%} are allowed")
        if self.most_bytes > MOST_BYTES:
            found.append(
                f"the reading process held {self.most_bytes / 1e6:.0f} MB; {MOST_BYTES / 1e6:.0f} MB are allowed"
            )
        return tuple(found)


async def soak(pool: Pool, orders: Sequence[PageOrder], pages: int, after_page: Callable[[], object]) -> SoakResult:
    """Read one after another, over and over, until so many pages are read.

    Args:
        pool: of one process that is not replaced after any number of pages.
        orders: at least one; what they leave behind is compared best where a fifth of the pages holds them all.
        pages: at least 10, whose fifths are compared.
        after_page: called after each.
    """
    samples: list[int] = []
    failed = most = 0
    seen: set[int] = set()
    for number in range(pages):
        reply = await pool.read(orders[number % len(orders)])
        failed += isinstance(reply, PageFailed)
        seen.update(pool.processes)
        samples.append(max((resident_bytes(pid) for pid in pool.processes), default=0))
        most = max(most, peak_bytes(pool.processes))
        after_page()
    fifth = pages // 5
    return SoakResult(
        pages=pages,
        failed=failed,
        replaced=len(seen) > 1,
        early_bytes=int(median(samples[fifth : 2 * fifth])),
        late_bytes=int(median(samples[-fifth:])),
        most_bytes=most,
        samples=tuple(samples),
    )

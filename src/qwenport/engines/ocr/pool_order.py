"""How many processes read pages, and what each of them is given."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from qwenport.engines.host_process import usable_cores
from qwenport.engines.ocr.reader_order import ReaderOrder
from qwenport.engines.ocr.reading_models import reader_order
from qwenport.settings.configuration_file import OcrBackend, OcrTable

_SET_ASIDE = 4 << 30
"""Address space that OpenVINO takes beside what it uses: 4.8 GB where 1.2 GB are resident."""


class PoolOrder(Struct, frozen=True, kw_only=True):
    """How many processes read, and what each of them is given."""

    reader: ReaderOrder
    workers: int = 0
    """0 for one a core."""
    recycle_pages: int = 200
    page_s: float = 60.0
    memory_bytes: int = 4 << 30
    idle_s: float = 600.0
    """After this time without a page a process gives its memory back."""

    @property
    def size(self) -> int:
        """Return how many processes there are at most."""
        return self.workers or usable_cores()


def pool_order(table: OcrTable, reader: ReaderOrder) -> PoolOrder:
    """Return what the operator's `[ocr]` says."""
    return PoolOrder(
        reader=reader,
        workers=table.workers,
        recycle_pages=table.recycle_pages,
        page_s=table.page_s,
        memory_bytes=table.memory_bytes + (_SET_ASIDE if table.backend is OcrBackend.OPENVINO else 0),
    )


def local_pool_order(table: OcrTable, models_dir: Path) -> PoolOrder:
    """Return the same with the models of the catalog that ships, for commands without a server."""
    return pool_order(table, reader_order(table, models_dir))

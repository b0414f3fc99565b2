"""What a reading process is told before its first page, and how it ends; known to both ends of its pipes."""

from __future__ import annotations

from enum import IntEnum

import msgspec
from msgspec import Struct

from qwenport.engines.ocr.reader_order import ReaderOrder

MODULE = "qwenport.engines.ocr.worker"

READY = b"ready"
"""The first message of a process: its models are loaded."""


class WorkerOrder(Struct, frozen=True, kw_only=True):
    """One reading process."""

    reader: ReaderOrder
    page_s: float
    """After which a process ends that nobody ends meanwhile."""
    memory_bytes: int


class WorkerExit(IntEnum):
    """Exit codes of a reading process; others are crashes."""

    DONE = 0
    ORDER_INVALID = 10
    WEIGHTS_UNREADABLE = 11
    OUT_OF_MEMORY = 12


encode_order = msgspec.msgpack.Encoder().encode
decode_worker_order = msgspec.msgpack.Decoder(WorkerOrder).decode

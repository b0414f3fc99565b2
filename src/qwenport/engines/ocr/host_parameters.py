"""What the host process is told; known to both sides of the fork."""

from __future__ import annotations

from msgspec import Struct

from qwenport.engines.ocr.pool_order import PoolOrder

PARAMETERS_VARIABLE = "QWENPORT_OCR_HOST"
"""Environment variable that holds `HostParameters` as JSON; a command line could be read by every user."""


class HostParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pair of models to host."""

    model: str
    socket: str
    secret: str
    pool: PoolOrder

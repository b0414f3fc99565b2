"""What the host process is told; known to both sides of the fork."""

from __future__ import annotations

from qwenport.engines.host_parameters import HostParameters
from qwenport.engines.ocr.pool_order import PoolOrder


class OcrParameters(HostParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pair of models to host."""

    pool: PoolOrder

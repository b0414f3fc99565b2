"""Work that goes on beside the calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from qwenport.core.errors import StorageUnavailable

log = logging.getLogger(__name__)


async def every(seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    """Take a step again and again, with this pause in between, until cancelled; an error is logged, not the end."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await step()
        except StorageUnavailable as error:
            log.error("storage: %s", error)  # noqa: TRY400 - the trace tells an operator nothing
        except Exception:
            log.exception("a background task failed and goes on")

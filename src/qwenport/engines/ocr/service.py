"""What the host does for the gateway: it takes pages and gives them to the pool."""

from __future__ import annotations

from aiohttp import web

from qwenport.engines.ocr.frames import MOST_BYTES
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.wire import PATH, PageOrder, decode_order, encode


class ReadingService:
    """Reads pages."""

    path = PATH
    most_bytes = MOST_BYTES
    decode = staticmethod(decode_order)

    def __init__(self, pool: ReadingPool) -> None:
        self._pool = pool

    async def answer(self, order: PageOrder, _: web.Request) -> web.StreamResponse:
        """Return what was read, or why nothing was."""
        return web.Response(body=encode(await self._pool.read(order)))

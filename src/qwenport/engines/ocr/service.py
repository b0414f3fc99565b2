"""The HTTP service of the host: it takes pages from the gateway and gives them to the pool."""

from __future__ import annotations

import hmac

import msgspec
from aiohttp import web

from qwenport.engines.ocr.frames import MOST_BYTES
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.wire import PATH, decode_order, encode


class ReadingService:
    """Answers the gateway."""

    def __init__(self, pool: ReadingPool, secret: str) -> None:
        """Answer nobody who does not show the secret."""
        self._pool = pool
        self._expected = f"Bearer {secret}".encode()

    def runner(self) -> web.AppRunner:
        """Return the service, ready to be set up; a handler is cancelled when its caller leaves."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_post(PATH, self._read)
        return web.AppRunner(app, handler_cancellation=True, access_log=None)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="{}")

    async def _read(self, request: web.Request) -> web.Response:
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, self._expected):
            return web.Response(status=401)
        try:
            order = decode_order(await request.read())
        except msgspec.MsgspecError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(body=encode(await self._pool.read(order)))

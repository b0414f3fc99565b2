"""A fake host of readers: it reads nothing, and replies to the image of each order as it was told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from qwenport.engines.ocr.wire import PATH, PageOrder, PageReply, decode_order, encode
from qwenport.testing.scripted_engine import Wait

Step = PageReply | web.Response
"""What an image is answered with."""


class FakeReadingHost:
    """Answers on a Unix socket; `orders` are what it was asked, by when they came."""

    def __init__(
        self,
        replies: Mapping[bytes, Step],
        *,
        waits: Mapping[bytes, Wait] | None = None,
        after: Mapping[bytes, Wait] | None = None,
    ) -> None:
        """Answer each image by its bytes; some stop at a wait, some only go on after another got to its own."""
        self._replies = replies
        self._waits = waits or {}
        self._after = after or {}
        self.orders: list[PageOrder] = []
        self.open_pages = 0
        """How many are being read."""

    @asynccontextmanager
    async def listening(self, socket: Path) -> AsyncGenerator[FakeReadingHost, None]:
        """Listen until the block ends."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post(PATH, self._read)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _read(self, request: web.Request) -> web.Response:
        self.open_pages += 1
        try:
            order = decode_order(await request.read())
            self.orders.append(order)
            if order.image in self._after:
                await self._after[order.image].arrives()
            if order.image in self._waits:
                await self._waits[order.image].pause()
            reply = self._replies[order.image]
            return reply if isinstance(reply, web.Response) else web.Response(body=encode(reply))
        finally:
            self.open_pages -= 1

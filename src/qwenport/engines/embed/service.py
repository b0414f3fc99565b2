"""The HTTP service of the host: one thread that computes, a loop that listens meanwhile."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from aiohttp import web

from qwenport.engines.embed.embedder import Embedder, ReadText, TextTooLong
from qwenport.engines.embed.wire import MOST_TOKENS, PATH, TOO_LONG, Counts, TooLong, decode_request, encode

_LONGEST_BODY_BYTES = 64 << 20
"""More than the gateway takes from a caller."""
_TURN_TOKENS = 2_000
"""Tokens that are read in one turn: a tenth of a second, or a text if it has more."""

_T = TypeVar("_T")


class EmbeddingService:
    """Answers the gateway. Calls take turns: after each batch the next one's is computed."""

    def __init__(self, embedder: Embedder, secret: str) -> None:
        """Answer nobody who does not show the secret."""
        self._embedder = embedder
        self._expected = f"Bearer {secret}".encode()
        # One thread, whose queue is the order of turns; a batch that waits is given up when its caller leaves.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")

    def runner(self) -> web.AppRunner:
        """Return the service, ready to be set up; a handler is cancelled when its caller leaves."""
        app = web.Application(client_max_size=_LONGEST_BODY_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_post(PATH, self._embed)
        return web.AppRunner(app, handler_cancellation=True, access_log=None)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="{}")

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, self._expected):
            return web.Response(status=401)
        try:
            asked = decode_request(await request.read())
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return web.Response(status=400, text=str(error))
        try:
            texts = await self._read(self._embedder.read(asked))
        except TextTooLong as error:
            return web.Response(status=TOO_LONG, body=encode(TooLong(index=error.index)))
        response = web.StreamResponse()
        await response.prepare(request)
        counts = tuple(text.count for text in texts)
        await response.write(encode(Counts(tokens=counts)) + b"\n")
        if sum(counts) > MOST_TOKENS:
            return response
        batches = self._embedder.vectors(texts)
        while (vectors := await self._compute(lambda: next(batches, None))) is not None:
            await response.write(b"".join(vectors))
        return response

    async def _read(self, reading: Iterator[ReadText]) -> list[ReadText]:
        """Return the texts in tokens, in turns; none after those that are too many together."""
        texts: list[ReadText] = []
        tokens = 0
        while tokens <= MOST_TOKENS and (some := await self._compute(lambda: _some(reading))):
            texts += some
            tokens += sum(text.count for text in some)
        return texts

    async def _compute(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)


def _some(reading: Iterator[ReadText]) -> list[ReadText]:
    """Return the next texts, as many as are read in one turn; none at the end."""
    texts: list[ReadText] = []
    tokens = 0
    for text in reading:
        texts.append(text)
        tokens += text.count
        if tokens >= _TURN_TOKENS:
            break
    return texts

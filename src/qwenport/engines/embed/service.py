"""What the host does for the gateway: one thread that computes, a loop that listens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aiohttp import web

from qwenport.engines.embed.embedder import Embedder, ReadText, TextTooLong
from qwenport.engines.embed.wire import (
    MOST_TOKENS,
    PATH,
    TOO_LONG,
    Counts,
    EmbedRequest,
    TooLong,
    decode_request,
    encode,
)

_LONGEST_BODY_BYTES = 64 << 20
"""More than the gateway takes from a caller."""
_TURN_TOKENS = 2_000
"""Tokens that are read in one turn: a tenth of a second, or a text if it has more."""

_T = TypeVar("_T")


class EmbeddingService:
    """Embeds texts. Calls take turns: after each batch the next one's is computed."""

    path = PATH
    most_bytes = _LONGEST_BODY_BYTES
    decode = staticmethod(decode_request)

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        # One thread, whose queue is the order of turns; a batch that waits is given up when its caller leaves.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")

    async def answer(self, order: EmbedRequest, request: web.Request) -> web.StreamResponse:
        """Send how many tokens the texts have, and then their vectors as they are made."""
        try:
            texts = await self._read(self._embedder.read(order))
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

"""Reading a request's body, bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from qwenport.core.errors import BodyTooLarge, BodyTooSlow
from qwenport.server.asgi import Receive
from qwenport.server.client_gone import ClientGone


async def read_body(receive: Receive, headers: Mapping[str, str], *, limit_bytes: int, seconds: float) -> bytes:
    """Return the whole body.

    Raises:
        BodyTooLarge: by its declared or its real length.
        BodyTooSlow: it did not arrive in time.
        ClientGone: the client left in the middle.
    """
    declared = headers.get("content-length", "")
    # uvicorn's parser has checked that the header is a number; its length is bounded by the parser as well.
    _check(int(declared) if declared.isascii() and declared.isdecimal() else 0, limit_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit_bytes)
    except TimeoutError as error:
        raise BodyTooSlow(seconds) from error


async def _read(receive: Receive, limit_bytes: int) -> bytes:
    pieces: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        body = message.get("body", b"")
        length += len(body)
        _check(length, limit_bytes)
        if not message.get("more_body", False):
            return b"".join((*pieces, body)) if pieces else body
        pieces.append(body)


def _check(length: int, limit_bytes: int) -> None:
    if length > limit_bytes:
        raise BodyTooLarge(limit_bytes)

"""Sending a long answer: a block at a time, no faster than the client takes it, and none after the client left."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from qwenport.core.errors import StorageUnavailable
from qwenport.server.admin.operation import Streamed
from qwenport.server.admin.parts import Run
from qwenport.server.asgi import Receive, Send

_log = logging.getLogger(__name__)

STALL_S = 60.0
"""Time after which a client that takes no bytes is given up."""


async def send_stream(answer: Streamed, read_aside: Run, receive: Receive, send: Send) -> None:
    """Send the blocks; an error in the middle breaks the connection off, so that nobody takes a part for the whole.

    Raises:
        StorageUnavailable: the database failed, and nothing was sent yet.
        ReportInvalid: what is asked for cannot be.
    """
    block = await read_aside(lambda: _next(answer.blocks))
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-disposition", f'attachment; filename="{answer.file_name}"'.encode()),
    ]
    gone = asyncio.create_task(_gone(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while block is not None and not gone.done():
            async with asyncio.timeout(STALL_S):
                await send({"type": "http.response.body", "body": block, "more_body": True})
            block = await read_aside(lambda: _next(answer.blocks))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except (TimeoutError, StorageUnavailable) as error:
        # Without its end the answer is seen to be a part: the server closes the connection in the middle.
        _log.warning("the answer `%s` broke off: %s", answer.file_name, error or "its client takes no bytes")
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
        await read_aside(lambda: _close(answer.blocks))


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)


def _close(blocks: Iterator[bytes]) -> None:
    close = getattr(blocks, "close", None)
    if close is not None:
        close()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

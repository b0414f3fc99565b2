"""An ASGI application in this process as a transport of httpx.

Unlike httpx' own, it holds no more than one block of an answer: an export of millions of calls fits into memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[None]]


class InsideTransport(httpx.AsyncBaseTransport):
    """Runs the application in a task for each request."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer as soon as its head is there."""
        exchange = _Exchange(await request.aread())
        exchange.begin(self._application, _scope(request))
        try:
            head = await exchange.message()
        except BaseException:
            await exchange.aclose()
            raise
        return httpx.Response(head["status"], headers=head["headers"], stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer, block by block."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._messages: asyncio.Queue[Message] = asyncio.Queue(1)
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, application: Application, scope: Message) -> None:
        """Start the application."""

        async def run() -> None:
            await application(scope, self._receive, self._send)

        self._task = asyncio.create_task(run())

    async def message(self) -> Message:
        """Return the next message; raises what the application raised, or that it ended too early."""
        assert self._task is not None  # noqa: S101 - begun before anything is asked
        waiting = asyncio.ensure_future(self._messages.get())
        await asyncio.wait((waiting, self._task), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if not self._messages.empty():
            return await waiting
        waiting.cancel()
        await self._task
        raise httpx.RemoteProtocolError("the answer ended in the middle")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.message()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        """Leave, and wait until the application has noticed."""
        self._gone.set()
        if self._task is not None:
            while not self._task.done():
                while not self._messages.empty():
                    self._messages.get_nowait()
                await asyncio.wait((self._task,), timeout=0.01)
            if not self._task.cancelled():
                self._task.exception()

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if not self._gone.is_set():
            await self._messages.put(message)


def _scope(request: httpx.Request) -> Message:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }

"""The HTTP server of a host in Python: it tells that it is there, and takes the calls of its gateway."""

from __future__ import annotations

import asyncio
import hmac
from typing import Generic, NoReturn, Protocol, TypeVar

import msgspec
from aiohttp import web

from qwenport.engines.host_parameters import HostParameters
from qwenport.engines.host_process import HostExit, HostProcess

_Order = TypeVar("_Order")


class Service(Protocol[_Order]):
    """What one kind of host does for the gateway."""

    path: str
    """Where calls come in, by POST."""
    most_bytes: int
    """Of one call."""

    def decode(self, body: bytes) -> _Order:
        """Return the order; raises `msgspec.MsgspecError` or `UnicodeDecodeError` for what is none."""
        ...

    async def answer(self, order: _Order, request: web.Request) -> web.StreamResponse:
        """Return the answer, prepared or not; cancelled when the caller leaves."""
        ...


class HostServer(Generic[_Order]):
    """Answers the gateway."""

    def __init__(self, service: Service[_Order], secret: str) -> None:
        """Answer nobody who does not show the secret."""
        self._service = service
        self._expected = f"Bearer {secret}".encode()

    def runner(self) -> web.AppRunner:
        """Return the server, ready to be set up; a handler is cancelled when its caller leaves."""
        app = web.Application(client_max_size=self._service.most_bytes)
        app.router.add_get("/health", self._health)
        app.router.add_post(self._service.path, self._call)
        return web.AppRunner(app, handler_cancellation=True, access_log=None)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="{}")

    async def _call(self, request: web.Request) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, self._expected):
            return web.Response(status=401)
        try:
            order = self._service.decode(await request.read())
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return web.Response(status=400, text=str(error))
        return await self._service.answer(order, request)


async def serve(
    process: HostProcess, parameters: HostParameters, service: Service[_Order], *, more: str = ""
) -> NoReturn:
    """Listen at the socket of the parameters until the process is ended; `more` is what the log says beside ready."""
    runner = HostServer(service, parameters.secret).runner()
    await runner.setup()
    try:
        await web.UnixSite(runner, parameters.socket).start()
    except OSError as error:
        process.end(HostExit.SOCKET_REFUSED, f"the socket `{parameters.socket}` cannot be used: {error}")
    process.say(f"`{parameters.model}` is ready{more}")
    await asyncio.Event().wait()
    raise AssertionError("the host serves until its process is ended")

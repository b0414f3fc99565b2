"""The door of an engine host that gateways on other machines use: HTTP on a TCP address, before the host's own socket.

It asks for the secret, passes calls on as they come, and closes in order: nothing new comes in, what is under way ends.
"""

from __future__ import annotations

import hmac

import msgspec
from aiohttp import web

from qwenport.core.secret import Secret
from qwenport.engines.connections import CallFailed, Connections, HttpAnswer, RequestInvalid
from qwenport.engines.embed import wire as embed_wire
from qwenport.engines.llama import request as llama_request
from qwenport.engines.ocr import wire as ocr_wire

_LONGEST_BODY_BYTES = 64 << 20
"""More than a gateway takes from a caller."""
_HOLD_OUT_S = 3600.0
"""Deadlines are the gateway's; it leaves when one has passed, at which the host stops working."""
_HEALTH_S = 2.0
_KEPT_S = 15.0
"""How long a connection is kept that serves nothing; gateways close theirs before."""


GATEWAY_PATHS = (*llama_request.PATHS, embed_wire.PATH, ocr_wire.PATH)
"""Addresses that gateways post to, of every kind of engine; no others are passed on."""


class EngineDoor:
    """Passes the calls of gateways on to one engine host."""

    def __init__(self, host: Connections, secret: Secret | None) -> None:
        """Let nobody in who does not show the secret; without one, everybody who is no web page."""
        self._host = host
        self._expected = None if secret is None else f"Bearer {secret.reveal()}".encode()

    def runner(self, *, drain_s: float) -> web.AppRunner:
        """Return the service, ready to be set up; when it is cleaned up, calls have `drain_s` seconds to end."""
        app = web.Application(client_max_size=_LONGEST_BODY_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        for path in GATEWAY_PATHS:
            app.router.add_post(path, self._call)
        app.router.add_post("/{path:.*}", self._unknown)
        return web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=drain_s, keepalive_timeout=_KEPT_S
        )

    async def _health(self, _: web.Request) -> web.Response:
        try:
            answer = await self._host.get("/health", status_s=_HEALTH_S)
        except CallFailed:
            return _refusal(503, "unavailable_error", "the engine is loading or being restarted")
        answer.close()
        return web.Response(status=answer.status, text="{}", content_type="application/json")

    async def _models(self, request: web.Request) -> web.StreamResponse:
        """Tell what a gateway knows the engine by that has it as an upstream of the kind `openai`."""
        if not self._lets_in(request):
            return _refusal(401, "authentication_error", "the secret of this engine was not shown")
        try:
            answer = await self._host.get(request.path, status_s=_HEALTH_S)
        except CallFailed:
            return _refusal(503, "unavailable_error", "the engine is loading or being restarted")
        try:
            return await _passed_on(request, answer)
        finally:
            answer.close()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if not self._lets_in(request):
            return _refusal(401, "authentication_error", "the secret of this engine was not shown")
        body = await request.read()
        headers = {"content-type": request.headers.get("Content-Type", "application/json")}
        try:
            answer = await self._host.post(request.path, body, headers, status_s=_HOLD_OUT_S)
        except RequestInvalid as error:
            return _refusal(400, "invalid_request_error", str(error))
        except CallFailed:
            return _refusal(503, "unavailable_error", "the engine is loading or being restarted")
        try:
            return await _passed_on(request, answer)
        finally:
            answer.close()

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        """Refuse what no gateway asks: hosts can do more, such as to load adapters or to change what others see."""
        if not self._lets_in(request):
            return _refusal(401, "authentication_error", "the secret of this engine was not shown")
        return _refusal(404, "not_found_error", "gateways ask for nothing at this address")

    def _lets_in(self, request: web.Request) -> bool:
        # A page in a browser of this machine could reach a door on the loopback; a gateway names no origin.
        return "Origin" not in request.headers and self._is_known(request.headers.get("Authorization", ""))

    def _is_known(self, shown: str) -> bool:
        return self._expected is None or hmac.compare_digest(shown.encode("utf-8", "replace"), self._expected)


async def _passed_on(request: web.Request, answer: HttpAnswer) -> web.StreamResponse:
    """Send what comes as it comes; an answer that breaks off is broken off here too."""
    response = web.StreamResponse(
        status=answer.status, headers={"Content-Type": answer.headers.get("content-type", "application/octet-stream")}
    )
    await response.prepare(request)
    try:
        while part := await answer.read(_HOLD_OUT_S):
            await response.write(part)
    except CallFailed:
        # A proper end would make half an answer look like a whole one.
        if request.transport is not None:
            request.transport.abort()
    return response


def _refusal(status: int, kind: str, message: str) -> web.Response:
    """Return a refusal in llama.cpp's shape, which gateways read."""
    content = msgspec.json.encode({"error": {"code": status, "type": kind, "message": message}})
    return web.Response(status=status, body=content, content_type="application/json")

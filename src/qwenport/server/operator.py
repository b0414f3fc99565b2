"""Who may use the operator's routes: whoever shows the operator token, or reached us by the admin socket."""

from __future__ import annotations

from qwenport.core.secret import Secret
from qwenport.server.asgi import ASGIApp, Receive, Scope, Send, decode_headers
from qwenport.server.json_reply import error_reply


class OperatorOnly:
    """Lets requests with the operator token through to an application."""

    def __init__(self, application: ASGIApp, token: Secret | None) -> None:
        self._application = application
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then hand on."""
        kind, _, shown = decode_headers(scope).get("authorization", "").partition(" ")
        if self._token is None:
            refusal = error_reply(
                401, "operator_token_unset", "this server has no operator token: start it with QWENPORT_ADMIN_TOKEN set"
            )
        elif kind.lower() != "bearer" or not self._token.matches(shown.strip()):
            refusal = error_reply(
                401,
                "operator_token_invalid",
                "this address needs the operator token: send `Authorization: Bearer` with QWENPORT_ADMIN_TOKEN",
                {"www-authenticate": "Bearer"},
            )
        else:
            await self._application(scope, receive, send)
            return
        await refusal(scope, receive, send)

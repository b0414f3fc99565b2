"""Who asks for the operator's routes: whoever reached us by the admin socket, or shows a token that opens them."""

from __future__ import annotations

from typing import Protocol

from starlette.responses import Response

from qwenport.accounts.members import MemberRing
from qwenport.accounts.roles import OPERATOR, Principal
from qwenport.core.secret import Secret
from qwenport.server.asgi import ASGIApp, Receive, Scope, Send, decode_headers
from qwenport.server.json_reply import error_reply


class Door(Protocol):
    """Tells who is asking."""

    def admit(self, authorization: str) -> Principal | Response:
        """Return who shows this header, or the refusal."""
        ...


class Open:
    """The admin socket, whose file mode says who may use it: everybody there is the operator."""

    def admit(self, authorization: str) -> Principal | Response:
        """Return the operator."""
        return OPERATOR


class Guarded:
    """The public address: the operator's token, or that of a member of an account."""

    def __init__(self, token: Secret | None, members: MemberRing) -> None:
        self._token = token
        self._members = members

    def admit(self, authorization: str) -> Principal | Response:
        """Return whose token this is, or 401."""
        shown = _bearer(authorization)
        if self._token is not None and shown and self._token.matches(shown):
            return OPERATOR
        return (self._members.find(shown) if shown else None) or _refused(self._token)


class OperatorOnly:
    """Lets requests with the operator token through to an application."""

    def __init__(self, application: ASGIApp, token: Secret | None) -> None:
        self._application = application
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then hand on."""
        shown = _bearer(decode_headers(scope).get("authorization", ""))
        if self._token is not None and shown and self._token.matches(shown):
            await self._application(scope, receive, send)
            return
        await _refused(self._token)(scope, receive, send)


def _bearer(authorization: str) -> str:
    kind, _, shown = authorization.partition(" ")
    return shown.strip() if kind.lower() == "bearer" else ""


def _refused(token: Secret | None) -> Response:
    if token is None:
        return error_reply(
            401, "operator_token_unset", "this server has no operator token: start it with QWENPORT_ADMIN_TOKEN set"
        )
    return error_reply(
        401,
        "operator_token_invalid",
        "this address needs the operator token: send `Authorization: Bearer` with QWENPORT_ADMIN_TOKEN, "
        "or to the admin API with the token of a member (`qpm-…`)",
        {"www-authenticate": "Bearer"},
    )

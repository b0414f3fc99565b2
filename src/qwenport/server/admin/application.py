"""The admin API as an ASGI application: each request is identified, matched, allowed, read, done and answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route, Router

from qwenport.accounts.roles import Principal
from qwenport.server.admin.authorise import authorise_object, narrowed, refuse_outright
from qwenport.server.admin.bodies import Body
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.openapi import admin_document
from qwenport.server.admin.operation import AdminOperation, Asked, Place, Plain, Streamed
from qwenport.server.admin.parts import AdminParts
from qwenport.server.admin.reading import read_body as decode_body
from qwenport.server.admin.reading import read_query
from qwenport.server.admin.refusals import REFUSED, refusal
from qwenport.server.admin.streaming import send_stream
from qwenport.server.admin.table import OPERATIONS
from qwenport.server.asgi import ASGIApp, Receive, Scope, Send, decode_headers
from qwenport.server.body import read_body
from qwenport.server.client_gone import ClientGone
from qwenport.server.json_reply import error_reply, json_reply
from qwenport.server.operator import Door

LONGEST_BODY_S = 30.0
"""For a small body; a large one has as much more time as it is larger."""

_PRINCIPAL = "qwenport.principal"


def admin_application(parts: AdminParts, door: Door, operations: Sequence[AdminOperation] = OPERATIONS) -> ASGIApp:
    """Return the application, with addresses relative to `/admin/v1`; the door says who is asking."""
    desk = Desk(parts, lambda: admin_document(operations))
    by_path: defaultdict[str, dict[str, AdminOperation]] = defaultdict(dict)
    for operation in operations:
        by_path[operation.path][operation.method] = operation
    routes = [Route(path, _Address(desk, by_path[path])) for path in sorted(by_path, key=_fixed_first)]
    return _Identified(Router(routes, redirect_slashes=False, default=_unknown_address), door)


def _fixed_first(path: str) -> tuple[int, str]:
    return path.count("{"), path


class _Identified:
    """Lets those through whom the door knows."""

    def __init__(self, application: ASGIApp, door: Door) -> None:
        self._application = application
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal = self._door.admit(decode_headers(scope).get("authorization", ""))
        if isinstance(principal, Response):
            await principal(scope, receive, send)
            return
        await self._application({**scope, _PRINCIPAL: principal}, receive, send)


async def _unknown_address(scope: Scope, receive: Receive, send: Send) -> None:
    await error_reply(404, "not_found", f"there is nothing at {scope['path']}")(scope, receive, send)


class _Address:
    """One address with its operations by method."""

    def __init__(self, desk: Desk, operations: Mapping[str, AdminOperation]) -> None:
        self._desk = desk
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operations.get(scope["method"])
        if operation is None:
            await _method_refused(scope["method"], self._operations)(scope, receive, send)
            return
        try:
            answer = await _Request(operation, self._desk, scope, receive).answer()
            if isinstance(answer, Streamed):
                await send_stream(answer, self._desk.parts.read_aside, receive, send)
                return
        except ClientGone:
            return
        except REFUSED as error:
            await refusal(error)(scope, receive, send)
            return
        await _reply(operation, answer)(scope, receive, send)


def _method_refused(method: str, known: Iterable[str]) -> Response:
    allowed = ", ".join(sorted(known))
    words = f"this address takes {allowed}, not {method}"
    return error_reply(405, "method_not_allowed", words, {"allow": allowed})


def _reply(operation: AdminOperation, answer: Any) -> Response:
    if isinstance(answer, Plain):
        headers = {"content-disposition": f'attachment; filename="{answer.file_name}"'}
        return Response(answer.content, media_type=answer.media_type, headers=headers)
    return json_reply(answer, operation.status)


class _Request:
    """One request on its way through."""

    def __init__(self, operation: AdminOperation, desk: Desk, scope: Scope, receive: Receive) -> None:
        self._operation = operation
        self._desk = desk
        self._scope = scope
        self._receive = receive
        self._principal: Principal = scope[_PRINCIPAL]
        self._id: str = next(iter(scope["path_params"].values()), "")

    async def answer(self) -> Any:
        """Return what the handler answers; raises one of `REFUSED`."""
        operation, parts = self._operation, self._desk.parts
        refuse_outright(operation, self._principal)
        content = await self._content()
        if operation.reads_books:
            await parts.post()
        answer = await self._place()(lambda: self._done(content))
        if operation.place is Place.WAITING:
            answer = await answer
        if operation.changes and operation.place is not Place.WAITING:
            await parts.follow()
        return answer

    def _place(self) -> Callable[[Callable[[], Any]], Any]:
        parts = self._desk.parts
        elsewhere = {Place.DATABASE: parts.run, Place.ASIDE: parts.read_aside}
        return elsewhere.get(self._operation.place, _here)

    async def _content(self) -> bytes:
        if not self._operation.changes:
            return b""
        most = self._operation.largest_body_bytes
        seconds = LONGEST_BODY_S * max(1, most >> 20)
        return await read_body(self._receive, decode_headers(self._scope), limit_bytes=most, seconds=seconds)

    def _done(self, content: bytes) -> Any:
        operation, desk, principal = self._operation, self._desk, self._principal
        authorise_object(operation, principal, desk, self._id)
        query = read_query(self._scope["query_string"], operation.query)
        body: Any = content if operation.body is bytes else None
        if operation.changes and operation.body is not bytes:
            # Where nothing is taken, a field that somebody sends is refused too, and not passed over.
            decoded = decode_body(content, operation.json_body or Body)
            body = None if operation.json_body is None else decoded
        asked = Asked(
            principal=principal,
            id=self._id,
            query=narrowed(operation, principal, desk, query),
            body=narrowed(operation, principal, desk, body),
        )
        return operation.handler(desk, asked)


async def _here(work: Callable[[], Any]) -> Any:
    return work()

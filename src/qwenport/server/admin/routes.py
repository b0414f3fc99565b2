"""The routes of the admin API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qwenport.accounts.accounts import Accounts
from qwenport.accounts.key_errors import KeySettingInvalid
from qwenport.accounts.keys import CreateKey, NewKey
from qwenport.catalog.catalog import Catalog
from qwenport.core.ids import AccountId, KeyId, RequestId, workspace_of
from qwenport.engines.engine import Engine
from qwenport.metering.ledger import check
from qwenport.metering.reports import By, CallQuery, Reports, UsageQuery
from qwenport.server.admin.requests import (
    AdminRefused,
    Handler,
    NewKeyBody,
    RotateBody,
    answered,
    query_moment,
    query_number,
    read_json,
)
from qwenport.server.asgi import Receive, Scope, Send
from qwenport.server.json_reply import error_reply, json_reply
from qwenport.storage.database import Database
from qwenport.storage.records import KeyRecord

Run = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs blocking work of the database in its own thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminParts:
    """What the admin API works on."""

    run: Run
    post: Callable[[], Awaitable[None]]
    """Brings the books up to the journal, so that an answer holds every call that has ended."""
    follow_keys: Callable[[], Awaitable[None]]
    """Puts changes of keys in force."""
    database: Database
    accounts: Accounts
    catalog: Catalog
    open_holds: Callable[[], int]
    engines: Mapping[str, Engine]
    timezone: str
    gateway_bytes: Callable[[], int]


def admin_routes(parts: AdminParts) -> list[BaseRoute]:
    """Return the routes, relative to `/admin/v1`."""
    api = AdminApi(parts)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/keys", api.list_keys),
        ("POST", "/keys", api.create_key),
        ("DELETE", "/keys/{id}", api.delete_key),
        ("POST", "/keys/{id}/disable", api.disable_key),
        ("POST", "/keys/{id}/enable", api.enable_key),
        ("POST", "/keys/{id}/rotate", api.rotate_key),
        ("GET", "/accounts", api.list_accounts),
        ("GET", "/usage", api.usage),
        ("GET", "/calls", api.calls),
        ("GET", "/calls/{id}", api.call),
        ("GET", "/ledger/check", api.check_ledger),
        ("GET", "/status", api.status),
    )
    allowed: defaultdict[str, list[str]] = defaultdict(list)
    for method, path, _ in table:
        allowed[path].append(method)
    return [AdminRoute(path, answered(handler), method, allowed[path]) for method, path, handler in table]


class AdminRoute(Route):
    """A route that says in JSON which methods its address takes."""

    def __init__(self, path: str, handler: Handler, method: str, allowed: Sequence[str]) -> None:
        super().__init__(path, handler, methods=[method])
        self._allowed = allowed

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse the method."""
        if self.methods is None or scope["method"] in self.methods:
            await super().handle(scope, receive, send)
            return
        allowed = ", ".join(self._allowed)
        words = f"this address takes {allowed}, not {scope['method']}"
        await error_reply(405, "method_not_allowed", words, {"allow": allowed})(scope, receive, send)


async def unknown_address(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer below `/admin/v1` where there is nothing."""
    await error_reply(404, "not_found", f"there is nothing at {scope['path']}")(scope, receive, send)


class AdminApi:
    """The handlers."""

    def __init__(self, parts: AdminParts) -> None:
        self._parts = parts
        self._reports = Reports(parts.database)

    async def list_keys(self, request: Request) -> Response:
        """List the keys that were not deleted; the keys themselves are not known to anyone."""
        keys = await self._parts.run(self._parts.accounts.list_keys)
        return json_reply([shown_key(key) for key in keys])

    async def create_key(self, request: Request) -> Response:
        """Make a key; this answer is the only one that holds it."""
        body = await read_json(request, NewKeyBody)
        for model in body.models:
            self._parts.catalog.resolve(model)
        wish = CreateKey(**msgspec.structs.asdict(body))
        made = await self._parts.run(lambda: self._parts.accounts.create_key(wish))
        await self._parts.follow_keys()
        return json_reply(new_key(made), 201)

    async def delete_key(self, request: Request) -> Response:
        """Delete a key for good."""
        key_id = KeyId(request.path_params["id"])
        await self._parts.run(lambda: self._parts.accounts.delete_key(key_id))
        await self._parts.follow_keys()
        return json_reply({"id": key_id, "deleted": True})

    async def disable_key(self, request: Request) -> Response:
        """Switch a key off."""
        return await self._set_disabled(request, disabled=True)

    async def enable_key(self, request: Request) -> Response:
        """Switch a key on again."""
        return await self._set_disabled(request, disabled=False)

    async def rotate_key(self, request: Request) -> Response:
        """Make a successor of a key, which stays valid for the overlap."""
        key_id = KeyId(request.path_params["id"])
        body = await read_json(request, RotateBody)
        try:
            overlap = timedelta(seconds=body.overlap_s)
        except (OverflowError, ValueError) as error:
            raise KeySettingInvalid(f"the overlap of a rotation is `{body.overlap_s}` seconds; shorten it") from error
        made = await self._parts.run(lambda: self._parts.accounts.rotate(key_id, overlap))
        await self._parts.follow_keys()
        return json_reply(new_key(made), 201)

    async def list_accounts(self, request: Request) -> Response:
        """List the accounts."""
        found = await self._parts.run(self._parts.accounts.list_accounts)
        return json_reply([{**msgspec.to_builtins(each), "workspace_id": workspace_of(each.id)} for each in found])

    async def usage(self, request: Request) -> Response:
        """Sum the usage by day, model or key."""
        text = request.query_params.get("by") or By.DAY
        if text not in set(By):
            raise AdminRefused(f"`by` is {text!a}; it must be one of {', '.join(By)}")
        query = UsageQuery(
            by=By(text),
            since=query_moment(request, "since"),
            until=query_moment(request, "until"),
            account_id=_optional(request, "account", AccountId),
            key_id=_optional(request, "key", KeyId),
            model=_optional(request, "model", str),
            timezone=self._parts.timezone,
        )
        await self._parts.post()
        return json_reply(await self._parts.run(lambda: self._reports.usage(query)))

    async def calls(self, request: Request) -> Response:
        """List calls, newest first."""
        status = query_number(request, "status", 0)
        query = CallQuery(
            limit=query_number(request, "limit", 50),
            key_id=_optional(request, "key", KeyId),
            account_id=_optional(request, "account", AccountId),
            model=_optional(request, "model", str),
            status=status or None,
            since=query_moment(request, "since"),
            until=query_moment(request, "until"),
            before=_optional(request, "before", RequestId),
        )
        await self._parts.post()
        return json_reply(await self._parts.run(lambda: self._reports.calls(query)))

    async def call(self, request: Request) -> Response:
        """Show one call."""
        request_id = RequestId(request.path_params["id"])
        await self._parts.post()
        found = await self._parts.run(lambda: self._reports.call(request_id))
        if found is None:
            return error_reply(404, "not_found", f"there is no call `{request_id}` in the books")
        return json_reply(found)

    async def check_ledger(self, request: Request) -> Response:
        """Check that the books balance."""
        await self._parts.post()
        parts = self._parts
        return json_reply(await parts.run(lambda: check(parts.database, open_holds=parts.open_holds(), unposted=0)))

    async def status(self, request: Request) -> Response:
        """Tell how the server and its engines are."""
        engines = {target: engine.condition() for target, engine in self._parts.engines.items()}
        return json_reply({"gateway_resident_bytes": self._parts.gateway_bytes(), "engines": engines})

    async def _set_disabled(self, request: Request, *, disabled: bool) -> Response:
        key_id = KeyId(request.path_params["id"])
        key = await self._parts.run(lambda: self._parts.accounts.set_disabled(key_id, disabled))
        await self._parts.follow_keys()
        return json_reply(shown_key(key))


def new_key(made: NewKey) -> dict[str, str]:
    """Return the one answer that holds a key."""
    return {"id": made.id, "key": made.key.reveal()}


def shown_key(key: KeyRecord) -> dict[str, object]:
    """Return what an operator may see of a key: not the key, nor its hash."""
    hidden = {"digest", "revision", "deleted"}
    return {name: value for name, value in msgspec.structs.asdict(key).items() if name not in hidden}


def _optional(request: Request, name: str, kind: Callable[[str], Any]) -> Any:
    text = request.query_params.get(name)
    return kind(text) if text else None

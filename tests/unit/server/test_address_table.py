"""An address leads to the same route as in a plain router, whichever way it is found."""

from __future__ import annotations

import pytest
from starlette.routing import Mount, Route, Router

from qwenport.server.address_table import AddressTable
from qwenport.server.asgi import ASGIApp, Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio


class Named:
    """Answers with its name and with what it was told of the address."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": self.name, "parameters": scope.get("path_params", {})})


ROUTES = [
    Route("/v1/files", Named("files")),
    Route("/v1/models/{model}", Named("model")),
    Route("/v1/models/mine", Named("hidden by the pattern before it")),
    Route("/v1/files", Named("hidden by the same address before it")),
    Mount("/admin", Named("admin")),
    Route("/admin/keys", Named("hidden by the mount before it")),
    Route("/read", Named("reads"), methods=["GET"]),
]


async def answer_of(application: ASGIApp, path: str, method: str = "GET") -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError(path)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    await application(scope, receive, send)
    return sent


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["/v1/files", "/v1/models/mine", "/v1/models/x", "/admin/keys", "/read", "/v1/files/", "/nowhere", ""]
)
async def test_every_address_leads_where_a_plain_router_leads(path: str, method: str) -> None:
    default = Named("default")
    table = AddressTable(ROUTES, default=default)

    plain = await answer_of(Router(ROUTES, default=default, redirect_slashes=False), path, method)

    assert await answer_of(table, path, method) == plain


async def test_an_address_without_parameters_is_found_without_trying_patterns() -> None:
    table = AddressTable(ROUTES, default=Named("default"))
    table.routes.clear()

    assert await answer_of(table, "/v1/files") == [{"type": "files", "parameters": {}}]

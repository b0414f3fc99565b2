"""The look-up of an address: by its very name first, then by the patterns of those with parameters."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Mount, Route, Router

from qwenport.server.asgi import ASGIApp, Receive, Scope, Send


class AddressTable(Router):
    """A router that does not try one pattern after the other for an address that is known as it stands."""

    def __init__(self, routes: Sequence[BaseRoute], *, default: ASGIApp) -> None:
        """Take the routes in their order; `default` answers addresses that nobody has."""
        super().__init__(routes, default=default, redirect_slashes=False)
        self._by_path = {route.path: route for route in routes if isinstance(route, Route) and _is_first(route, routes)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to its route."""
        route = self._by_path.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await super().__call__(scope, receive, send)
        else:
            await route.handle(scope, receive, send)


def _is_first(route: Route, routes: Sequence[BaseRoute]) -> bool:
    """Tell whether a route has no parameters, and no route before it takes its address."""
    takers = (each for each in routes if isinstance(each, Route | Mount) and each.path_regex.match(route.path))
    return not route.param_convertors and next(takers) is route

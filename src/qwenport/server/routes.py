"""The route table; no logic but the table itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Mount, Route, Router

from qwenport.core.secret import Secret
from qwenport.faces.face import Face, Operation
from qwenport.server.address_table import AddressTable
from qwenport.server.admin.application import admin_application
from qwenport.server.admin.parts import AdminParts
from qwenport.server.asgi import ASGIApp, Receive, Scope, Send
from qwenport.server.cors import FaceCors
from qwenport.server.endpoint import FaceEndpoint, FaceParts
from qwenport.server.health import Health, HealthParts
from qwenport.server.openapi_page import openapi_routes
from qwenport.server.operator import Guarded, Open, OperatorOnly
from qwenport.server.oss import UploadHostParts, upload_routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who else than the holders of API keys may reach what."""

    operator_token: Secret | None
    """What opens the operator's routes; None closes them."""
    cors_origins: Sequence[str] = ()
    """Pages that browsers let call the faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicParts:
    """What the routes of the public address need of the house."""

    faces: FaceParts
    upload_host: UploadHostParts
    health: HealthParts
    admin: AdminParts


def public_application(faces: Sequence[Face], parts: PublicParts, access: Access) -> ASGIApp:
    """Return the application of the public address: the faces with API keys, the operator's routes with the token."""
    token = access.operator_token
    admin = admin_application(parts.admin, Guarded(token, parts.admin.members))
    metrics = OperatorOnly(Router([Route("/metrics", Health(parts.health).metrics)]), token)
    routes = [
        *face_routes(faces, parts.faces),
        *upload_routes(parts.upload_host),
        *health_routes(parts.health),
        *openapi_routes(faces),
        Route("/metrics", metrics),
        Mount("/admin/v1", admin),
    ]
    router = AddressTable(routes, default=UnknownAddress(faces, parts.faces))
    return FaceCors(router, faces, access.cors_origins) if access.cors_origins else router


def operator_application(health: HealthParts, admin: AdminParts) -> ASGIApp:
    """Return the application of the admin socket, whose file mode says who may use it."""
    routes = [
        *health_routes(health),
        Route("/metrics", Health(health).metrics),
        Mount("/admin/v1", admin_application(admin, Open())),
    ]
    return Router(routes, redirect_slashes=False)


def face_routes(faces: Sequence[Face], parts: FaceParts) -> list[BaseRoute]:
    """Return one route for each address of each face."""
    routes: list[BaseRoute] = []
    for face in faces:
        by_path: defaultdict[str, dict[str, Operation]] = defaultdict(dict)
        for operation in face.operations:
            by_path[operation.path][operation.method] = operation
        routes += [Route(path, FaceEndpoint(face, operations, parts)) for path, operations in by_path.items()]
    return routes


def health_routes(parts: HealthParts) -> list[BaseRoute]:
    """Return the routes that anyone may read."""
    health = Health(parts)
    return [Route("/healthz", health.alive), Route("/readyz", health.ready)]


class UnknownAddress:
    """Answers addresses that nobody has: after the key was checked, in the shape of the face whose prefix it has."""

    def __init__(self, faces: Sequence[Face], parts: FaceParts) -> None:
        by_prefix = [(prefix, FaceEndpoint(face, {}, parts)) for face in faces for prefix in face.prefixes]
        # The longest prefix first: `/compatible-mode/v1` must not be taken for something shorter.
        self._by_prefix = sorted(by_prefix, key=lambda entry: -len(entry[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the face and let it refuse."""
        path = scope["path"]
        endpoints = (endpoint for prefix, endpoint in self._by_prefix if path.startswith(f"{prefix}/"))
        await next(endpoints, self._by_prefix[0][1])(scope, receive, send)

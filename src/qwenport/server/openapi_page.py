"""The description of the API at `/openapi.json`, and at `/docs` the page that shows it.

Both are open to anyone: they hold what the source says, nothing of this server's users. The page is Swagger UI
(https://github.com/swagger-api/swagger-ui, Apache-2.0), which is shipped with the package and asks nobody else.
"""

from __future__ import annotations

import functools
import gzip
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qwenport.faces.face import Face
from qwenport.server.openapi import openapi_document
from qwenport.server.public import OPENAPI, PAGE, PAGE_PARTS

_STATIC = Path(__file__).with_name("static")
_GUARD = {
    # Swagger UI sets styles and shows icons that it holds as `data:`; everything else comes from here.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_FOR_NOW = {"cache-control": "no-cache"}
_FOR_A_DAY = {"cache-control": "public, max-age=86400"}
_PARTS: dict[str, tuple[str, str]] = {
    "docs.js": ("docs.js", "text/javascript"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css.gz", "text/css"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js.gz", "text/javascript"),
}
"""File and media type of each part of the page; those that end in `.gz` are as large as that makes worth it."""


def openapi_routes(faces: Sequence[Face]) -> list[BaseRoute]:
    """Return the routes that describe these faces."""
    parts = [Route(path, functools.partial(_part, *_PARTS[path.rpartition("/")[2]])) for path in sorted(PAGE_PARTS)]
    return [Route(OPENAPI, _Document(faces).reply), Route(PAGE, _page), *parts]


class _Document:
    """The description, which is made when it is first asked for."""

    def __init__(self, faces: Sequence[Face]) -> None:
        self._faces = faces

    # Not async: Starlette then runs it in a thread, and making the document takes a tenth of a second.
    def reply(self, request: Request) -> Response:
        return Response(self._document, media_type="application/json", headers={**_GUARD, **_FOR_NOW})

    @functools.cached_property
    def _document(self) -> bytes:
        return openapi_document(self._faces)


def _page(request: Request) -> Response:  # noqa: ARG001 - every route gets the request
    page = (_STATIC / "docs.html").read_bytes()
    return Response(page, media_type="text/html", headers={**_GUARD, **_FOR_NOW})


def _part(name: str, media_type: str, request: Request) -> Response:
    content = (_STATIC / name).read_bytes()
    headers = {**_GUARD, **_FOR_A_DAY, "vary": "accept-encoding"}
    if name.endswith(".gz"):
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return Response(content, media_type=media_type, headers=headers)

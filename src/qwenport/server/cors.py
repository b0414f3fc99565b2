"""Pages in browsers: the faces say who may call them; nothing else of the server does."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware

from qwenport.faces.face import Face
from qwenport.server.asgi import ASGIApp, Receive, Scope, Send

READABLE = ("x-request-id", "x-qwenport-served-by", "retry-after", "x-should-retry")
"""Headers of answers that a page may read beside those that any page may."""
REMEMBERED_S = 600


class FaceCors:
    """Answers preflight requests below the prefixes of faces, and marks their answers; the rest passes through."""

    def __init__(self, application: ASGIApp, faces: Sequence[Face], origins: Sequence[str]) -> None:
        """Let pages from `origins` call the faces; `*` stands for pages from anywhere."""
        self._application = application
        self._open = CORSMiddleware(
            application,
            allow_origins=origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=READABLE,
            max_age=REMEMBERED_S,
        )
        self._prefixes = tuple(f"{prefix}/" for face in faces for prefix in face.prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, by the address."""
        is_open = scope["type"] == "http" and scope["path"].startswith(self._prefixes)
        await (self._open if is_open else self._application)(scope, receive, send)

"""Small JSON answers of the routes that belong to no face."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response as StarletteResponse


def json_reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> StarletteResponse:
    """Return a response that holds `content` as JSON."""
    return StarletteResponse(
        msgspec.json.encode(content), status_code=status, headers=headers, media_type="application/json"
    )


def error_reply(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> StarletteResponse:
    """Return the error shape of health and admin routes: `{"code", "message"}`."""
    return json_reply({"code": code, "message": message}, status, headers)

"""Headers that switch something on, alike on every face."""

from __future__ import annotations

from qwenport.faces.face import Request


def is_enabled(request: Request, header: str) -> bool:
    """Tell whether a header, named in lower case, has the value `enable`."""
    return request.headers.get(header, "").strip().lower() == "enable"


def resolves_uploads(request: Request) -> bool:
    """Tell whether `oss://` addresses may be looked up, as Model Studio's clients allow it for files they uploaded."""
    return is_enabled(request, "x-dashscope-ossresourceresolve")

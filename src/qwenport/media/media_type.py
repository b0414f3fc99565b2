"""Whether a declared media type leaves room for an image; what it really is, is found by content."""

from __future__ import annotations

_UNKNOWING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""What stores say who were not told."""


def may_be_image(declared: str) -> bool:
    """Tell whether a value of `Content-Type`, or the type of a `data:` URL, can be that of an image."""
    essence = declared.partition(";")[0].strip().lower()
    return essence in _UNKNOWING or essence.startswith("image/")

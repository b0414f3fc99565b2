"""Whether a declared media type leaves room for an image or a PDF; what it really is, is found by content."""

from __future__ import annotations

_UNKNOWING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""What stores say who were not told."""
_PDF = "application/pdf"


def may_be_image(declared: str) -> bool:
    """Tell whether a value of `Content-Type`, or the type of a `data:` URL, can be that of an image or a PDF."""
    essence = _essence(declared)
    return essence in _UNKNOWING or essence == _PDF or essence.startswith("image/")


def may_be_pdf(declared: str) -> bool:
    """Tell whether it can be that of a PDF, which may be longer than an image."""
    return not _essence(declared).startswith("image/")


def _essence(declared: str) -> str:
    return declared.partition(";")[0].strip().lower()

"""Whether what a part names is one image or may be several pages, as far as its address tells before it is fetched."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlsplit

from qwenport.core.content import ImagePart

_DATA = "data:"
_STORED = "fileid://"
_ENDINGS = (".pdf", ".tif", ".tiff")
_BEGINNINGS = (b"%PDF", b"II*\x00", b"MM\x00*")
"""Of PDF and TIFF."""
_HEAD = 512
"""Characters of an address in which the first bytes of what it holds are found."""


def is_one_image(part: ImagePart) -> bool:
    """Tell whether it is certain that a part is a single image: only one that stands in the address itself can be."""
    return _is_data(part.url) and not _holds_pages(part.url)


def may_have_pages(part: ImagePart) -> bool:
    """Tell whether a part is known to have pages, or stored under a name that says nothing.

    An address on the network goes by the ending of its path: nearly all others lead to an image.
    """
    if _is_data(part.url):
        return _holds_pages(part.url)
    return part.url.startswith(_STORED) or _path(part.url).lower().endswith(_ENDINGS)


def _is_data(url: str) -> bool:
    return url[: len(_DATA)].lower() == _DATA


def _holds_pages(url: str) -> bool:
    described, _, content = url[:_HEAD].partition(",")
    if "application/pdf" in described.lower() or not described.lower().endswith(";base64"):
        return True
    try:
        return base64.b64decode(content[:8], validate=True).startswith(_BEGINNINGS)
    except binascii.Error:  # Whatever it is, it is refused when it is looked at.
        return True


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""

"""Decodes the `data:` URLs in which callers send small images inside the body (RFC 2397, base64 only)."""

from __future__ import annotations

import binascii
from urllib.parse import unquote_to_bytes

from qwenport.media.media_type import may_be_image
from qwenport.media.refusals import TYPE_WRONG, URL_INVALID, data_url_too_long, drawing_refused, refused

SCHEME = "data:"
LONGEST_DATA_URL = 10_485_760
"""Bytes of one `data:` URL as it stands in the body."""

_LOOKED_AT = 1024
"""Characters of a URL in which its first bytes are looked for."""
_SPACES = b" \t\r\n"
_MARK = ";base64"
_DRAWING = "image/svg"
"""Most are not in base64, so that nobody would look at their content."""


def decode_data_url(url: str) -> bytes:
    """Return the bytes that a `data:` URL holds.

    Raises:
        ParameterInvalid: it is too long, no base64, or says that it is neither image nor PDF.
    """
    if len(url) > LONGEST_DATA_URL:
        raise data_url_too_long(LONGEST_DATA_URL)
    head, comma, body = url[len(SCHEME) :].partition(",")
    if head.lower().startswith(_DRAWING):
        raise drawing_refused()
    if not comma or not head.lower().endswith(_MARK):
        raise refused(URL_INVALID)
    if not may_be_image(head[: -len(_MARK)]):
        raise refused(TYPE_WRONG)
    try:
        decoded = binascii.a2b_base64(_base64(body), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise refused(URL_INVALID) from error
    if not decoded:
        raise refused(URL_INVALID)
    return decoded


def beginning(url: str, size_bytes: int) -> bytes | None:
    """Return the first bytes that a `data:` URL holds, all of a shorter one; None where they are not to be told.

    Only a part of the URL is looked at: whoever fills it with spaces is not waited for.
    """
    head, comma, body = url[:_LOOKED_AT].partition(",")
    if not comma or not head.lower().endswith(_MARK):
        return None
    try:
        digits = _base64(body)
        whole = digits[: 4 * -(-size_bytes // 3)]
        if len(whole) < len(digits) or len(url) <= _LOOKED_AT:
            return binascii.a2b_base64(whole, strict_mode=True)[:size_bytes]
    except (binascii.Error, ValueError):
        pass
    return None


def _base64(body: str) -> bytes:
    """Return the digits alone: tools break them into lines, and some clients escape them as in a query."""
    digits = body.encode("ascii")
    return (unquote_to_bytes(digits) if b"%" in digits else digits).translate(None, _SPACES)

"""Which parts are one image, and which may have several pages, by their addresses alone."""

from __future__ import annotations

import base64

import pytest

from qwenport.core.content import ImagePart
from qwenport.gate.paged import is_one_image, may_have_pages


def inline(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("url", "is_one", "has_pages"),
    [
        (inline(b"\x89PNG\r\n\x1a\n"), True, False),
        (inline(b"\xff\xd8\xff", "image/jpeg"), True, False),
        ("DATA:image/png;BASE64,iVBORw0KGgo=", True, False),
        (inline(b"%PDF-1.7", "application/pdf"), False, True),
        (inline(b"%PDF-1.7"), False, True),
        (inline(b"II*\x00....", "image/tiff"), False, True),
        (inline(b"MM\x00*....", "image/tiff"), False, True),
        ("data:application/pdf;base64,AAAA", False, True),
        ("data:image/png;base64,not base64", False, True),
        ("data:image/png,%89PNG", False, True),
        ("fileid://file-fe-1", False, True),
        ("https://example.com/a.PDF?x=1", False, True),
        ("oss://instant/key/scan.tiff", False, True),
        ("https://example.com/a.png", False, False),
        ("https://example.com/download?file=a.pdf", False, False),
        ("http://[", False, False),
    ],
)
def test_an_address_tells_as_much_as_it_can(url: str, is_one: bool, has_pages: bool) -> None:
    part = ImagePart(url=url)

    assert (is_one_image(part), may_have_pages(part)) == (is_one, has_pages)

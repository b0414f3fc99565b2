"""Images that stand in the body themselves."""

from __future__ import annotations

import base64

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.media.data_url import decode_data_url

IMAGE = bytes(range(256))
TEXT = base64.b64encode(IMAGE).decode()
INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
DRAWING = "The image format is illegal and cannot be opened (SVG is not taken; send the drawing as PNG or JPEG)"
WRONG_TYPE = "Wrong Content-Type of multimodal url"


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:image/JPEG;BASE64,{TEXT}",
        f"data:image/png;name=a.png;base64,{TEXT}",
        f"data:application/octet-stream;base64,{TEXT}",
        f"data:application/pdf;base64,{TEXT}",
        f"data:;base64,{TEXT}",
        "data:image/png;base64," + "\r\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)),
        "data:image/png;base64," + TEXT.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    ],
)
def test_base64_is_decoded_as_clients_write_it(url: str) -> None:
    assert decode_data_url(url) == IMAGE


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("data:image/png;base64", INVALID),
        ("data:image/png,abc", INVALID),
        ("data:image/png;base64,", INVALID),
        ("data:image/png;base64,====", INVALID),
        ("data:image/png;base64,abc", INVALID),
        ("data:image/png;base64,ab!c", INVALID),
        ("data:image/png;base64,abc=abcd", INVALID),
        ("data:image/png;base64,\u00e4bcd", INVALID),
        ("data:image/png;base64,\udc80bcd", INVALID),
        ("data:image/svg+xml;utf8,<svg/>", DRAWING),
        (f"data:Image/SVG+xml;base64,{TEXT}", DRAWING),
        (f"data:text/html;base64,{TEXT}", WRONG_TYPE),
        (f"data:application/json;base64,{TEXT}", WRONG_TYPE),
    ],
)
def test_what_is_no_base64_of_an_image_is_refused(url: str, words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        decode_data_url(url)

    assert str(caught.value) == words


def test_the_whole_url_may_be_ten_mebibytes_long() -> None:
    head = "data:image/png;base64,"
    longest = head + "A" * (10_485_760 - len(head) - 2)
    assert len(decode_data_url(longest)) == 7_864_302

    with pytest.raises(ParameterInvalid) as caught:
        decode_data_url(longest + "AAAA")

    assert str(caught.value) == "Exceeded limit on max bytes per data-uri item : 10485760"

"""What an image is and how large: real files of every format, and files that lie."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.core.errors import ParameterInvalid
from qwenport.media.pictures import Header, read_header

PICTURES = Path(__file__).with_name("pictures")
"""All 64 by 48 pixels. Made with Pillow 12 and libheif 1.20 for these tests; `turned` ones are noted as lying."""
ILLEGAL = "The image format is illegal and cannot be opened"


def picture(name: str) -> bytes:
    return (PICTURES / name).read_bytes()


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLL", 13, b"IHDR", width, height) + b"\x08\x02\x00\x00\x00"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L4s", 8 + len(content), kind) + content


def refusal(image: bytes) -> str:
    with pytest.raises(ParameterInvalid) as caught:
        read_header(image)
    assert caught.value.parameter == "messages"
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("picture.bmp", "image/bmp"),
        ("picture.jpg", "image/jpeg"),
        ("picture.png", "image/png"),
        ("picture.tiff", "image/tiff"),
        ("picture.webp", "image/webp"),
        ("lossless.webp", "image/webp"),
        ("extended.webp", "image/webp"),
        ("picture.heic", "image/heic"),
    ],
)
def test_a_real_image_of_each_format_is_known_by_its_content(name: str, media_type: str) -> None:
    assert read_header(picture(name)) == Header(media_type, 64, 48)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("turned.jpg", Header("image/jpeg", 48, 64, 6)),
        ("turned.heic", Header("image/heic", 48, 64)),  # Its codec turns it, and leaves no note.
    ],
)
def test_the_sides_are_those_of_the_image_as_it_is_shown(name: str, header: Header) -> None:
    assert read_header(picture(name)) == header


@pytest.mark.parametrize(
    "drawing",
    [
        b"<svg width='100' height='100'><script>alert(1)</script></svg>",
        b'\xef\xbb\xbf\n<?xml version="1.0"?><!-- a drawing --><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd"><SVG/>',
    ],
)
def test_a_drawing_is_refused_by_name(drawing: bytes) -> None:
    assert refusal(drawing) == f"{ILLEGAL} (SVG is not taken; send the drawing as PNG or JPEG)"


@pytest.mark.parametrize("name", ["picture.gif", "picture.avif"])
def test_formats_that_models_do_not_take_are_refused(name: str) -> None:
    assert refusal(picture(name)) == ILLEGAL


@pytest.mark.parametrize("name", sorted(path.name for path in PICTURES.iterdir()))
def test_an_image_that_ends_within_its_header_is_refused(name: str) -> None:
    whole = picture(name)
    for length in range(20):
        assert refusal(whole[:length]) == ILLEGAL


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"GIF",
        b"<html><body>no</body></html>",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"BM" + bytes(100),
        b"II*\x00\xff\xff\xff\xff",
        b"RIFF\x00\x00\x00\x00WEBPVP9 " + bytes(50),
        b"\xff\xd8\xff\xd9" + bytes(50),
        png(0, 100),
        picture("picture.heic")[:28],
        picture("picture.heic").replace(b"pitm", b"pitn"),
        picture("picture.heic").replace(b"iprp", b"iprq"),
        picture("picture.heic").replace(b"ipma", b"ipmb"),
        picture("picture.heic").replace(b"ispe", b"isqe").replace(b"clap", b"clop"),
    ],
)
def test_what_only_looks_like_an_image_is_refused(image: bytes) -> None:
    assert refusal(image) == ILLEGAL


@pytest.mark.parametrize(("width", "height"), [(10, 100), (100, 10), (1, 1)])
def test_a_side_must_be_longer_than_ten_pixels(width: int, height: int) -> None:
    words = (
        "The image length and width do not meet the model restrictions. "
        f"[height:{height} or width:{width} must be larger than 10]"
    )

    assert refusal(png(width, height)) == words
    assert read_header(png(11, 11)) == Header("image/png", 11, 11)


def test_one_side_may_be_two_hundred_times_the_other() -> None:
    assert read_header(png(2_200, 11)) == Header("image/png", 2_200, 11)
    assert refusal(png(11, 2_211)).endswith("[absolute aspect ratio must be smaller than 200, got 201]")


def test_bmp_has_an_old_header_and_rows_in_both_directions() -> None:
    old = b"BM" + bytes(12) + struct.pack("<LHH", 12, 640, 480)
    upside_down = b"BM" + bytes(12) + struct.pack("<Lll", 40, 640, -480)

    assert read_header(old) == read_header(upside_down) == Header("image/bmp", 640, 480)


def test_jpeg_may_have_fill_bytes_and_lone_markers_before_its_frame() -> None:
    frame = struct.pack(">BBHBHH", 0xFF, 0xC2, 17, 8, 480, 640)

    assert read_header(b"\xff\xd8\xff\xff\xff\x01\xff\xc4\x00\x04\xff\xc0" + frame) == Header("image/jpeg", 640, 480)


def test_tiff_of_either_byte_order_says_its_sides_in_two_or_four_bytes() -> None:
    def tiff(order: str, mark: bytes, kind: int) -> bytes:
        value = "H2x" if kind == 3 else "L"
        entries = [
            struct.pack(order + "HHL" + value, tag, kind, 1, side) for tag, side in ((256, 640), (257, 480), (258, 8))
        ]
        return mark + struct.pack(order + "LH", 8, len(entries)) + b"".join(entries)

    for order, mark in (("<", b"II*\x00"), (">", b"MM\x00*")):
        for kind in (3, 4):
            assert read_header(tiff(order, mark, kind)) == Header("image/tiff", 640, 480)
        assert refusal(tiff(order, mark, 5)) == ILLEGAL


def test_a_header_of_thousands_of_pieces_is_given_up() -> None:
    """A hostile one has millions, and looking at all of them would hold up other calls."""
    jpeg, heic = picture("picture.jpg"), picture("picture.heic")
    end = int.from_bytes(heic[:4], "big")
    meta = heic.index(b"meta") + 8

    def with_pieces(count: int) -> list[bytes]:
        free = box(b"free", b"") * count
        grown = struct.pack(">L", int.from_bytes(heic[end : end + 4], "big") + len(free))
        return [
            jpeg[:2] + b"\xff\xe0\x00\x02" * count + jpeg[2:],
            jpeg[:2] + b"\xff" * count + jpeg[2:],
            heic[:end] + free + heic[end:],
            heic[:end] + grown + heic[end + 4 : meta] + free + heic[meta:],
        ]

    assert {read_header(image)[1:3] for image in with_pieces(100)} == {(64, 48)}
    assert {refusal(image) for image in with_pieces(5_000)} == {ILLEGAL}


def test_webp_may_ask_for_scaling_beside_its_sides() -> None:
    plain = bytearray(picture("picture.webp"))
    plain[27] |= 0x40
    plain[29] |= 0x80

    assert read_header(bytes(plain)) == Header("image/webp", 64, 48)


@given(name=st.sampled_from(sorted(path.name for path in PICTURES.iterdir())), data=st.data())
def test_damaged_headers_are_read_or_refused_and_nothing_else(name: str, data: st.DataObject) -> None:
    damaged = bytearray(picture(name))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged), 450) - 1))] = data.draw(st.integers(0, 255))
    try:
        header = read_header(bytes(damaged))
    except ParameterInvalid:
        return

    assert min(header.width, header.height) > 10

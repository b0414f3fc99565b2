"""The sides of an image in pixels as they are stored, from the headers of the common formats.

Each function takes a whole image and returns None where its header says no size; `struct.error` and `IndexError` mean
that the image ends before its header does.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

MOST_PIECES = 4096
"""Pieces of a header that are looked at; real ones have a few dozen, hostile ones millions."""

_BMP_CORE = 12
"""Length of the oldest header of BMP, whose sides take two bytes each."""
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame, which holds the size (ITU-T T.81, table B.1)."""
_JPEG_ALONE = frozenset({0x01, 0xFF, *range(0xD0, 0xD9)})
"""Markers without a length, and the bytes that may fill up before a marker."""
_JPEG_SCAN = frozenset({0xD9, 0xDA})
"""The end, and the beginning of what is no header any more."""
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_NUMBERS = {3: "H", 4: "L"}


class Size(NamedTuple):
    """Sides in pixels."""

    width: int
    height: int


def png_size(image: bytes) -> Size | None:
    """Return the size in the `IHDR` chunk, which comes first (RFC 2083, section 4.1.1)."""
    return Size(*unpack_from(">LL", image, 16)) if image[12:16] == b"IHDR" else None


def bmp_size(image: bytes) -> Size:
    """Return the size in the information header; rows from top to bottom have a negative height."""
    if unpack_from("<L", image, 14)[0] == _BMP_CORE:
        return Size(*unpack_from("<HH", image, 18))
    width, height = unpack_from("<ll", image, 18)
    return Size(width, abs(height))


def webp_size(image: bytes) -> Size | None:
    """Return the size in the first chunk (RFC 9649, section 2)."""
    match image[12:16]:
        case b"VP8 ":
            # The two highest bits ask for scaling at display (RFC 6386, section 9.1).
            width, height = unpack_from("<HH", image, 26)
            return Size(width & 0x3FFF, height & 0x3FFF)
        case b"VP8L":
            bits = unpack_from("<L", image, 21)[0]
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            low, high, low_height, high_height = unpack_from("<HBHB", image, 24)
            return Size((high << 16 | low) + 1, (high_height << 16 | low_height) + 1)
        case _:
            return None


def jpeg_size(image: bytes) -> Size | None:
    """Return the size of the first frame."""
    for marker, start in jpeg_segments(image):
        if marker in _JPEG_FRAMES:
            height, width = unpack_from(">HH", image, start + 1)
            return Size(width, height)
    return None


def jpeg_segments(image: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment before the first scan, and where what it holds begins."""
    at = 2
    for _ in range(MOST_PIECES):
        at = image.find(b"\xff", at)
        marker = image[at + 1] if at >= 0 else 0xD9
        if marker in _JPEG_SCAN:
            return
        if marker in _JPEG_ALONE:
            at += 1 if marker == 0xFF else 2
        else:
            yield marker, at + 4
            at += 2 + unpack_from(">H", image, at + 2)[0]


def tiff_size(image: bytes) -> Size | None:
    """Return the size of the first page (TIFF 6.0, section 2)."""
    tags = tiff_tags(image, 0)
    width, height = tags.get(_TIFF_WIDTH), tags.get(_TIFF_HEIGHT)
    return None if width is None or height is None else Size(width, height)


def tiff_tags(image: bytes, start: int) -> dict[int, int]:
    """Return the whole numbers among the tags of the first directory of a TIFF that begins at `start`."""
    order = "<" if image[start : start + 2] == b"II" else ">"
    directory = start + unpack_from(order + "L", image, start + 4)[0]
    entries = min(unpack_from(order + "H", image, directory)[0], MOST_PIECES)
    tags: dict[int, int] = {}
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        tag, kind = unpack_from(order + "HH", image, at)
        if kind in _TIFF_NUMBERS:
            tags[tag] = unpack_from(order + _TIFF_NUMBERS[kind], image, at + 8)[0]
    return tags

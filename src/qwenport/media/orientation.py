"""How an image is to be turned to be seen upright, as its camera noted it (Exif 2.32, tag 274, in the common formats).

Each function takes a whole image and returns EXIF's number: 1 for none, 5 to 8 where width and height change places.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from struct import unpack_from

from qwenport.media.image_headers import MOST_PIECES, jpeg_segments, tiff_tags

UPRIGHT = 1
LYING = frozenset({5, 6, 7, 8})

_TAG = 274
_NUMBERS = range(1, 9)
_PREFIX = b"Exif\x00\x00"
_JPEG_APPLICATION = 0xE1


def jpeg_orientation(image: bytes) -> int:
    """Return the note in the first `APP1` segment that holds Exif."""
    for marker, start in jpeg_segments(image):
        if marker == _JPEG_APPLICATION and image.startswith(_PREFIX, start):
            return _noted(image, start + len(_PREFIX))
    return UPRIGHT


def png_orientation(image: bytes) -> int:
    """Return the note in the `eXIf` chunk (PNG, third edition, section 11.3.4.5)."""
    return next((_noted(image, start) for kind, start in _png_chunks(image) if kind == b"eXIf"), UPRIGHT)


def webp_orientation(image: bytes) -> int:
    """Return the note in the `EXIF` chunk (RFC 9649, section 2.7.1.5), before which some tools put JPEG's prefix."""
    for kind, start in _webp_chunks(image):
        if kind == b"EXIF":
            return _noted(image, start + (len(_PREFIX) if image.startswith(_PREFIX, start) else 0))
    return UPRIGHT


def tiff_orientation(image: bytes) -> int:
    """Return the note of the first page."""
    return _noted(image, 0)


def known_orientation(image: bytes, read: Callable[[bytes], int]) -> int:
    """Return what one of these functions finds; 1 where the note is damaged, which does no harm to the image."""
    try:
        return read(image)
    except (IndexError, struct.error):
        return UPRIGHT


def _noted(image: bytes, start: int) -> int:
    number = tiff_tags(image, start).get(_TAG, UPRIGHT)
    return number if number in _NUMBERS else UPRIGHT


def _png_chunks(image: bytes) -> Iterator[tuple[bytes, int]]:
    at = 8
    for _ in range(MOST_PIECES):
        length, kind = unpack_from(">L4s", image, at)
        yield kind, at + 8
        at += 12 + length


def _webp_chunks(image: bytes) -> Iterator[tuple[bytes, int]]:
    at = 12
    for _ in range(MOST_PIECES):
        kind, length = unpack_from("<4sL", image, at)
        yield kind, at + 8
        at += 8 + length + length % 2

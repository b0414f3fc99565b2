"""What an image is, by its first bytes, and whether its size is one that models take; no pixel is decoded here."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from qwenport.media.heic import heic_size, is_heic
from qwenport.media.image_headers import Size, bmp_size, jpeg_size, png_size, tiff_size, webp_size
from qwenport.media.orientation import (
    LYING,
    UPRIGHT,
    jpeg_orientation,
    known_orientation,
    png_orientation,
    tiff_orientation,
    webp_orientation,
)
from qwenport.media.paged import is_tiff
from qwenport.media.refusals import FORMAT_ILLEGAL, drawing_refused, refused, size_unfit

LONGEST_FILE = 10_485_760
"""Bytes of one image, however it came (visual understanding guide, help.aliyun.com/zh/model-studio/vision)."""
SHORTEST_SIDE = 10
"""Pixels that each side must be longer than."""
LARGEST_ASPECT = 200
"""How many times longer one side may be than the other."""

_FORMATS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], Size | None]], ...] = (
    ("image/jpeg", lambda image: image.startswith(b"\xff\xd8\xff"), jpeg_size),
    ("image/png", lambda image: image.startswith(b"\x89PNG\r\n\x1a\n"), png_size),
    ("image/webp", lambda image: image.startswith(b"RIFF") and image[8:12] == b"WEBP", webp_size),
    ("image/bmp", lambda image: image.startswith(b"BM"), bmp_size),
    ("image/tiff", is_tiff, tiff_size),
    ("image/heic", is_heic, heic_size),
)
"""The formats that are taken: media type, how to tell it, how to find its size."""
_ORIENTATIONS: Mapping[str, Callable[[bytes], int]] = MappingProxyType(
    {
        "image/jpeg": jpeg_orientation,
        "image/png": png_orientation,
        "image/webp": webp_orientation,
        "image/tiff": tiff_orientation,
    }
)
"""How to find a camera's note; BMP has none, and the size of a HEIC image follows its own."""
_DRAWING = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)", re.IGNORECASE)
_DRAWING_WITHIN = 4096


class Header(NamedTuple):
    """What an image's header says."""

    media_type: str
    width: int
    """Pixels, as the image is shown: a camera's note that it is to be turned is followed."""
    height: int
    orientation: int = UPRIGHT
    """That note, by EXIF's numbers: what is still to be done with the pixels as they are stored."""


def read_header(image: bytes) -> Header:
    """Return what an image is and how large; a file that could be two things is what its first bytes say.

    Raises:
        ParameterInvalid: it is none of the formats that are taken, its header is damaged, or its sides are out of
            bounds.
    """
    for media_type, is_of_type, read_size in _FORMATS:
        if is_of_type(image):
            width, height = _size(image, read_size)
            orientation = known_orientation(image, _ORIENTATIONS.get(media_type, lambda _: UPRIGHT))
            if orientation in LYING:
                width, height = height, width
            _check_sides(width, height)
            return Header(media_type, width, height, orientation)
    raise drawing_refused() if _is_drawing(image) else refused(FORMAT_ILLEGAL)


def _is_drawing(content: bytes) -> bool:
    head = content[:_DRAWING_WITHIN]
    return _DRAWING.match(head) is not None and b"<svg" in head.lower()


def _size(image: bytes, read_size: Callable[[bytes], Size | None]) -> Size:
    try:
        size = read_size(image)
    except (IndexError, struct.error) as error:  # The header ends too early, or points behind the end.
        raise refused(FORMAT_ILLEGAL) from error
    if size is None or min(size) < 1:
        raise refused(FORMAT_ILLEGAL)
    return size


def _check_sides(width: int, height: int) -> None:
    if min(width, height) <= SHORTEST_SIDE:
        raise size_unfit(f"height:{height} or width:{width} must be larger than {SHORTEST_SIDE}")
    aspect = max(width, height) / min(width, height)
    if aspect > LARGEST_ASPECT:
        raise size_unfit(f"absolute aspect ratio must be smaller than {LARGEST_ASPECT}, got {aspect:g}")

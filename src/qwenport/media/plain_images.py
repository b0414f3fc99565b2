"""From an image of any accepted kind to plain ones: upright, 8 bits a sample, RGB or grey; runs in `picture_child`."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator

from PIL import Image

from qwenport.media.document_ending import DocumentEnded, Ending
from qwenport.media.picture_encoding import packed
from qwenport.media.picture_order import PictureOrder
from qwenport.media.plain_pixels import plain_pixels, tiff_tag

_CODECS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/heic": "HEIF",
}
"""Pillow's name for the one codec that may read an image: what it is was told by its first bytes."""
_PLUGINS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "BMP": "Bmp", "TIFF": "Tiff"}
_TURNED_HERE = frozenset({"JPEG", "PNG", "WEBP"})
"""The other codecs turn an image upright themselves."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's number of an orientation."""
_PHOTOGRAPHS = frozenset({"JPEG", "HEIF"})
_LOSSY_WEBP = b"VP8 "
_DEPTH_AT = 24
"""Where a PNG says how many bits a sample has (RFC 2083, section 4.1.1)."""
_IMAGES_A_PAGE = 3
"""Of a TIFF: a page may have a smaller version and a mask beside it."""
_SUBFILE_TYPE = 254
_NO_PAGE = 0b101
"""Bits of this tag of TIFF: a smaller version of another image of the file, and a mask."""


def plain_images(content: bytes, order: PictureOrder) -> Iterator[bytes]:
    """Yield the image, or each page of one that has several; an empty one where it is plain as it came.

    Raises:
        DocumentEnded: it has too many pages or pixels. Errors of the codecs are not caught: they end the process.
    """
    codec = _CODECS[order.media_type]
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own bound; the one here is the operator's.
    _load_codec(codec)
    with Image.open(io.BytesIO(content), formats=(codec,)) as opened:
        for page in _pages(opened, codec, order):
            if page.width * page.height > order.most_pixels:
                raise DocumentEnded(Ending.TOO_MANY_PIXELS)
            page.load()
            if _is_plain(page, content, order):
                yield b""
            else:
                plain = plain_pixels(page)
                if codec in _TURNED_HERE and order.orientation in _TURNS:
                    plain = plain.transpose(_TURNS[order.orientation])
                yield packed(plain, is_photograph=codec in _PHOTOGRAPHS or content[12:16] == _LOSSY_WEBP)


def _load_codec(codec: str) -> None:
    if codec == "HEIF":
        pi_heif = importlib.import_module("pi_heif")
        # A thread would take its own share of the address space, which is bounded.
        pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    else:
        importlib.import_module(f"PIL.{_PLUGINS[codec]}ImagePlugin")


def _pages(opened: Image.Image, codec: str, order: PictureOrder) -> Iterator[Image.Image]:
    """Yield the pages of a TIFF, and of everything else the first image: what an animation begins with."""
    if codec != "TIFF":
        yield opened
        return
    for number in _page_numbers(opened, order.most_pages):
        opened.seek(number)
        yield opened


def _page_numbers(opened: Image.Image, most_pages: int) -> list[int]:
    numbers: list[int] = []
    for number in range(most_pages * _IMAGES_A_PAGE + 1):
        try:
            opened.seek(number)
        except EOFError:
            return numbers or [0]
        if not tiff_tag(opened, _SUBFILE_TYPE, 0) & _NO_PAGE:
            numbers.append(number)
        if len(numbers) > most_pages:
            break
    raise DocumentEnded(Ending.TOO_MANY_PAGES)


def _is_plain(page: Image.Image, content: bytes, order: PictureOrder) -> bool:
    """Tell whether every reader would see the same in the image as it came."""
    if page.mode not in {"RGB", "L"} or order.orientation != 1 or page.size != (order.width, order.height):
        return False
    if order.media_type == "image/png":
        return content[_DEPTH_AT] == 8 and "transparency" not in page.info and not getattr(page, "is_animated", False)
    return order.media_type == "image/jpeg"

"""The size of a HEIC image: its primary item, cut to its clean aperture and turned (ISO/IEC 14496-12 and 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from
from typing import NamedTuple

from qwenport.media.image_headers import MOST_PIECES, Size

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
"""Brands of HEVC images; the `mif1` of a general HEIF file may be any codec."""
_LONGEST_FTYP = 256


class _Box(NamedTuple):
    kind: bytes
    start: int
    """Of what it holds."""
    end: int


def is_heic(image: bytes) -> bool:
    """Tell whether a file says that HEVC images are in it."""
    if image[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(image[:4], "big"), _LONGEST_FTYP)
    return any(image[at : at + 4] in _BRANDS for at in (8, *range(16, end - 3, 4)))


def heic_size(image: bytes) -> Size | None:
    """Return the size of the primary item as it is shown: its own note to turn it goes before one of Exif."""
    meta = _find(image, b"meta", 0, len(image))
    if meta is None:
        return None
    children = {box.kind: box for box in _boxes(image, meta.start + 4, meta.end)}
    primary, holder = children.get(b"pitm"), children.get(b"iprp")
    if primary is None or holder is None:
        return None
    properties = _find(image, b"ipco", holder.start, holder.end)
    links = _find(image, b"ipma", holder.start, holder.end)
    if properties is None or links is None:
        return None
    known = tuple(_boxes(image, properties.start, properties.end))
    numbers = _links(image, links, _primary_item(image, primary))
    held = {known[number - 1].kind: known[number - 1] for number in numbers if number}
    size = _size(image, held)
    return Size(size.height, size.width) if size is not None and _is_turned(image, held) else size


def _is_turned(image: bytes, properties: dict[bytes, _Box]) -> bool:
    """Tell whether it is turned by a quarter or three: `irot` counts quarters."""
    return b"irot" in properties and bool(image[properties[b"irot"].start] & 1)


def _size(image: bytes, properties: dict[bytes, _Box]) -> Size | None:
    if (aperture := properties.get(b"clap")) is not None:
        width, width_parts, height, height_parts = unpack_from(">LLLL", image, aperture.start)
        if width_parts and height_parts:
            return Size(width // width_parts, height // height_parts)
    if (extents := properties.get(b"ispe")) is not None:
        return Size(*unpack_from(">LL", image, extents.start + 4))
    return None


def _primary_item(image: bytes, box: _Box) -> int:
    return int(unpack_from(">L" if image[box.start] else ">H", image, box.start + 4)[0])


def _links(image: bytes, box: _Box, item: int) -> tuple[int, ...]:
    """Return the numbers of an item's properties, from 1; the highest bit only says that one is essential."""
    is_long_id, is_long_number = image[box.start] > 0, image[box.start + 3] & 1
    number_size = 2 if is_long_number else 1
    at = box.start + 8
    for _ in range(min(unpack_from(">L", image, box.start + 4)[0], MOST_PIECES)):
        found = unpack_from(">L" if is_long_id else ">H", image, at)[0]
        at += 4 if is_long_id else 2
        count = image[at]
        at += 1
        if found == item:
            numbers = unpack_from(f">{count}{'H' if is_long_number else 'B'}", image, at)
            return tuple(number & (0x7FFF if is_long_number else 0x7F) for number in numbers)
        at += count * number_size
    return ()


def _find(image: bytes, kind: bytes, start: int, end: int) -> _Box | None:
    return next((box for box in _boxes(image, start, end) if box.kind == kind), None)


def _boxes(image: bytes, start: int, end: int) -> Iterator[_Box]:
    """Yield the boxes that lie side by side; one of length 0 reaches to the end, one of length 1 says it in 8 bytes."""
    for _ in range(MOST_PIECES):
        if start + 8 > end:
            return
        length, kind = unpack_from(">L4s", image, start)
        head = 8
        if length == 1:
            length, head = unpack_from(">Q", image, start + 8)[0], 16
        stop = end if length == 0 else start + length
        if stop < start + head or stop > end:
            return
        yield _Box(kind, start + head, stop)
        start = stop

"""What gateway and child process know of one another when pictures are made: the order, and how pictures are sent.

Nothing of `asyncio` is needed here, which would double the time that the child takes to start.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import BinaryIO, NamedTuple

PDF = "application/pdf"

LENGTH = Struct(">Q")
"""Stands before each picture."""


class PictureOrder(NamedTuple):
    """What is made of the image or PDF at standard input: its words on the command line."""

    media_type: str
    width: int
    """Pixels of the upright image, as the gateway read its header; 0 for a PDF."""
    height: int
    orientation: int
    """As EXIF numbers it."""
    most_pixels: int
    most_pages: int
    page_dpi: int

    @property
    def arguments(self) -> tuple[str, ...]:
        """The order as arguments."""
        return tuple(str(each) for each in self)

    @classmethod
    def parse(cls, arguments: Iterable[str]) -> PictureOrder:
        """Return the order that arguments say."""
        media_type, *numbers = arguments
        return cls(media_type, *(int(number) for number in numbers))


def write_pictures(pictures: Iterable[bytes], output: BinaryIO) -> None:
    """Send pictures, each with its length before it; an empty one stands for an image that is fine as it came."""
    for picture in pictures:
        output.write(LENGTH.pack(len(picture)))
        output.write(picture)
    output.flush()

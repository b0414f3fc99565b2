"""The child process that makes pictures: `python -I -m qwenport.media.picture_child SECONDS MEMORY …` and an order.

Its standard input is an image or a PDF; its standard output the pictures that engines can take it for: upright, 8 bits
a sample, RGB or grey, as PNG or JPEG. Codecs are native code, and small files can unpack to anything: what breaks or
exhausts them ends this process and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from qwenport.children.withdrawal import withdraw
from qwenport.media.document_ending import DocumentEnded, Ending
from qwenport.media.picture_order import PDF, PictureOrder, write_pictures


def main(order: PictureOrder) -> Ending:
    """Write the pictures of what stands at standard input to standard output."""
    try:
        write_pictures(_pictures(order, sys.stdin.buffer.read()), sys.stdout.buffer)
    except DocumentEnded as ended:
        return ended.ending
    return Ending.DONE


def _pictures(order: PictureOrder, content: bytes) -> Iterator[bytes]:
    # Each is imported where it is needed: PDFium and the codecs are loaded within the bounds.
    if order.media_type == PDF:
        from qwenport.media.pdf_pages import drawn_pages  # noqa: PLC0415 - see above

        return drawn_pages(content, order)
    from qwenport.media.plain_images import plain_images  # noqa: PLC0415 - see above

    return plain_images(content, order)


if __name__ == "__main__":
    withdraw(int(sys.argv[1]), int(sys.argv[2]))
    ending = main(PictureOrder.parse(sys.argv[3:]))
    # PDFium frees its pages in an order of its own at exit; nothing of it is needed any more.
    os._exit(ending)

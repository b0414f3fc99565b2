"""The pages of a PDF as pictures, drawn by PDFium; runs in `picture_child`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
from pypdfium2 import raw

from qwenport.media.document_ending import DocumentEnded, Ending
from qwenport.media.picture_encoding import packed
from qwenport.media.picture_order import PictureOrder

POINTS_AN_INCH = 72
LARGEST_PAGE = 30_720_000
"""Pixels of a page, which is drawn less finely where it would have more: no model looks at more of an image."""
LONGEST_SIDE = 32_768
"""Pixels of a side, which a page of a mile by a hair would have more of."""
_SCANNED_PART = 0.25
"""Of a page, that one image covers where it was scanned or is a photograph."""


def drawn_pages(content: bytes, order: PictureOrder) -> Iterator[bytes]:
    """Yield a picture of each page. Scripts are not run: this PDFium has no interpreter for them.

    Raises:
        DocumentEnded: it is damaged, protected by a password, has no page or too many.
    """
    try:
        pdf = pypdfium2.PdfDocument(content)
        pdf.init_forms()  # What was filled in is drawn too.
        if len(pdf) > order.most_pages:
            raise DocumentEnded(Ending.TOO_MANY_PAGES)
        if not len(pdf):
            raise DocumentEnded(Ending.UNREADABLE)
        for number in range(len(pdf)):
            page = pdf[number]
            yield _drawn(page, order)
            page.close()
    except pypdfium2.PdfiumError as error:
        is_protected = error.err_code == raw.FPDF_ERR_PASSWORD
        raise DocumentEnded(Ending.PROTECTED if is_protected else Ending.UNREADABLE) from error


def _drawn(page: pypdfium2.PdfPage, order: PictureOrder) -> bytes:
    width, height = page.get_size()
    bitmap = page.render(scale=_scale(width, height, order), rev_byteorder=True, prefer_bgrx=False)
    return packed(bitmap.to_pil().convert("RGB"), is_photograph=_is_scan(page, width * height))


def _scale(width: float, height: float, order: PictureOrder) -> float:
    """Return how many pixels a point becomes; sizes are in points."""
    area, longest = max(width * height, 1.0), max(width, height, 1.0)
    most_pixels = min(order.most_pixels, LARGEST_PAGE)
    return min(order.page_dpi / POINTS_AN_INCH, math.sqrt(most_pixels / area), LONGEST_SIDE / longest)


def _is_scan(page: pypdfium2.PdfPage, area: float) -> bool:
    for image in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=2):
        left, bottom, right, top = image.get_bounds()
        if (right - left) * (top - bottom) > area * _SCANNED_PART:
            return True
    return False

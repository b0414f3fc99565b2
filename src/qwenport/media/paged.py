"""Which files have pages, by their first bytes: one answer for who draws them and who holds room for them before."""

from __future__ import annotations

from qwenport.media.document_ending import SIGNATURE_WITHIN, DocumentKind, document_kind

HEAD_BYTES = SIGNATURE_WITHIN
"""More of a file is not looked at."""

_TIFF = (b"II*\x00", b"MM\x00*")


def is_pdf(content: bytes) -> bool:
    """Tell whether a file is a PDF."""
    return document_kind(content) is DocumentKind.PDF


def is_tiff(content: bytes) -> bool:
    """Tell whether a file is a TIFF, which may have several images."""
    return content.startswith(_TIFF)


def is_paged(content: bytes) -> bool:
    """Tell whether a file may have several pages; every other is one image."""
    return is_tiff(content) or is_pdf(content)

"""The text of a PDF, by PDFium; runs in `document_child`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pypdfium2  # type: ignore[import-untyped]  # it ships no types

from qwenport.media.document_ending import MOST_PAGES, DocumentEnded, Ending

_HYPHEN = "\ufffe"
"""What PDFium gives for a hyphen at the end of a line, which is no character."""


def pdf_texts(document: BinaryIO) -> Iterator[str]:
    """Yield the text page by page.

    Raises:
        DocumentEnded: it is damaged, protected by a password, or has too many pages.
    """
    try:
        pdf = pypdfium2.PdfDocument(document)
        if len(pdf) > MOST_PAGES:
            raise DocumentEnded(Ending.TOO_MANY_PAGES)
        for number in range(len(pdf)):
            page = pdf[number]
            text = page.get_textpage().get_text_range()
            page.close()
            yield text.replace("\r\n", "\n").replace(_HYPHEN, "-") + "\n"
    except pypdfium2.PdfiumError as error:
        raise DocumentEnded(Ending.UNREADABLE) from error

"""The child process that reads one document: `python -I -m qwenport.media.document_child SECONDS MEMORY KIND BYTES`.

The document is its standard input, a file; the text goes to its standard output as UTF-8, at most BYTES of it. PDFium
is native code, and archives can unpack to anything: a document that breaks or exhausts its reader ends this process
and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from qwenport.children.withdrawal import withdraw
from qwenport.media.document_ending import DocumentEnded, DocumentKind, Ending


def main(kind: str, most_bytes: int) -> Ending:
    """Write the text of the document at standard input to standard output."""
    try:
        _write(_texts(DocumentKind(kind), sys.stdin.buffer), most_bytes)
    except DocumentEnded as ended:
        return ended.ending
    return Ending.DONE


def _texts(kind: DocumentKind, document: BinaryIO) -> Iterator[str]:
    # Each is imported where it is needed: PDFium is loaded for PDFs alone, and within the bounds.
    if kind is DocumentKind.PDF:
        from qwenport.media.pdf_text import pdf_texts  # noqa: PLC0415 - see above

        return pdf_texts(document)
    from qwenport.media.docx_text import docx_texts  # noqa: PLC0415 - see above

    return docx_texts(document)


def _write(texts: Iterator[str], most_bytes: int) -> None:
    left = most_bytes
    for text in texts:
        encoded = text.encode("utf-8", "replace")
        left -= len(encoded)
        if left < 0:
            raise DocumentEnded(Ending.TOO_LONG)
        sys.stdout.buffer.write(encoded)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    withdraw(int(sys.argv[1]), int(sys.argv[2]))
    ending = main(sys.argv[3], int(sys.argv[4]))
    # PDFium frees its pages in an order of its own at exit; nothing of it is needed any more.
    os._exit(ending)

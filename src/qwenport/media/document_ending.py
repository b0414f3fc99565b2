"""What gateway and child processes know of one another: kinds of documents, and how reading one ends."""

from __future__ import annotations

from enum import IntEnum, StrEnum

MOST_PAGES = 15_000
"""Pages of one document (error messages page of Model Studio)."""


class DocumentKind(StrEnum):
    """What a document is, by its first bytes."""

    PDF = "pdf"
    ZIP = "zip"
    """An archive, as which Word documents come."""


_SIGNATURES = ((b"%PDF-", DocumentKind.PDF), (b"PK\x03\x04", DocumentKind.ZIP))
SIGNATURE_WITHIN = 64
"""Bytes of a document that may be spaces before its signature."""


def document_kind(content: bytes) -> DocumentKind | None:
    """Return what a document is by its first bytes; None for what may be text or an image."""
    head = content[:SIGNATURE_WITHIN].lstrip()
    return next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)


class Ending(IntEnum):
    """Exit codes; whatever else the process ends with is a document that broke its reader."""

    DONE = 0
    UNSUPPORTED = 3
    """An archive that is no Word document."""
    UNREADABLE = 4
    """Damaged, or protected by a password."""
    TOO_LONG = 5
    TOO_MANY_PAGES = 6
    PROTECTED = 7
    """By a password; said of PDFs that are drawn."""
    TOO_MANY_PIXELS = 8


class DocumentEnded(Exception):
    """The document cannot be read, or not to its end."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.name)
        self.ending = ending

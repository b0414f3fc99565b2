"""The built-in tasks of the Qwen-OCR models, and what one call asks of them.

Tasks and their options as in the Qwen-OCR API reference of Model Studio.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from qwenport.core.content import Picture


class OcrTask(StrEnum):
    """A task by the name that callers give it (`ocr_options.task`)."""

    TEXT_RECOGNITION = "text_recognition"
    """All text, line by line."""
    MULTI_LANGUAGE = "multi_lan"
    """The same, for other languages than Chinese and English."""
    ADVANCED_RECOGNITION = "advanced_recognition"
    """All text, with the place of each line."""
    KEY_INFORMATION_EXTRACTION = "key_information_extraction"
    """Fields and their values."""
    TABLE_PARSING = "table_parsing"
    """Tables as HTML."""
    DOCUMENT_PARSING = "document_parsing"
    """A page with its titles, paragraphs, tables and figures, as LaTeX."""
    FORMULA_RECOGNITION = "formula_recognition"
    """Formulae as LaTeX."""


class OcrOptions(Struct, frozen=True, kw_only=True):
    """What `ocr_options` ask for."""

    task: OcrTask
    result_schema: bytes = b""
    """The fields that are wanted, a JSON object of at most three levels as the caller wrote it; empty for all fields.
    Means nothing but with `OcrTask.KEY_INFORMATION_EXTRACTION`."""
    result_places: bool = False
    """Whether the places of the values are told as well, by an engine that knows them; with the same task alone."""


def page_sizes(pictures: Sequence[Picture]) -> list[dict[str, int]]:
    """Return the frames of places on several pages, as `pages` beside them: number, width and height in pixels.

    Nothing for a single image that is no page of a document: whoever sent it knows its size.
    """
    if len(pictures) == 1 and not pictures[0].page:
        return []
    return [{"page": number, "width": each.width, "height": each.height} for number, each in enumerate(pictures, 1)]

"""What a text model is asked about the fields of a page."""

from __future__ import annotations

from msgspec import Struct


class Question(Struct, frozen=True, kw_only=True):
    """What a text model is asked."""

    prompt: str
    shape: bytes
    """JSON Schema of its answer."""
    most_tokens: int
    """Of an answer that names lines and copies from them; one that is longer repeats itself."""

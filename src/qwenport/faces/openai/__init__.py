"""The OpenAI-compatible protocol."""

from __future__ import annotations

from qwenport.faces.face import Face
from qwenport.faces.openai.errors import ERROR_SHAPES, encode_error
from qwenport.faces.openai.limit_headers import limit_headers
from qwenport.faces.openai.operations import OPERATIONS, PREFIXES

__all__ = ["OPENAI"]

OPENAI = Face(
    name="openai",
    title="OpenAI-compatible",
    prefixes=PREFIXES,
    operations=OPERATIONS,
    encode_error=encode_error,
    errors=ERROR_SHAPES,
    limit_headers=limit_headers,
)

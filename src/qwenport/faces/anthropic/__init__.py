"""The Anthropic-compatible protocol."""

from __future__ import annotations

from qwenport.faces.anthropic.errors import ERROR_SHAPES, encode_error
from qwenport.faces.anthropic.limit_headers import limit_headers
from qwenport.faces.anthropic.operations import OPERATIONS, PREFIX
from qwenport.faces.face import Face

__all__ = ["ANTHROPIC"]

ANTHROPIC = Face(
    name="anthropic",
    title="Anthropic-compatible",
    prefixes=(PREFIX,),
    operations=OPERATIONS,
    encode_error=encode_error,
    errors=ERROR_SHAPES,
    limit_headers=limit_headers,
)
"""What `anthropic.Anthropic(base_url=".../apps/anthropic")` speaks."""

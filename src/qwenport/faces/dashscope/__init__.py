"""The DashScope-native protocol."""

from __future__ import annotations

from qwenport.faces.dashscope.errors import ERROR_SHAPES, encode_error
from qwenport.faces.dashscope.operations import OPERATIONS, PREFIXES
from qwenport.faces.face import Face

__all__ = ["DASHSCOPE"]

DASHSCOPE = Face(
    name="dashscope",
    title="DashScope",
    prefixes=PREFIXES,
    operations=OPERATIONS,
    encode_error=encode_error,
    errors=ERROR_SHAPES,
)

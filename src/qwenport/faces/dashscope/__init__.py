"""The DashScope-native protocol."""

from __future__ import annotations

from qwenport.faces.dashscope.errors import encode_error
from qwenport.faces.dashscope.operations import OPERATIONS, PREFIXES
from qwenport.faces.face import Face

__all__ = ["DASHSCOPE"]

DASHSCOPE = Face(name="dashscope", prefixes=PREFIXES, operations=OPERATIONS, encode_error=encode_error)

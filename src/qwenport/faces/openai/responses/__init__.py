"""The Responses API: answers that are stored, and that later calls go on from."""

from __future__ import annotations

from qwenport.faces.openai.responses.operations import response_operations

__all__ = ["response_operations"]

"""`usage` on the native face: running totals with their details.

Field names as in the DashScope chat reference (https://www.alibabacloud.com/help/en/model-studio/qwen-api-reference).
"""

from __future__ import annotations

_USAGE = b'{"input_tokens":%d,"output_tokens":%%d,"total_tokens":%%d%b%%b}'
_IMAGES = b',"image_tokens":%d,"input_tokens_details":{"text_tokens":%d,"image_tokens":%d}'
_CACHED = b',"prompt_tokens_details":{"cached_tokens":%d}'
_TEXT = b',"output_tokens_details":{"text_tokens":%d}'
_REASONING = b',"output_tokens_details":{"text_tokens":%d,"reasoning_tokens":%d}'


class RunningUsage:
    """The usage of one answer while it grows; what the prompt consumed is encoded once."""

    __slots__ = ("_input_tokens", "_tells_reasoning", "_tells_text", "_template")

    def __init__(self, *, tells_text: bool, tells_reasoning: bool) -> None:
        """Set whether output tokens are always told by kind; reasoning is told anyway once there is any."""
        self._tells_text = tells_text
        self._tells_reasoning = tells_reasoning
        self._input_tokens = 0
        self._template = _USAGE % (0, b"")

    def begin(self, input_tokens: int, cached_tokens: int, image_tokens: int) -> None:
        """Take in what the prompt consumed."""
        images = _IMAGES % (image_tokens, input_tokens - image_tokens, image_tokens) if image_tokens else b""
        cached = _CACHED % cached_tokens if cached_tokens else b""
        self._input_tokens = input_tokens
        self._template = _USAGE % (input_tokens, images + cached)

    def encode(self, output_tokens: int, reasoning_tokens: int) -> bytes:
        """Return the usage after so many output tokens, of which so many were reasoning."""
        details = b""
        if self._tells_reasoning or reasoning_tokens:
            details = _REASONING % (output_tokens - reasoning_tokens, reasoning_tokens)
        elif self._tells_text:
            details = _TEXT % output_tokens
        return self._template % (output_tokens, self._input_tokens + output_tokens, details)

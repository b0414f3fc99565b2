"""What the Anthropic face answers, as types: messages, their blocks, and the events of a stream.

Nothing is encoded with them; the OpenAPI document is made of them, and tests hold every answer against them.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

StopReason = Literal["end_turn", "max_tokens", "tool_use"]


class TextBlock(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A text."""

    text: str


class ThinkingBlock(Struct, frozen=True, kw_only=True, tag_field="type", tag="thinking"):
    """What the model thought; the signature is empty, as on Model Studio."""

    thinking: str
    signature: str


class ToolUseBlock(Struct, frozen=True, kw_only=True, tag_field="type", tag="tool_use"):
    """A tool that the model calls."""

    id: str
    name: str
    input: dict[str, Any]


AnswerBlock = TextBlock | ThinkingBlock | ToolUseBlock


class ThinkingTokens(Struct, frozen=True, kw_only=True):
    """Output tokens that were thinking."""

    thinking_tokens: int


class Usage(Struct, frozen=True, kw_only=True):
    """What was consumed; the three sorts of input tokens add up."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    output_tokens_details: ThinkingTokens | UnsetType = UNSET


class Message(Struct, frozen=True, kw_only=True):
    """A message; one that only begins has no stop reason yet."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[AnswerBlock]
    stop_reason: StopReason | None
    stop_sequence: None
    usage: Usage


class TokenCount(Struct, frozen=True, kw_only=True):
    """How long a prompt is."""

    input_tokens: int


class TextDelta(Struct, frozen=True, kw_only=True, tag_field="type", tag="text_delta"):
    """A further piece of text."""

    text: str


class ThinkingDelta(Struct, frozen=True, kw_only=True, tag_field="type", tag="thinking_delta"):
    """A further piece of thinking."""

    thinking: str


class SignatureDelta(Struct, frozen=True, kw_only=True, tag_field="type", tag="signature_delta"):
    """The end of a thinking block."""

    signature: str


class InputJsonDelta(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_json_delta"):
    """A further piece of a tool's input, as JSON text."""

    partial_json: str


class MessageStart(Struct, frozen=True, kw_only=True, tag_field="type", tag="message_start"):
    """The first event."""

    message: Message


class Ping(Struct, frozen=True, kw_only=True, tag_field="type", tag="ping"):
    """Nothing; clients pass over it."""


class ContentBlockStart(Struct, frozen=True, kw_only=True, tag_field="type", tag="content_block_start"):
    """A block begins."""

    index: int
    content_block: AnswerBlock


class ContentBlockDelta(Struct, frozen=True, kw_only=True, tag_field="type", tag="content_block_delta"):
    """A further piece of a block."""

    index: int
    delta: TextDelta | ThinkingDelta | SignatureDelta | InputJsonDelta


class ContentBlockStop(Struct, frozen=True, kw_only=True, tag_field="type", tag="content_block_stop"):
    """A block is whole."""

    index: int


class Stop(Struct, frozen=True, kw_only=True):
    """Why the message ended."""

    stop_reason: StopReason
    stop_sequence: None


class MessageDelta(Struct, frozen=True, kw_only=True, tag_field="type", tag="message_delta"):
    """Why the message ended, and what it consumed."""

    delta: Stop
    usage: Usage


class MessageStop(Struct, frozen=True, kw_only=True, tag_field="type", tag="message_stop"):
    """The last event."""


MessageEvent = (
    MessageStart | Ping | ContentBlockStart | ContentBlockDelta | ContentBlockStop | MessageDelta | MessageStop
)
"""The data of one event."""

"""The request bodies of `messages` and `messages/count_tokens`, after the types of the `anthropic` SDK.

Unknown fields are ignored, as production ignores them; `cache_control`, `metadata`, `context_management`, `betas` and
the like are among them.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

ABSENT = Raw()


class Source(Struct, frozen=True, kw_only=True):
    """Where an image or a document comes from."""

    type: str | None = None
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: str | list[Block] | None = None


class Block(Struct, frozen=True, kw_only=True):
    """One content block of any kind; which fields it must have depends on its type."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    source: Source | None = None
    title: str | None = None
    context: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: str | list[Block] | None = None
    is_error: bool | None = None


class MessageParam(Struct, frozen=True, kw_only=True):
    """One message."""

    role: str | None = None
    content: str | list[Block] | None = None


class ToolParam(Struct, frozen=True, kw_only=True):
    """One tool; those that Anthropic defines have a `type` of their own and no schema."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: Raw = ABSENT


class ToolChoiceParam(Struct, frozen=True, kw_only=True):
    """Which tools are to be called."""

    type: str | None = None
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingParam(Struct, frozen=True, kw_only=True):
    """Whether to think, and how much."""

    type: str | None = None
    budget_tokens: int | None = None


class FormatParam(Struct, frozen=True, kw_only=True):
    """The shape of the answer."""

    type: str | None = None
    schema: Raw = ABSENT


class OutputConfigParam(Struct, frozen=True, kw_only=True):
    """What is said of the answer; `effort` is ignored."""

    format: FormatParam | None = None


class CountTokensRequest(Struct, frozen=True, kw_only=True):
    """The body of `messages/count_tokens`: what a prompt is made of."""

    model: str | None = None
    messages: list[MessageParam] | None = None
    system: str | list[Block] | None = None
    tools: list[ToolParam] | None = None


class MessagesRequest(CountTokensRequest, frozen=True, kw_only=True):
    """The body of `messages`."""

    max_tokens: int | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tool_choice: ToolChoiceParam | None = None
    thinking: ThinkingParam | None = None
    output_config: OutputConfigParam | None = None
    output_format: FormatParam | None = None
    """The name that `output_config.format` had before."""

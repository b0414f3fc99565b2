"""The request body of `responses`; unknown fields are ignored, as Model Studio's page on this API says it does.

Source: https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-openai-responses
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType

from qwenport.faces.parts import WireAddress


class WireContent(Struct, frozen=True, omit_defaults=True):
    """One part of what an item says."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    image_url: str | WireAddress | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: str | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None


class WireItem(Struct, frozen=True, omit_defaults=True):
    """One item of a conversation: a message, a function call, its output, or reasoning."""

    id: str | None = None
    type: str | None = None
    role: str | None = None
    status: str | None = None
    content: str | list[WireContent] | UnsetType | None = UNSET
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[WireContent] | None = None
    summary: list[WireContent] | None = None


class WireTool(Struct, frozen=True, kw_only=True):
    """One tool; a function's fields stand beside its type here."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw()


class WireNamedTool(Struct, frozen=True, kw_only=True):
    """A `tool_choice` that names the tool."""

    type: str | None = None
    name: str | None = None


class WireFormat(Struct, frozen=True, kw_only=True):
    """The shape of the answer's text; a schema's fields stand beside its type here."""

    type: str | None = None
    name: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None


class WireText(Struct, frozen=True, kw_only=True):
    """What `text` holds."""

    format: WireFormat | None = None


class WireReasoning(Struct, frozen=True, kw_only=True):
    """What `reasoning` holds."""

    effort: str | None = None


class ResponsesRequest(Struct, frozen=True, kw_only=True):
    """The body; null is the same as absent. The raw fields are known in order to be refused by name."""

    model: str | None = None
    input: str | list[WireItem] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    tools: list[WireTool] | None = None
    tool_choice: str | WireNamedTool | None = None
    parallel_tool_calls: bool | None = None
    text: WireText | None = None
    reasoning: WireReasoning | None = None
    enable_thinking: bool | None = None
    thinking_budget: int | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    include: list[str] | None = None
    top_logprobs: int | None = None
    store: bool | None = None
    stream: bool | None = None
    metadata: dict[str, str] | None = None
    background: bool | None = None
    conversation: Raw = Raw()
    prompt: Raw = Raw()


class Echoed(Struct, frozen=True, kw_only=True):
    """Fields of the body that the answer repeats as they were sent."""

    tools: list[Any] | None = None
    tool_choice: Any = None
    text: Any = None
    reasoning: Any = None

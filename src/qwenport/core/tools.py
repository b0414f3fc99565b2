"""Tools that a model may call, and its calls of them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Tool(Struct, frozen=True, kw_only=True):
    """One function that the caller offers."""

    name: str
    description: str = ""
    parameters: bytes = b""
    """JSON Schema of its arguments, as UTF-8 JSON; empty where it takes none."""


class ToolUse(StrEnum):
    """Whether the model calls tools."""

    AUTO = "auto"
    """As it sees fit."""
    NONE = "none"
    REQUIRED = "required"
    """At least one, whichever it likes."""
    NAMED = "named"
    """Exactly the one that is named."""


class ToolChoice(Struct, frozen=True, kw_only=True):
    """Which tools the model is to call."""

    use: ToolUse = ToolUse.AUTO
    name: str = ""
    """The tool, where `use` is `named`."""


ANY_TOOL = ToolChoice()


class ToolCall(Struct, frozen=True, kw_only=True):
    """One call that the model made, whole."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; it may be no valid JSON."""

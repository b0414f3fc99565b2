"""Tools that a caller offers, alike on both faces: `tools`, `tool_choice`, `parallel_tool_calls`.

`functions` and `function_call`, which the OpenAI protocol had before tools, are refused: Model Studio never had them,
and its answers have no place for such a call.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from msgspec import Raw, Struct

from qwenport.core.errors import ParameterInvalid
from qwenport.core.tools import ANY_TOOL, Tool, ToolChoice, ToolUse
from qwenport.faces.body import given
from qwenport.faces.json_schema import check_schema
from qwenport.faces.shown import shown

MOST_TOOLS = 128
"""As many as OpenAI takes; Model Studio publishes no bound."""
_LARGEST_SCHEMAS_BYTES = 256 * 1024
_LONGEST_NAME = 64
"""As production says: https://github.com/QwenLM/Qwen3-VL/issues/2069."""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_RESERVED_NAMES = frozenset({"search"})
"""Names that production refuses, as its error page says."""
_USES = {"auto": ToolUse.AUTO, "none": ToolUse.NONE, "required": ToolUse.REQUIRED}


class WireFunction(Struct, frozen=True, kw_only=True):
    """What `function` holds."""

    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw()


class WireTool(Struct, frozen=True, kw_only=True):
    """One tool; without a type it is a function."""

    type: str | None = None
    function: WireFunction | None = None


class WireNamed(Struct, frozen=True, kw_only=True):
    """What `function` holds in a `tool_choice`."""

    name: str | None = None


class WireToolChoice(Struct, frozen=True, kw_only=True):
    """A `tool_choice` that names the tool."""

    type: str | None = None
    function: WireNamed | None = None


class Offer(Struct, frozen=True, kw_only=True):
    """A tool as some protocol spells it, before it was looked at."""

    name: str | None
    description: str = ""
    parameters: bytes = b""
    """JSON Schema of its arguments; empty where it takes none."""
    path: str
    """Where it stands in the body, such as `tools[0].function`."""


def read_tools(wire: Sequence[WireTool] | None) -> tuple[Tool, ...]:
    """Return the tools.

    Raises:
        ParameterInvalid: what `accept_tools` refuses, or a tool that is no function.
    """
    return () if wire is None else accept_tools([_read_tool(tool, f"tools[{at}]") for at, tool in enumerate(wire)])


def accept_tools(offers: Sequence[Offer]) -> tuple[Tool, ...]:
    """Return the tools that were offered, whatever the protocol.

    Raises:
        ParameterInvalid: none or too many, a name that cannot be or stands twice, or parameters that are no schema of
            an object or too large.
    """
    if not offers:
        raise _refusal("[] is too short - 'tools'")
    if len(offers) > MOST_TOOLS:
        raise _refusal(
            f"Invalid 'tools': array too long. Expected an array with maximum length {MOST_TOOLS}, but got an array "
            f"with length {len(offers)} instead."
        )
    if sum(len(offer.parameters) for offer in offers) > _LARGEST_SCHEMAS_BYTES:
        raise _refusal(f"The schemas of tools may hold at most {_LARGEST_SCHEMAS_BYTES} bytes together.")
    tools = tuple(_accept(offer) for offer in offers)
    for name, times in Counter(tool.name for tool in tools).items():
        if times > 1:
            raise _refusal(f"Tool names must be unique, and '{name}' stands {times} times. - 'tools'")
    return tools


def read_tool_choice(wire: str | WireToolChoice | None, tools: Sequence[Tool]) -> ToolChoice:
    """Return which tools the model is to call.

    Raises:
        ParameterInvalid: no such choice, or a tool that is not among those that were offered.
    """
    if wire is None:
        return ANY_TOOL
    if isinstance(wire, str) and wire not in _USES:
        raise _choice_refusal('tool_choice is one of the strings that should be ["none", "auto"]')
    choice = ToolChoice(use=_USES[wire]) if isinstance(wire, str) else _read_named(wire)
    return accept_tool_choice(choice, tools)


def accept_tool_choice(choice: ToolChoice, tools: Sequence[Tool]) -> ToolChoice:
    """Return a choice that the tools allow, whatever the protocol.

    Raises:
        ParameterInvalid: a tool that is not among those that were offered.
    """
    if choice.use is ToolUse.NAMED and all(tool.name != choice.name for tool in tools):
        raise _choice_refusal(f"The tool '{shown(choice.name)}' of tool_choice is not among the tools")
    if choice.use is ToolUse.REQUIRED and not tools:
        raise _choice_refusal("tool_choice can only be 'required' when tools are given")
    return choice


def _read_tool(wire: WireTool, path: str) -> Offer:
    if wire.type not in {None, "function"}:
        raise _refusal(f"'{shown(wire.type)}' is not one of ['function'] - '{path}.type'")
    if wire.function is None:
        raise _refusal(f"'function' is a required property - '{path}'")
    return Offer(
        name=wire.function.name,
        description=wire.function.description or "",
        parameters=given(wire.function.parameters),
        path=f"{path}.function",
    )


def _accept(offer: Offer) -> Tool:
    if offer.name is None:
        raise _refusal(f"'name' is a required property - '{offer.path}'")
    if len(offer.name) > _LONGEST_NAME:
        raise _refusal(f"The length of the tool name cannot exceed {_LONGEST_NAME}.")
    if _NAME.fullmatch(offer.name) is None:
        raise _refusal(f"'{offer.name}' does not match '^[a-zA-Z0-9_-]+$' - '{offer.path}.name'")
    if offer.name in _RESERVED_NAMES:
        raise _refusal(f"Tool names are not allowed to be [{offer.name}]")
    if offer.parameters:
        _check_parameters(offer)
    return Tool(name=offer.name, description=offer.description, parameters=offer.parameters)


def _check_parameters(offer: Offer) -> None:
    kind = check_schema(offer.parameters, parameter="tools", path=f"{offer.path}.parameters").get("type", "object")
    if kind != "object":
        raise _refusal(f"The type of a tool's parameters must be 'object' - '{offer.path}.parameters.type'")


def _read_named(wire: WireToolChoice) -> ToolChoice:
    if wire.type != "function":
        raise _choice_refusal(f"'{shown(wire.type)}' is not one of ['function'] - 'tool_choice.type'")
    if wire.function is None or not wire.function.name:
        raise _choice_refusal("'function.name' is a required property - 'tool_choice'")
    return ToolChoice(use=ToolUse.NAMED, name=wire.function.name)


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="tools")


def _choice_refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="tool_choice")

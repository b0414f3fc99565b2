"""Tools, which of them are to be called, and the shape of an answer: what is described by JSON Schemas."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from qwenport.core.call import JsonSchema
from qwenport.core.tools import ANY_TOOL, Tool, ToolChoice, ToolUse
from qwenport.faces.anthropic.content import missing, refusal, required
from qwenport.faces.anthropic.schema import FormatParam, ToolChoiceParam, ToolParam
from qwenport.faces.body import given
from qwenport.faces.json_schema import check_schema
from qwenport.faces.shown import shown
from qwenport.faces.tools import Offer, accept_tool_choice, accept_tools

_FORMAT_NAME = "answer"
"""Formats have no name on this protocol."""
_USES = {"auto": ToolUse.AUTO, "any": ToolUse.REQUIRED, "none": ToolUse.NONE, "tool": ToolUse.NAMED}


def read_tools(wire: Sequence[ToolParam] | None) -> tuple[Tool, ...]:
    """Return the tools that the caller brings; an empty list is as good as none.

    Raises:
        ParameterInvalid: there are too many, one has no proper name or schema, or is one that Anthropic would provide.
    """
    return accept_tools([_read_tool(tool, f"tools.{position}") for position, tool in enumerate(wire)]) if wire else ()


def read_tool_choice(wire: ToolChoiceParam | None, tools: Sequence[Tool]) -> ToolChoice:
    """Return which tools are to be called.

    Raises:
        ParameterInvalid: an unknown type, or a tool that is not among those given.
    """
    if wire is None:
        return ANY_TOOL
    kind = required(wire.type, "tool_choice.type")
    use = _USES.get(kind)
    if use is None:
        raise refusal("tool_choice.type", f"'{shown(kind)}' is not one of {list(_USES)}")
    name = required(wire.name, "tool_choice.name") if use is ToolUse.NAMED else ""
    return accept_tool_choice(ToolChoice(use=use, name=name), tools)


def read_format(wire: FormatParam | None, path: str) -> JsonSchema | None:
    """Return the shape of the answer, None for free text.

    Raises:
        ParameterInvalid: another type than `json_schema`, or a schema that is missing, too large, too deep or no
            object.
    """
    if wire is None:
        return None
    kind = required(wire.type, f"{path}.type")
    if kind != "json_schema":
        raise refusal(f"{path}.type", f"'{shown(kind)}' is not one of ['json_schema']")
    schema = _require_schema(wire.schema, f"{path}.schema")
    check_schema(schema, parameter=path, path=f"{path}.schema")
    return JsonSchema(name=_FORMAT_NAME, schema=schema, strict=True)


def _read_tool(wire: ToolParam, path: str) -> Offer:
    if wire.type not in {None, "custom"}:
        words = f"'{shown(wire.type)}' tools are not served here; only tools with an `input_schema` are"
        raise refusal(f"{path}.type", words)
    return Offer(
        name=wire.name,
        description=wire.description or "",
        parameters=_require_schema(wire.input_schema, f"{path}.input_schema"),
        path=path,
    )


def _require_schema(wire: Raw, path: str) -> bytes:
    schema = given(wire)
    if not schema:
        raise missing(path)
    return schema

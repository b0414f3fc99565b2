"""The schema that holds an answer to tool calls: one call, or a list of them.

llama.cpp alone ignores `tool_choice` for templates that tell no tools, and lets a model whose template does tell them
answer in text all the same; so the engine holds the answer itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from qwenport.core.call import ChatInput
from qwenport.core.errors import ParameterInvalid
from qwenport.core.tools import Tool, ToolUse
from qwenport.engines.llama.bounded_schema import bounded
from qwenport.engines.llama.hermes import call_head
from qwenport.engines.llama.schema_bounds import SchemaRefused, check_values, decode_schema

MOST_CALLS = 8
"""Calls in one answer, where several are allowed."""

_NO_ARGUMENTS: dict[str, Any] = {"type": "object"}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.:/-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What an answer of tool calls is held to."""

    schema: bytes
    begun: str
    """How the answer begins in the prompt: what is the same in every answer need not be generated."""


def must_call(asked: ChatInput) -> bool:
    """Tell whether the caller wants a call, whatever the model would rather say."""
    return bool(asked.tools) and asked.tool_choice.use in {ToolUse.REQUIRED, ToolUse.NAMED}


def constraint_of(asked: ChatInput) -> Constraint:
    """Return what holds an answer to calls of the tools that may be called.

    Raises:
        ParameterInvalid: the tool that is named is not offered, or the parameters of one are more than the engine can
            be given.
    """
    tools = _callable(asked)
    is_list = asked.parallel_tool_calls and asked.tool_choice.use is ToolUse.REQUIRED
    schema: dict[str, Any] = {"anyOf": [_call_schema(tool, index) for index, tool in enumerate(tools)]}
    if is_list:
        schema = {"type": "array", "items": schema, "minItems": 1, "maxItems": MOST_CALLS}
    schema["$defs"] = {f"tool{index}": _arguments(tool, index) for index, tool in enumerate(tools)}
    try:
        check_values(schema)
    except SchemaRefused as refused:
        raise _invalid("The parameters of the tools are", refused) from refused
    return Constraint(schema=msgspec.json.encode(schema), begun=f"{'[' if is_list else ''}{_begun(tools)}")


def _callable(asked: ChatInput) -> tuple[Tool, ...]:
    if asked.tool_choice.use is not ToolUse.NAMED:
        return asked.tools
    named = next((tool for tool in asked.tools if tool.name == asked.tool_choice.name), None)
    if named is None:
        raise ParameterInvalid(
            f"tool_choice names `{asked.tool_choice.name[:128]}`, which is none of the tools.", parameter="tool_choice"
        )
    return (named,)


def _call_schema(tool: Tool, index: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": {"$ref": f"#/$defs/tool{index}"}},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _arguments(tool: Tool, index: int) -> Any:
    try:
        schema = decode_schema(tool.parameters) if tool.parameters else _NO_ARGUMENTS
    except SchemaRefused as refused:
        raise _invalid(f"The parameters of the tool `{tool.name[:128]}` are", refused) from refused
    if schema.get("type", "object") != "object":
        reason = SchemaRefused("they must describe an object")
        raise _invalid(f"The parameters of the tool `{tool.name[:128]}` are", reason)
    # A schema that says nothing of its type is one of an object all the same.
    typed = schema if "type" in schema or "$ref" in schema else {"type": "object", **schema}
    return bounded(typed, f"#/$defs/tool{index}")


def _begun(tools: tuple[Tool, ...]) -> str:
    if len(tools) == 1 and _PLAIN_NAME.fullmatch(tools[0].name):
        return call_head(tools[0].name)
    return '{"name": "'


def _invalid(subject: str, refused: SchemaRefused) -> ParameterInvalid:
    return ParameterInvalid(f"{subject} invalid: {refused}.", parameter="tools")

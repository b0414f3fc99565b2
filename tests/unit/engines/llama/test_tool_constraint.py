"""What an answer is held to that must be tool calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qwenport.core.call import ChatInput
from qwenport.core.content import Message, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.engines.llama.tool_constraint import constraint_of, must_call

HI = (Message(role=Role.USER, content="Hi"),)
WEATHER = Tool(
    name="weather", parameters=b'{"properties":{"city":{"$ref":"#/$defs/c"}},"$defs":{"c":{"type":"string"}}}'
)
STOP = Tool(name="stop")
REQUIRED = ToolChoice(use=ToolUse.REQUIRED)

WEATHER_ARGUMENTS = {
    "type": "object",
    "properties": {"city": {"$ref": "#/$defs/tool0/$defs/c"}},
    "$defs": {"c": {"type": "string", "maxLength": 200}},
    "additionalProperties": False,
}
NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": False}


def named(name: str) -> ToolChoice:
    return ToolChoice(use=ToolUse.NAMED, name=name)


def call_of(name: str, index: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": {"$ref": f"#/$defs/tool{index}"}},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def held(choice: ToolChoice, *tools: Tool, parallel: bool = False) -> tuple[Any, str]:
    asked = ChatInput(messages=HI, tools=tools, tool_choice=choice, parallel_tool_calls=parallel)
    constraint = constraint_of(asked)
    return json.loads(constraint.schema), constraint.begun


def test_one_of_the_tools_is_called() -> None:
    assert held(REQUIRED, WEATHER, STOP) == (
        {
            "anyOf": [call_of("weather", 0), call_of("stop", 1)],
            "$defs": {"tool0": WEATHER_ARGUMENTS, "tool1": NO_ARGUMENTS},
        },
        '{"name": "',
    )


def test_several_may_be_called_and_not_without_end() -> None:
    assert held(REQUIRED, WEATHER, STOP, parallel=True) == (
        {
            "type": "array",
            "items": {"anyOf": [call_of("weather", 0), call_of("stop", 1)]},
            "minItems": 1,
            "maxItems": 8,
            "$defs": {"tool0": WEATHER_ARGUMENTS, "tool1": NO_ARGUMENTS},
        },
        '[{"name": "',
    )


@pytest.mark.parametrize("parallel", [False, True])
def test_the_one_that_is_named_is_called_once(*, parallel: bool) -> None:
    assert held(named("stop"), WEATHER, STOP, parallel=parallel) == (
        {"anyOf": [call_of("stop", 0)], "$defs": {"tool0": NO_ARGUMENTS}},
        '{"name": "stop", "arguments": ',
    )


def test_a_name_that_json_writes_in_several_ways_is_left_to_the_answer() -> None:
    assert held(REQUIRED, Tool(name='a"b'))[1] == '{"name": "'


BAD: list[tuple[ToolChoice, Tool, str, str]] = [
    (named("gone"), STOP, "tool_choice names `gone`, which is none of the tools.", "tool_choice"),
    (
        REQUIRED,
        Tool(name="x", parameters=b"{"),
        "The parameters of the tool `x` are invalid: it is no JSON, or is nested too deeply.",
        "tools",
    ),
    (
        REQUIRED,
        Tool(name="x", parameters=b'{"items":' * 40 + b"{}" + b"}" * 40),
        "The parameters of the tool `x` are invalid: it is nested more than 32 levels deep.",
        "tools",
    ),
    (
        REQUIRED,
        Tool(name="x", parameters=b'{"type":"string"}'),
        "The parameters of the tool `x` are invalid: they must describe an object.",
        "tools",
    ),
    (
        REQUIRED,
        Tool(name="x", parameters=b'{"properties":{"a":{"type":"string","pattern":"a"}}}'),
        "The parameters of the tools are invalid: a `pattern` must begin with `^` and end with `$`.",
        "tools",
    ),
]


@pytest.mark.parametrize(("choice", "tool", "words", "parameter"), BAD)
def test_what_the_engine_cannot_be_given_is_refused(choice: ToolChoice, tool: Tool, words: str, parameter: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        held(choice, tool)

    assert (caught.value.message, caught.value.parameter) == (words, parameter)


def test_ten_thousand_tools_are_more_than_the_engine_can_choose_from() -> None:
    with pytest.raises(ParameterInvalid, match="more than 200 values or properties in one place"):
        held(REQUIRED, *(Tool(name=f"tool{number}") for number in range(10_000)))


def test_one_of_ten_thousand_tools_can_be_named() -> None:
    tools = (Tool(name=f"tool{number}") for number in range(10_000))

    assert held(named("tool7"), *tools)[1] == '{"name": "tool7", "arguments": '


USES = [(ToolUse.AUTO, False), (ToolUse.NONE, False), (ToolUse.REQUIRED, True), (ToolUse.NAMED, True)]


@pytest.mark.parametrize(("use", "must"), USES)
def test_a_call_is_a_must_only_where_it_is_asked_for(use: ToolUse, *, must: bool) -> None:
    choice = ToolChoice(use=use, name="stop")

    assert must_call(ChatInput(messages=HI, tools=(STOP,), tool_choice=choice)) is must
    assert not must_call(ChatInput(messages=HI, tool_choice=choice))

from __future__ import annotations

from typing import Any

import pytest
from msgspec.json import decode, encode

from qwenport.core.errors import BodyNotJson, ParameterInvalid
from qwenport.core.tools import ANY_TOOL, Tool, ToolChoice, ToolUse
from qwenport.faces.tools import (
    Offer,
    WireTool,
    WireToolChoice,
    accept_tool_choice,
    accept_tools,
    read_tool_choice,
    read_tools,
)

WEATHER = Tool(name="weather")
NO_USE = 'tool_choice is one of the strings that should be ["none", "auto"]'


def read(*functions: dict[str, Any]) -> tuple[Tool, ...]:
    return read_tools(
        decode(encode([{"type": "function", "function": each} for each in functions]), type=list[WireTool])
    )


def read_raw(body: bytes) -> tuple[Tool, ...]:
    return read_tools(decode(body, type=list[WireTool] | None))


def choose(body: bytes, *tools: Tool) -> ToolChoice:
    return read_tool_choice(decode(body, type=str | WireToolChoice | None), tools)


def test_tools_are_read_with_their_schemas_as_they_stand() -> None:
    body = (
        b'[{"type":"function","function":{"name":"get-weather_2","description":"Weather of a city.","strict":true,'
        b'"parameters":{"type": "object",  "properties":{"city":{"type":"string"}}}}},'
        b'{"function":{"name":"now","description":null,"parameters":null}},'
        b'{"function":{"name":"then","parameters":{}}}]'
    )

    assert read_raw(body) == (
        Tool(
            name="get-weather_2",
            description="Weather of a city.",
            parameters=b'{"type": "object",  "properties":{"city":{"type":"string"}}}',
        ),
        Tool(name="now"),
        Tool(name="then", parameters=b"{}"),
    )


def test_null_is_no_tools() -> None:
    assert read_raw(b"null") == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "[] is too short - 'tools'"),
        (b"[{}]", "'function' is a required property - 'tools[0]'"),
        (b'[{"type":"web_search"}]', "'web_search' is not one of ['function'] - 'tools[0].type'"),
        (b'[{"type":"%b"}]' % (b"x" * 100), f"'{'x' * 64}' is not one of ['function'] - 'tools[0].type'"),
        (b'[{"function":{}}]', "'name' is a required property - 'tools[0].function'"),
    ],
)
def test_a_tool_that_is_no_function_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read_raw(body)

    assert (caught.value.parameter, caught.value.message) == ("tools", words)


@pytest.mark.parametrize(
    "name", ["", "get weather", "天气", "a.b", "tab\t", "end\n", "nul\x00", "\x1b[31m", "ünicode", "٣", "\U0001f600"]
)
def test_a_name_has_letters_digits_underscores_and_dashes_only(name: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read({"name": name})

    assert caught.value.message == f"'{name}' does not match '^[a-zA-Z0-9_-]+$' - 'tools[0].function.name'"


def test_a_name_is_at_most_64_characters_long() -> None:
    assert read({"name": "n" * 64}) == (Tool(name="n" * 64),)
    with pytest.raises(ParameterInvalid) as caught:
        read({"name": "n" * 65})
    assert caught.value.message == "The length of the tool name cannot exceed 64."


def test_no_tool_is_called_search() -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read({"name": "search"})

    assert caught.value.message == "Tool names are not allowed to be [search]"


def test_names_are_unique() -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read({"name": "a"}, {"name": "b"}, {"name": "a"})

    assert caught.value.message == "Tool names must be unique, and 'a' stands 2 times. - 'tools'"


def test_128_tools_are_taken_and_ten_thousand_are_not() -> None:
    many = [{"name": f"tool{number}"} for number in range(10_000)]

    assert len(read(*many[:128])) == 128
    with pytest.raises(ParameterInvalid) as caught:
        read(*many)
    assert caught.value.message == (
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length "
        "10000 instead."
    )


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([], "'tools[0].function.parameters' must be Object"),
        ("object", "'tools[0].function.parameters' must be Object"),
        (
            {"type": "string"},
            "The type of a tool's parameters must be 'object' - 'tools[0].function.parameters.type'",
        ),
        (
            {"type": None},
            "The type of a tool's parameters must be 'object' - 'tools[0].function.parameters.type'",
        ),
        ({"title": "x" * 65_536}, "The schema of tools may hold at most 65536 bytes."),
    ],
)
def test_parameters_are_the_schema_of_an_object(parameters: object, words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        read({"name": "f", "parameters": parameters})

    assert (caught.value.parameter, caught.value.message) == ("tools", words)


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    schema = b'{"a":' * 64 + b"{}" + b"}" * 64

    with pytest.raises(ParameterInvalid) as caught:
        read_raw(b'[{"function":{"name":"f","parameters":%b}}]' % schema)

    assert caught.value.message == "The schema of tools may be nested at most 64 deep."


def test_a_schema_with_a_lone_surrogate_is_no_json() -> None:
    with pytest.raises(BodyNotJson):
        accept_tools([Offer(name="f", parameters=b'{"title":"\\ud800"}', path="tools[0]")])


def test_all_schemas_together_have_a_bound() -> None:
    schema = {"title": "x" * 60_000}

    assert len(read(*({"name": f"f{number}", "parameters": schema} for number in range(4)))) == 4
    with pytest.raises(ParameterInvalid) as caught:
        read(*({"name": f"f{number}", "parameters": schema} for number in range(5)))
    assert caught.value.message == "The schemas of tools may hold at most 262144 bytes together."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"null", ANY_TOOL),
        (b'"auto"', ToolChoice(use=ToolUse.AUTO)),
        (b'"none"', ToolChoice(use=ToolUse.NONE)),
        (b'"required"', ToolChoice(use=ToolUse.REQUIRED)),
        (
            b'{"type":"function","function":{"name":"weather"}}',
            ToolChoice(use=ToolUse.NAMED, name="weather"),
        ),
    ],
)
def test_a_choice_is_a_word_or_names_a_tool(body: bytes, expected: ToolChoice) -> None:
    assert choose(body, WEATHER) == expected


@pytest.mark.parametrize("body", [b"null", b'"auto"', b'"none"'])
def test_a_choice_that_asks_for_nothing_needs_no_tools(body: bytes) -> None:
    assert choose(body).use in {ToolUse.AUTO, ToolUse.NONE}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'"any"', NO_USE),
        (b'""', NO_USE),
        (b"{}", "'' is not one of ['function'] - 'tool_choice.type'"),
        (b'{"type":"tool"}', "'tool' is not one of ['function'] - 'tool_choice.type'"),
        (b'{"type":"function"}', "'function.name' is a required property - 'tool_choice'"),
        (b'{"type":"function","function":{"name":""}}', "'function.name' is a required property - 'tool_choice'"),
        (
            b'{"type":"function","function":{"name":"clock"}}',
            "The tool 'clock' of tool_choice is not among the tools",
        ),
    ],
)
def test_a_choice_that_cannot_be_kept_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        choose(body, WEATHER)

    assert (caught.value.parameter, caught.value.message) == ("tool_choice", words)


def test_a_call_cannot_be_required_of_nothing() -> None:
    with pytest.raises(ParameterInvalid) as caught:
        accept_tool_choice(ToolChoice(use=ToolUse.REQUIRED), ())

    assert (caught.value.parameter, caught.value.message) == (
        "tool_choice",
        "tool_choice can only be 'required' when tools are given",
    )

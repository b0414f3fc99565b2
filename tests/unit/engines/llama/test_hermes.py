"""Tools in the words of Qwen's own templates, for a template that knows none."""

from __future__ import annotations

from qwenport.core.content import Message, Role, TextPart
from qwenport.core.tools import Tool, ToolCall
from qwenport.engines.llama.hermes import call_head, with_tools, without_calls

TOOLS = (
    Tool(name="weather", description="Tells it", parameters=b'{"type": "object"}'),
    Tool(name="stop"),
)
TOLD = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{"type":"function","function":{"name":"weather","description":"Tells it","parameters":{"type": "object"}}}
{"type":"function","function":{"name":"stop"}}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>"""
HI = Message(role=Role.USER, content="Hi")


def test_tools_are_told_in_a_system_text() -> None:
    assert with_tools((HI,), TOOLS) == (Message(role=Role.SYSTEM, content=TOLD), HI)


def test_tools_are_told_after_the_callers_own_system_text() -> None:
    system = Message(role=Role.SYSTEM, content=(TextPart(text="Be "), TextPart(text="brief.")))

    assert with_tools((system, HI), TOOLS) == (Message(role=Role.SYSTEM, content=f"Be brief.\n\n{TOLD}"), HI)


def test_calls_and_their_answers_become_text() -> None:
    calls = (
        ToolCall(id="a", name="weather", arguments='{"city": "x"}'),
        ToolCall(id="b", name="stop", arguments=""),
    )
    messages = (
        HI,
        Message(role=Role.ASSISTANT, content="Let me see.", tool_calls=calls),
        Message(role=Role.TOOL, tool_call_id="a", content="sunny"),
        Message(role=Role.TOOL, tool_call_id="b", content=(TextPart(text="ok"),)),
        Message(role=Role.ASSISTANT, content=(TextPart(text="So:"),), tool_calls=calls[1:]),
        Message(role=Role.TOOL, tool_call_id="b", content="ok"),
        Message(role=Role.ASSISTANT, content="Sunny."),
    )
    weather = '<tool_call>\n{"name": "weather", "arguments": {"city": "x"}}\n</tool_call>'
    stop = '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'

    assert [(message.role.value, message.text) for message in without_calls(messages)] == [
        ("user", "Hi"),
        ("assistant", f"Let me see.\n{weather}\n{stop}"),
        ("user", "<tool_response>\nsunny\n</tool_response>\n<tool_response>\nok\n</tool_response>"),
        ("assistant", f"So:\n{stop}"),
        ("user", "<tool_response>\nok\n</tool_response>"),
        ("assistant", "Sunny."),
    ]


def test_a_call_without_other_text_stands_alone() -> None:
    call = ToolCall(id="a", name="stop", arguments="{}")

    assert without_calls((Message(role=Role.ASSISTANT, tool_calls=(call,)),)) == (
        Message(role=Role.ASSISTANT, content='<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'),
    )


def test_a_name_is_written_as_json() -> None:
    assert call_head('a"b') == '{"name": "a\\"b", "arguments": '

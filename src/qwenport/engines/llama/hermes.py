"""Tools in Qwen's own words, for a prompt whose chat template knows none.

The words are those of the chat template that Qwen2.5 and Qwen3 ship (`tokenizer_config.json`), named Hermes after the
models that they come from: tools in a system text, calls as `<tool_call>` in an answer, their answers as
`<tool_response>` in the user's next message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from qwenport.core.content import Message, Part, Role, TextPart
from qwenport.core.tools import Tool, ToolCall
from qwenport.engines.dialects.bodies import said_tool

OPEN = "<tool_call>"
CLOSE = "</tool_call>"

_BEFORE = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
"""
_AFTER = """
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>"""

_encode = msgspec.json.Encoder().encode


def with_tools(messages: Sequence[Message], tools: Iterable[Tool]) -> tuple[Message, ...]:
    """Return the conversation with a system text that tells the tools, after the caller's own if there is one."""
    told = _BEFORE + "\n".join(_encode(said_tool(tool)).decode() for tool in tools) + _AFTER
    if messages and messages[0].role is Role.SYSTEM:
        first, *rest = messages
        return (replace(first, content=f"{first.text}\n\n{told}"), *rest)
    return (Message(role=Role.SYSTEM, content=told), *messages)


def without_calls(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the conversation with calls and their answers as text; answers that follow one another are one message."""
    said: list[Message] = []
    follows_answer = False
    for message in messages:
        if message.role is Role.TOOL:
            answer = f"<tool_response>\n{message.text}\n</tool_response>"
            if follows_answer:
                answer = f"{said.pop().text}\n{answer}"
            said.append(Message(role=Role.USER, content=answer))
        elif message.tool_calls:
            said.append(replace(message, content=_with_calls(message), tool_calls=()))
        else:
            said.append(message)
        follows_answer = message.role is Role.TOOL
    return tuple(said)


def call_head(name: str) -> str:
    """Return how the JSON of a call begins, up to its arguments."""
    return f'{{"name": {_encode(name).decode()}, "arguments": '


def _with_calls(message: Message) -> str | tuple[Part, ...]:
    calls = "\n".join(map(_call_text, message.tool_calls))
    if isinstance(message.content, str):
        return f"{message.content}\n{calls}" if message.content else calls
    return (*message.content, TextPart(text=f"\n{calls}"))


def _call_text(call: ToolCall) -> str:
    return f"{OPEN}\n{call_head(call.name)}{call.arguments or '{}'}}}\n{CLOSE}"

"""Every text of a call that an upstream would read, masked. Images are not looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, EmbeddingInput, Input, JsonSchema, NativeInput, PromptInput, RerankInput
from qwenport.core.content import Message, TextPart
from qwenport.core.errors import ParameterInvalid
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolCall
from qwenport.engines.masking.memory import Memory, placeholders_in

T = TypeVar("T")
_DEEPEST = 64
"""Levels of JSON, as many as a schema may have."""
_Change = Callable[[str], str]


def masked_call(prepared: PreparedCall) -> tuple[PreparedCall, Memory]:
    """Return the call as it may leave, and what its placeholders stand for; the same object where nothing was found."""
    reserved: set[str] = set()

    def collect(text: str) -> str:
        reserved.update(placeholders_in(text))
        return text

    _changed(prepared.call, collect)
    memory = Memory(frozenset(reserved))
    masked = _changed(prepared.call, memory.mask)
    return (replace(prepared, call=masked) if memory else prepared), memory


def characters_in(asked: Input) -> int:
    """Return about how much there is to look through."""
    match asked:
        case ChatInput():
            return sum(map(_characters_of_message, asked.messages)) + sum(
                len(tool.description) + len(tool.parameters) for tool in asked.tools
            )
        case PromptInput():
            return len(asked.prompt) + len(asked.suffix)
        case NativeInput():
            return len(asked.body)
        case EmbeddingInput():
            return sum(map(len, asked.texts))
        case RerankInput():
            return len(asked.query) + sum(map(len, asked.documents))


def _characters_of_message(message: Message) -> int:
    return len(message.text) + len(message.reasoning) + sum(len(call.arguments) for call in message.tool_calls)


def _changed(call: Call, change: _Change) -> Call:
    """Return the call with every text changed."""
    stop = tuple(change(text) for text in call.sampling.stop)
    sampling = call.sampling if stop == call.sampling.stop else replace(call.sampling, stop=stop)
    return replace(call, input=_input(call.input, change), sampling=sampling)


def _input(asked: Input, change: _Change) -> Input:
    match asked:
        case ChatInput():
            return replace(
                asked,
                messages=tuple(_message(message, change) for message in asked.messages),
                tools=tuple(_tool(tool, change) for tool in asked.tools),
                json=replace(asked.json, schema=_json_bytes(asked.json.schema, change))
                if isinstance(asked.json, JsonSchema)
                else asked.json,
                ocr=None
                if asked.ocr is None
                else replace(asked.ocr, result_schema=_json_bytes(asked.ocr.result_schema, change)),
            )
        case PromptInput():
            return replace(asked, prompt=change(asked.prompt), suffix=change(asked.suffix))
        case NativeInput():
            return replace(asked, body=_json_bytes(asked.body, change))
        case EmbeddingInput():
            return replace(asked, texts=_texts(asked.texts, change), instruct=change(asked.instruct))
        case RerankInput():
            return replace(
                asked,
                query=change(asked.query),
                documents=_texts(asked.documents, change),
                instruct=change(asked.instruct),
            )


def _texts(texts: tuple[str, ...], change: _Change) -> tuple[str, ...]:
    return tuple(change(text) for text in texts)


def _message(message: Message, change: _Change) -> Message:
    content = message.content
    return replace(
        message,
        content=change(content)
        if isinstance(content, str)
        else tuple(replace(part, text=change(part.text)) if isinstance(part, TextPart) else part for part in content),
        reasoning=change(message.reasoning),
        tool_calls=tuple(_tool_call(each, change) for each in message.tool_calls),
    )


def _tool_call(call: ToolCall, change: _Change) -> ToolCall:
    try:
        return replace(call, arguments=_json_bytes(call.arguments.encode(), change).decode())
    except (msgspec.DecodeError, UnicodeError):
        # The model wrote no valid JSON; it is a text like any other.
        return replace(call, arguments=change(call.arguments))


def _tool(tool: Tool, change: _Change) -> Tool:
    return replace(tool, description=change(tool.description), parameters=_json_bytes(tool.parameters, change))


def _json_bytes(content: bytes, change: _Change) -> bytes:
    """Return JSON with its texts changed; the very bytes where none was."""
    if not content:
        return content
    try:
        value = msgspec.json.decode(content)
    except RecursionError as error:
        raise _too_deep() from error
    changed = _value(value, change, _DEEPEST)
    return content if changed == value else msgspec.json.encode(changed)


def _too_deep() -> ParameterInvalid:
    return ParameterInvalid(
        f"JSON in the request is nested more than {_DEEPEST} deep, beyond which no personal data is looked for."
    )


def _value(value: Any, change: _Change, levels: int) -> Any:
    if levels < 0:
        raise _too_deep()
    match value:
        case str():
            return change(value)
        case bool() | None | float():
            return value
        case int():
            # A number that is personal data becomes a text: JSON has no other place for a placeholder.
            text = str(value)
            masked = change(text)
            return value if masked == text else masked
        case list():
            return [_value(each, change, levels - 1) for each in value]
        case dict():
            return dict(_members(value, change, levels - 1))
        case _:
            return value


def _members(members: dict[str, Any], change: _Change, levels: int) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        yield change(name), _value(value, change, levels)

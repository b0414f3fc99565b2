"""What one message of a request says, by who says it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.json import Encoder
from msgspec.structs import replace

from qwenport.core.content import ImagePart, Message, Part, Role, TextPart
from qwenport.core.errors import BodyNotJson, ParameterInvalid
from qwenport.core.tools import ToolCall
from qwenport.faces.anthropic.content import joined, numbered, read_block, read_parts, refusal, required
from qwenport.faces.anthropic.schema import Block

_ENCODE = Encoder().encode
_OF_USER = ("text", "image", "document", "tool_result")
_OF_ASSISTANT = ("text", "thinking", "redacted_thinking", "tool_use")
_ERROR = "Error: "
"""How a model is told that a tool failed: chat templates have no other sign for it."""


class UserTurn(Struct, frozen=True, kw_only=True):
    """A user's message: on this protocol the results of tools stand in it, in the house they are messages."""

    results: tuple[Message, ...] = ()
    said: str | tuple[Part, ...] = ""


def read_user_turn(content: str | Sequence[Block], path: str) -> UserTurn:
    """Return what a user's message holds; `path` is that of the message.

    Raises:
        ParameterInvalid: it is empty, or something in it is missing or not served.
    """
    if isinstance(content, str):
        turn = UserTurn(said=content)
    else:
        results: list[Message] = []
        said: list[TextPart | ImagePart] = []
        for block, place in numbered(content, f"{path}.content", _OF_USER):
            if block.type == "tool_result":
                results.append(_read_result(block, place))
            else:
                said += read_block(block, place)
        turn = UserTurn(results=tuple(results), said=joined(said))
    if not turn.results and not turn.said:
        raise empty_message(path)
    return turn


def read_assistant_turn(content: str | Sequence[Block], path: str) -> Message:
    """Return an assistant's message; reasoning that was redacted for other models than ours is left out.

    Raises:
        ParameterInvalid: something in it is missing or not served.
    """
    if isinstance(content, str):
        return Message(role=Role.ASSISTANT, content=content)
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    for block, place in numbered(content, f"{path}.content", _OF_ASSISTANT):
        if block.type == "text":
            texts.append(required(block.text, f"{place}.text"))
        elif block.type == "thinking":
            thoughts.append(required(block.thinking, f"{place}.thinking"))
        elif block.type == "tool_use":
            calls.append(_read_call(block, place))
    return Message(role=Role.ASSISTANT, content="".join(texts), reasoning="".join(thoughts), tool_calls=tuple(calls))


def begin_answer(message: Message, path: str) -> Message | None:
    """Return the assistant's last message as the beginning of the answer, None where it says nothing.

    Raises:
        ParameterInvalid: it holds nothing but reasoning, from which no answer can go on.
    """
    if message.content:
        return replace(message, is_partial=True)
    if message.reasoning:
        raise refusal(path, "The final block in an assistant message cannot be `thinking`.")
    return None


def empty_message(path: str) -> ParameterInvalid:
    """Return the error of a message that says nothing."""
    return refusal(path, "all messages must have non-empty content except for the optional final assistant message")


def _read_result(block: Block, path: str) -> Message:
    identity = required(block.tool_use_id, f"{path}.tool_use_id")
    content = "" if block.content is None else read_parts(block.content, f"{path}.content")
    if block.is_error:
        content = _ERROR + content if isinstance(content, str) else (TextPart(text=_ERROR), *content)
    return Message(role=Role.TOOL, content=content, tool_call_id=identity)


def _read_call(block: Block, path: str) -> ToolCall:
    given = required(block.input, f"{path}.input")
    try:
        arguments = _ENCODE(given).decode()
    except RecursionError as exc:
        raise BodyNotJson from exc
    return ToolCall(id=required(block.id, f"{path}.id"), name=required(block.name, f"{path}.name"), arguments=arguments)

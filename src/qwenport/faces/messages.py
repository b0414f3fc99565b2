"""Messages on the wire, alike on both faces: who speaks, what is said, which tools were called and what they answered.

Unknown fields are ignored, as production ignores them. Fields that ask for something that is not served are errors that
name them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from qwenport.core.content import Message, Part, Role
from qwenport.core.errors import ParameterInvalid
from qwenport.core.tools import ToolCall
from qwenport.faces.parts import FILE_SCHEME, WirePart, read_files, read_parts
from qwenport.faces.pieces import check_pieces
from qwenport.faces.shown import shown

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}


class WireCalledFunction(Struct, frozen=True):
    """What `function` holds in a tool call."""

    name: str | None = None
    arguments: str | None = None


class WireToolCall(Struct, frozen=True):
    """One tool call of an assistant's message; `type` and `index` say nothing that is not known."""

    id: str | None = None
    function: WireCalledFunction | None = None


class WireMessage(Struct, frozen=True):
    """One message."""

    role: str | None = None
    content: str | list[WirePart] | UnsetType | None = UNSET
    reasoning_content: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    partial: bool | None = None


def read_messages(wire: Sequence[WireMessage]) -> tuple[Message, ...]:
    """Return the messages in the house's words.

    Raises:
        ParameterInvalid: no messages or too many, an unknown role, content that is missing or of a kind that is not
            served, tools that answer nobody or are not answered, a prefix that is not the last, or nothing said by the
            last user.
    """
    if not wire:
        raise _refusal("[] is too short - 'messages'")
    check_pieces(wire, "messages")
    messages = tuple(_read_message(message, f"messages[{position}]") for position, message in enumerate(wire))
    _check_tool_answers(messages)
    _check_prefix(messages)
    last_of_user = next((message for message in reversed(messages) if message.role is Role.USER), None)
    if last_of_user is not None:
        require_content(last_of_user)
    return messages


def require_content(message: Message) -> None:
    """Refuse a message that says nothing, in the service's words."""
    if not message.content:
        raise _refusal("Role must be user or assistant and Content length must be greater than 0")


def _read_message(wire: WireMessage, path: str) -> Message:
    role = _read_role(wire.role, path)
    is_assistant = role is Role.ASSISTANT
    calls = _read_tool_calls(wire.tool_calls or (), path) if is_assistant else ()
    if wire.content is UNSET and not calls:
        raise _refusal(f"The content field is a required field. - '{path}'")
    if role is Role.TOOL and not wire.tool_call_id:
        raise _refusal(f"'tool_call_id' is a required property - '{path}'")
    return Message(
        role=role,
        content=_read_content(wire.content, role, f"{path}.content"),
        reasoning=(wire.reasoning_content or "") if is_assistant else "",
        tool_calls=calls,
        tool_call_id=(wire.tool_call_id or "") if role is Role.TOOL else "",
        is_partial=bool(wire.partial),
    )


def _read_role(role: str | None, path: str) -> Role:
    if role is None:
        raise _refusal(f"'role' is a required property - '{path}'")
    if role not in _ROLES:
        raise _refusal(f"'{shown(role)}' is not one of ['system', 'user', 'assistant', 'tool'] - '{path}.role'")
    return _ROLES[role]


def _read_content(content: str | list[WirePart] | UnsetType | None, role: Role, path: str) -> str | tuple[Part, ...]:
    if content is None or content is UNSET:
        return ""
    read = content if isinstance(content, str) else read_parts(content, path)
    if not isinstance(read, str):
        if role in {Role.SYSTEM, Role.ASSISTANT}:
            raise _refusal(f"Unexpected item type in content: a message of the {role} holds text only - '{path}'")
        return read
    if role is Role.SYSTEM and read.startswith(FILE_SCHEME):
        return read_files(read, path)
    return read


def _read_tool_calls(wire: Sequence[WireToolCall], path: str) -> tuple[ToolCall, ...]:
    return tuple(_read_tool_call(call, f"{path}.tool_calls[{position}]") for position, call in enumerate(wire))


def _read_tool_call(wire: WireToolCall, path: str) -> ToolCall:
    if not wire.id:
        raise _refusal(f"'id' is a required property - '{path}'")
    if wire.function is None or not wire.function.name:
        raise _refusal(f"'function.name' is a required property - '{path}'")
    return ToolCall(id=wire.id, name=wire.function.name, arguments=wire.function.arguments or "")


def _check_tool_answers(messages: Sequence[Message]) -> None:
    """See to it that each tool call is answered by the messages that follow it, and nothing else is."""
    open_calls: dict[str, int] = {}
    for message in messages:
        if message.role is Role.TOOL:
            _answer(open_calls, message.tool_call_id)
            continue
        if open_calls:
            raise _unanswered(open_calls)
        if message.tool_calls:
            open_calls = Counter(call.id for call in message.tool_calls)
    if open_calls:
        raise _unanswered(open_calls)


def _answer(open_calls: dict[str, int], call_id: str) -> None:
    count = open_calls.pop(call_id, 0)
    if not count:
        raise _refusal('messages with role "tool" must be a response to a preceding message with "tool_calls".')
    if count > 1:
        open_calls[call_id] = count - 1


def _unanswered(open_calls: Mapping[str, int]) -> ParameterInvalid:
    return _refusal(
        'An assistant message with "tool_calls" must be followed by tool messages responding to each "tool_call_id". '
        f"The following tool_call_ids did not have response messages: {shown(next(iter(open_calls)))}"
    )


def _check_prefix(messages: Sequence[Message]) -> None:
    for position, message in enumerate(messages):
        if message.is_partial and (message.role is not Role.ASSISTANT or position + 1 < len(messages)):
            raise _refusal(
                f"'messages[{position}].partial' can be true on the last message only, and only of the assistant"
            )


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="messages")

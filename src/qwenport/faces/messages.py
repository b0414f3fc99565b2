"""Messages on the wire, alike on both faces: text only, as a string or as parts.

Unknown fields are ignored, as production ignores them. Fields that ask for something that is not served are errors that
name them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Raw, Struct, UnsetType

from qwenport.core.call import Message, Role
from qwenport.core.errors import ParameterInvalid

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_SHOWN_CHARACTERS = 64
"""How much of a caller's own value an error repeats."""
_ABSENT = Raw()
_NULL = b"null"


class WirePart(Struct, frozen=True):
    """One part of a message's content; kinds other than text are known in order to be refused by name."""

    type: str | None = None
    text: str | None = None
    image: Raw = _ABSENT
    image_url: Raw = _ABSENT
    video: Raw = _ABSENT
    video_url: Raw = _ABSENT
    audio: Raw = _ABSENT
    input_audio: Raw = _ABSENT
    file: Raw = _ABSENT


class WireMessage(Struct, frozen=True):
    """One message."""

    role: str | None = None
    content: str | list[WirePart] | UnsetType | None = UNSET
    tool_calls: list[Raw] | None = None
    partial: bool | None = None


_OTHER_KINDS = ("image", "image_url", "video", "video_url", "audio", "input_audio", "file")


def read_messages(wire: Sequence[WireMessage]) -> tuple[Message, ...]:
    """Return the messages in the house's words.

    Raises:
        ParameterInvalid: no messages, an unknown role, content that is missing or no text, or none from the last user.
    """
    if not wire:
        raise _refusal("[] is too short - 'messages'")
    messages = tuple(_read_message(message, position) for position, message in enumerate(wire))
    last_of_user = next((message for message in reversed(messages) if message.role is Role.USER), None)
    if last_of_user is not None:
        require_content(last_of_user)
    return messages


def require_content(message: Message) -> None:
    """Refuse a message that says nothing, in the service's words."""
    if not message.content:
        raise _refusal("Role must be user or assistant and Content length must be greater than 0")


def _read_message(wire: WireMessage, position: int) -> Message:
    role = _read_role(wire.role, position)
    if wire.tool_calls:
        raise _refusal(f"'messages[{position}].tool_calls' is not supported: tools are not served by this model")
    if wire.partial:
        raise _refusal(f"'messages[{position}].partial' is not supported: this model only begins new answers")
    if wire.content is UNSET:
        raise _refusal(f"The content field is a required field. - 'messages[{position}]'")
    return Message(role=role, content=_read_content(wire.content, f"messages[{position}].content"))


def _read_role(role: str | None, position: int) -> Role:
    if role is None:
        raise _refusal(f"'role' is a required property - 'messages[{position}]'")
    if role in {"tool", "function"}:
        raise _refusal(f"'messages[{position}].role' is '{role}': tools are not served by this model")
    if role not in _ROLES:
        shown = role[:_SHOWN_CHARACTERS]
        raise _refusal(f"'{shown}' is not one of ['system', 'user', 'assistant'] - 'messages[{position}].role'")
    return _ROLES[role]


def _read_content(content: str | list[WirePart] | None, path: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(_read_part(part, f"{path}[{position}]") for position, part in enumerate(content))


def _read_part(part: WirePart, path: str) -> str:
    kind = _other_kind(part)
    if kind is not None:
        shown = kind[:_SHOWN_CHARACTERS]
        raise _refusal(
            f"Unexpected item type in content: '{shown}' is not served by this model, only text is - '{path}'"
        )
    if part.text is None:
        raise _refusal(f"The text field is a required field. - '{path}'")
    return part.text


def _other_kind(part: WirePart) -> str | None:
    """Return the name of what the part is when it is not text."""
    if part.type is not None and part.type != "text":
        return part.type
    return next((kind for kind in _OTHER_KINDS if bytes(getattr(part, kind)) not in {b"", _NULL}), None)


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="messages")

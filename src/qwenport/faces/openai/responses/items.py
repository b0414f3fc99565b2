"""Items of the Responses API: as the messages of a conversation, and as they are kept.

A chat has one message for what an assistant thought, said and called; here these are items of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

from msgspec import UNSET, Raw, Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from qwenport.core.content import Message
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.core.responses import StoredResponse
from qwenport.faces.messages import WireCalledFunction, WireMessage, WireToolCall, read_messages
from qwenport.faces.openai.responses.schema import WireContent, WireItem
from qwenport.faces.parts import WireFile, WirePart
from qwenport.faces.pieces import check_pieces
from qwenport.faces.shown import shown

_ENCODE = Encoder().encode
_ITEMS = Decoder(list[WireItem])
_RAW_ITEMS = Decoder(list[Raw])
_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})
_IMAGES = frozenset({"input_image", "input_file"})
_PREFIXES = {"function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}

Said = str | list[WireContent] | None


class _Answered(Struct, frozen=True):
    output: list[Raw]


_BODY = Decoder(_Answered)


def item_id(prefix: str, request_id: RequestId, place: str) -> str:
    """Return an id of the form `msg_<uuid>`, the same whenever the same item is written."""
    return f"{prefix}_{uuid5(NAMESPACE_URL, f'{request_id}/{place}')}"


def read_input(wire: str | Sequence[WireItem] | None) -> list[WireItem]:
    """Return the items of a request; a text is one message of the user.

    Raises:
        ParameterInvalid: there are none, or too many.
    """
    if wire is None:
        raise _refusal("'input' is a required property")
    if isinstance(wire, str):
        return [WireItem(type="message", role="user", content=[WireContent(type="input_text", text=wire)])]
    if not wire:
        raise _refusal("[] is too short - 'input'")
    check_pieces(wire, "input")
    return list(wire)


def read_earlier(stored: StoredResponse) -> list[WireItem]:
    """Return the items of a conversation that was kept, its answer the last."""
    return _ITEMS.decode(_join(_earlier(stored)))


def read_conversation(items: Sequence[WireItem], instructions: str | None) -> tuple[Message, ...]:
    """Return the conversation in the house's words, after the instructions.

    Raises:
        ParameterInvalid: an item or content of a kind that is not served, or what `read_messages` refuses.
    """
    messages = [] if not instructions else [WireMessage(role="system", content=instructions)]
    turn = _Turn()
    for place, item in enumerate(items):
        other = turn.take(item, f"input[{place}]")
        if other is not None:
            messages += turn.end()
            messages.append(other)
    return read_messages([*messages, *turn.end()])


def keep_items(items: Sequence[WireItem], request_id: RequestId, stored: StoredResponse | None) -> bytes:
    """Return the conversation as it is kept: what was stored before, then these items, each with an id."""
    new = [_ENCODE(_complete(item, request_id, place)) for place, item in enumerate(items)]
    return _join([*(_earlier(stored) if stored is not None else ()), *new])


def split_items(stored: StoredResponse) -> list[Raw]:
    """Return the items that an answer was given to, one by one."""
    return _RAW_ITEMS.decode(stored.items)


class _Turn:
    """What an assistant thought, said and called in a row, which is one message of a chat."""

    def __init__(self) -> None:
        self._reasoning = ""
        self._content: str | None = None
        self._calls: list[WireToolCall] = []

    def take(self, item: WireItem, path: str) -> WireMessage | None:
        """Add an item; returns the message that it is where it is no part of an assistant's turn."""
        match item.type or "message":
            case "message" if item.role != "assistant":
                return WireMessage(role=item.role, content=_read_content(item, path))
            case "message":
                self._content = (self._content or "") + _read_text(item.content or None, path)
            case "function_call":
                called = WireCalledFunction(name=item.name, arguments=item.arguments)
                self._calls.append(WireToolCall(id=item.call_id, function=called))
            case "reasoning":
                thoughts = None if item.content is UNSET else item.content
                self._reasoning += _read_text(thoughts or item.summary, path)
            case "function_call_output":
                return WireMessage(role="tool", tool_call_id=item.call_id, content=_read_text(item.output, path))
            case kind:
                raise _refusal(
                    f"Unexpected item type in input: '{shown(kind)}' is not served, only message, function_call, "
                    f"function_call_output and reasoning are - '{path}'"
                )
        return None

    def end(self) -> list[WireMessage]:
        """Return the message, if anything belongs to it, and begin anew; thoughts that led to nothing are dropped."""
        content, reasoning, calls = self._content, self._reasoning, self._calls
        self._content, self._reasoning, self._calls = None, "", []
        if content is None and not calls:
            return []
        return [WireMessage(role="assistant", content=content, reasoning_content=reasoning, tool_calls=calls or None)]


def _read_content(item: WireItem, path: str) -> str | list[WirePart]:
    if item.content is UNSET or item.content is None:
        raise _refusal(f"The content field is a required field. - '{path}'")
    if isinstance(item.content, str):
        return item.content
    return [_read_part(part, f"{path}.content[{place}]") for place, part in enumerate(item.content)]


def _read_part(part: WireContent, path: str) -> WirePart:
    if part.type in _TEXTS:
        return WirePart(type="text", text=part.text)
    if part.type == "refusal":
        return WirePart(type="text", text=part.refusal)
    if part.type in _IMAGES:
        return _read_image(part, path)
    raise _refusal(
        f"Unexpected item type in content: '{shown(part.type)}' is not served, only input_text, output_text, "
        f"input_image and input_file are - '{path}'"
    )


def _read_image(part: WireContent, path: str) -> WirePart:
    """Return an image or a file, by its address, its id or its content."""
    address = part.image_url if part.type == "input_image" else part.file_url
    if address is not None:
        return WirePart(type="image_url", image_url=address, min_pixels=part.min_pixels, max_pixels=part.max_pixels)
    if not part.file_id and not part.file_data:
        fields = "image_url" if part.type == "input_image" else "file_id, file_url or file_data"
        raise _refusal(f"The {fields} field is a required field. - '{path}'")
    file = WireFile(file_id=part.file_id, file_data=part.file_data)
    return WirePart(type="file", file=file, min_pixels=part.min_pixels, max_pixels=part.max_pixels)


def _read_text(said: Said, path: str) -> str:
    """Return what is said where only text can be."""
    if said is None or isinstance(said, str):
        return said or ""
    parts = [_read_part(part, f"{path}[{place}]") for place, part in enumerate(said)]
    if any(part.type != "text" for part in parts):
        raise _refusal(f"Unexpected item type in content: only text is served here - '{path}'")
    return "".join(part.text or "" for part in parts)


def _complete(item: WireItem, request_id: RequestId, place: int) -> WireItem:
    """Return an item as it is listed: with an id, a type, a status, and its content in parts."""
    kind = item.type or "message"
    completed = replace(
        item,
        id=item.id or item_id(_PREFIXES.get(kind, "msg"), request_id, f"input/{place}"),
        type=kind,
        status="completed",
    )
    if kind != "message" or not isinstance(item.content, str):
        return completed
    spelling = "output_text" if item.role == "assistant" else "input_text"
    return replace(completed, content=[WireContent(type=spelling, text=item.content)])


def _earlier(stored: StoredResponse) -> list[Raw]:
    return [*split_items(stored), *_BODY.decode(stored.body).output]


def _join(items: Sequence[Raw | bytes]) -> bytes:
    return b"[%b]" % b",".join(bytes(item) for item in items)


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="input")

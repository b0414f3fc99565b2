"""The output of one response while it is made: items of reasoning, text and function calls, in the order they began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.json import Encoder

from qwenport.core.events import TokenLogprob, ToolCallDelta
from qwenport.core.ids import RequestId
from qwenport.faces.logprobs import encode_tokens
from qwenport.faces.openai.responses.items import item_id

COMPLETED = b"completed"

_ENCODE = Encoder().encode
_PLACE = b'"item_id":%b,"output_index":%d'
_REASONING = b'{"id":%b,"summary":[%b],"type":"reasoning"}'
_SUMMARY = b'{"text":%b,"type":"summary_text"}'
_MESSAGE = b'{"content":[%b],"id":%b,"role":"assistant","status":"%b","type":"message"}'
_TEXT = b'{"annotations":[],"logprobs":%b,"text":%b,"type":"output_text"}'
_CALL = b'{"arguments":%b,"call_id":%b,"id":%b,"name":%b,"status":"%b","type":"function_call"}'


@dataclass(slots=True)
class _Item:
    """What all items have."""

    index: int
    """Its place in the output."""
    encoded_id: bytes
    place: bytes
    """The members that say in an event which item it is about."""
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> bytes:
        """Everything said so far, as JSON."""
        return _ENCODE("".join(self.pieces))


@dataclass(slots=True)
class ReasoningItem(_Item):
    """What the model thought."""

    def part(self) -> bytes:
        """Return its only part as it is now."""
        return _SUMMARY % self.text

    def encode(self, status: bytes, *, is_new: bool = False) -> bytes:  # noqa: ARG002 - its kind has no status
        """Return the item; one that only begins has no parts yet."""
        return _REASONING % (self.encoded_id, b"" if is_new else self.part())


@dataclass(slots=True)
class MessageItem(_Item):
    """What the model said."""

    logprobs: list[TokenLogprob] = field(default_factory=list)

    def part(self) -> bytes:
        """Return its only part as it is now."""
        return _TEXT % (encode_tokens(self.logprobs), self.text)

    def encode(self, status: bytes, *, is_new: bool = False) -> bytes:
        """Return the item; one that only begins has no parts yet."""
        return _MESSAGE % (b"" if is_new else self.part(), self.encoded_id, status)


@dataclass(slots=True)
class CallItem(_Item):
    """A function that the model called."""

    call_id: str = ""
    name: str = ""

    def encode(self, status: bytes) -> bytes:
        """Return the item."""
        return _CALL % (self.text, _ENCODE(self.call_id), self.encoded_id, _ENCODE(self.name), status)


Item = ReasoningItem | MessageItem | CallItem


class Output:
    """The items so far; at most one of reasoning or text is open, and every call is until the end."""

    def __init__(self, request_id: RequestId) -> None:
        self._request_id = request_id
        self._items: list[Item] = []
        self._calls: dict[int, CallItem] = {}
        self.open: ReasoningItem | MessageItem | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was begun."""
        return not self._items

    @property
    def calls(self) -> Iterable[CallItem]:
        """Every function call, in the order they began."""
        return self._calls.values()

    def message(self) -> tuple[MessageItem, bool]:
        """Return the item that text belongs to now, and whether it is new."""
        if isinstance(self.open, MessageItem):
            return self.open, False
        item = MessageItem(*self._identify("msg"))
        self._items.append(item)
        self.open = item
        return item, True

    def reasoning(self) -> tuple[ReasoningItem, bool]:
        """Return the item that thoughts belong to now, and whether it is new."""
        if isinstance(self.open, ReasoningItem):
            return self.open, False
        item = ReasoningItem(*self._identify("rs"))
        self._items.append(item)
        self.open = item
        return item, True

    def call(self, event: ToolCallDelta) -> tuple[CallItem, bool]:
        """Return the function call that a piece belongs to, and whether it is new."""
        found = self._calls.get(event.index)
        if found is not None:
            return found, False
        item = CallItem(*self._identify("fc"), call_id=event.id, name=event.name)
        self._items.append(item)
        self._calls[event.index] = item
        self.open = None
        return item, True

    def status_of(self, item: Item, final: bytes) -> bytes:
        """Return an item's status at the end: only the last one can have been cut off."""
        return final if item is self._items[-1] else COMPLETED

    def encode(self, final: bytes) -> bytes:
        """Return all items, as JSON without the brackets."""
        return b",".join([item.encode(self.status_of(item, final)) for item in self._items])

    def _identify(self, prefix: str) -> tuple[int, bytes, bytes]:
        index = len(self._items)
        encoded_id = _ENCODE(item_id(prefix, self._request_id, f"output/{index}"))
        return index, encoded_id, _PLACE % (encoded_id, index)

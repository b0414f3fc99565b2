"""One choice of an answer: its tokens, and what it has said so far where that is said again."""

from __future__ import annotations

from msgspec.json import Encoder
from msgspec.json import format as format_json

from qwenport.core.events import Delta, Reasoning, Recognized, ToolCallDelta
from qwenport.faces.dashscope.generation import Said
from qwenport.faces.logprobs import encode_logprobs

_ENCODE = Encoder().encode
_CALL = b'{"index":%d,"id":%b,"type":"function","function":{"name":%b,"arguments":"%b"}}'
_LOGPROBS_INSIDE = slice(len(b'{"content":['), -len(b"]}"))
"""Where the list's inside stands in what `encode_logprobs` returns: frames that say all so far repeat it."""


def piece_of(event: Delta | Reasoning | ToolCallDelta) -> Said:
    """Return what is new; a tool call's id and name are empty after its first piece, since clients join them."""
    match event:
        case Delta():
            return Said(text=_inside(event.text))
        case Reasoning():
            return Said(reasoning=_inside(event.text))
        case ToolCallDelta():
            call = (event.index, _ENCODE(event.id), _ENCODE(event.name), _inside(event.arguments))
            return Said(calls=_CALL % call)


class ChoiceSoFar:
    """One choice as far as it is known."""

    __slots__ = ("_calls", "_reasoning", "_text", "logprobs", "reasoning_tokens", "result", "texts", "tokens")

    def __init__(self) -> None:
        self.tokens = 0
        self.reasoning_tokens = 0
        self.logprobs = bytearray()
        """The inside of a JSON list: of all tokens, or of those that were not told yet."""
        self.texts: list[str] = []
        """Its text in pieces, where the whole of it is needed again."""
        self.result = b""
        """What a task found, JSON on one line."""
        self._text = bytearray()
        self._reasoning = bytearray()
        self._calls: dict[int, _CallSoFar] = {}

    def count(self, event: Delta | Reasoning | ToolCallDelta) -> None:
        """Take in the tokens of an event and how likely they were."""
        self.tokens += event.tokens
        if isinstance(event, Delta):
            if event.logprobs:
                self.logprobs += b"," if self.logprobs else b""
                self.logprobs += encode_logprobs(event.logprobs)[_LOGPROBS_INSIDE]
        elif isinstance(event, Reasoning):
            self.reasoning_tokens += event.tokens

    def remember(self, event: Delta | Reasoning | ToolCallDelta, piece: Said) -> None:
        """Take in what an event says; `piece` is `piece_of` it."""
        self._text += piece.text
        self._reasoning += piece.reasoning
        if isinstance(event, ToolCallDelta):
            call = self._calls.get(event.index)
            if call is None:
                call = self._calls[event.index] = _CallSoFar(event)
            call.arguments += _inside(event.arguments)

    def recognize(self, event: Recognized) -> None:
        """Take in what a task found; a line break in it would end a frame."""
        self.result = format_json(event.result, indent=-1)

    def said(self) -> Said:
        """Return all that was remembered."""
        calls = b",".join(call.encode(index) for index, call in sorted(self._calls.items())) if self._calls else b""
        return Said(text=self._text, reasoning=self._reasoning, calls=calls)


class _CallSoFar:
    """One tool call; only its first piece names it."""

    __slots__ = ("_id", "_name", "arguments")

    def __init__(self, first: ToolCallDelta) -> None:
        self._id = _ENCODE(first.id)
        self._name = _ENCODE(first.name)
        self.arguments = bytearray()
        """The inside of a JSON string."""

    def encode(self, index: int) -> bytes:
        return _CALL % (index, self._id, self._name, self.arguments)


def _inside(text: str) -> bytes:
    """Return the text as the inside of a JSON string."""
    return _ENCODE(text)[1:-1]

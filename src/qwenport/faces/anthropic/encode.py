"""From events to messages: whole, or as the events of https://docs.anthropic.com/en/api/messages-streaming.

What stays the same in every delta of a block is encoded once, so that a delta costs no more than its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from msgspec.json import Encoder

from qwenport.core.errors import QwenportError
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Ranked,
    Reasoning,
    Recognized,
    Relayed,
    Started,
    ToolCallDelta,
)
from qwenport.core.usage import Usage
from qwenport.faces.anthropic.blocks import TEXT, THINKING, BlockOrder
from qwenport.faces.anthropic.errors import error_envelope, request_id_header
from qwenport.faces.anthropic.message import (
    MessageIdentity,
    stop_reason_json,
    text_json,
    thinking_json,
    tool_use_json,
    usage_json,
)
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Headers, Reply
from qwenport.faces.sse import STREAM_HEADERS

_ENCODE = Encoder().encode
_MESSAGE_START = b'event: message_start\ndata: {"type":"message_start","message":%b}\n\n'
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_BLOCK_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_DELTA_HEAD = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b_delta","%b":'
)
_DELTA_TAIL = b"}}\n\n"
_BLOCK_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_MESSAGE_DELTA = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":%b,"stop_sequence":null},'
    b'"usage":%b}\n\n'
)
_MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_ERROR = b"event: error\ndata: %b\n\n"

_Piece = Delta | Reasoning | ToolCallDelta


@dataclass(frozen=True, slots=True)
class _Block:
    """One block as far as it is known."""

    first: _Piece
    """The event that it began with."""
    pieces: list[str]


def _block_json(first: _Piece, content: str) -> bytes:
    """Return a block of this content; the event that it began with says of what kind it is."""
    match first:
        case Delta():
            return text_json(content)
        case Reasoning():
            return thinking_json(content)
        case ToolCallDelta():
            return tool_use_json(first, content)
        case _:
            assert_never(first)


class WholeMessage:
    """A `message` object."""

    def __init__(self, identity: MessageIdentity) -> None:
        self._identity = identity
        self._order = BlockOrder()
        self._blocks: list[_Block] = []
        self._reason = FinishReason.STOP
        self._usage = Usage()

    def add(self, event: Event) -> None:
        """Take in the next event.

        Raises:
            EngineFailed: tool calls do not come one after the other.
        """
        match event:
            case Delta():
                self._take(event, TEXT, event.text)
            case Reasoning():
                self._take(event, THINKING, event.text)
            case ToolCallDelta():
                self._take(event, event.index, event.arguments)
            case ChoiceFinished():
                self._reason = event.reason
            case Finished():
                self._usage = event.usage
            case Started() | Embedded() | Ranked() | Recognized() | Relayed():
                pass
            case _:
                assert_never(event)

    def reply(self) -> Reply:
        """Return the message."""
        content = b",".join(_block_json(block.first, "".join(block.pieces)) for block in self._blocks)
        called_tools = any(isinstance(block.first, ToolCallDelta) for block in self._blocks)
        reason = stop_reason_json(self._reason, called_tools=called_tools)
        return Reply(
            status=200,
            headers=(*JSON_HEADERS, *request_id_header(self._identity.request_id)),
            body=self._identity.message(content, reason, self._usage),
        )

    def _take(self, event: _Piece, holding: int, piece: str) -> None:
        if self._order.begins(holding, piece):
            self._order.turn_to(holding)
            self._blocks.append(_Block(event, []))
        if piece:
            self._blocks[-1].pieces.append(piece)


class StreamedMessage:
    """The events of a message, closed by `message_stop`."""

    def __init__(self, identity: MessageIdentity) -> None:
        self.headers: Headers = (*STREAM_HEADERS, *request_id_header(identity.request_id))
        self._identity = identity
        self._order = BlockOrder()
        self._delta_head = b""
        """What each delta of the open block begins with."""
        self._called_tools = False
        self._reason = FinishReason.STOP

    def frame(self, event: Event) -> bytes:  # noqa: PLR0911 - one for each kind of event
        """Return the protocol's events that say this one.

        Raises:
            EngineFailed: tool calls do not come one after the other.
        """
        match event:
            case Delta():
                return self._say(event, TEXT, event.text)
            case Reasoning():
                return self._say(event, THINKING, event.text)
            case ToolCallDelta():
                return self._say(event, event.index, event.arguments)
            case ChoiceFinished():
                self._reason = event.reason
                return self._end_block()
            case Started():
                return self._begin(event)
            case Finished():
                return self._end(event.usage)
            case Embedded() | Ranked() | Recognized() | Relayed():
                return b""
            case _:
                assert_never(event)

    def failure(self, error: QwenportError) -> bytes:
        """Return the error as an event of its own."""
        return _ERROR % error_envelope(error, self._identity.request_id)

    def _begin(self, started: Started) -> bytes:
        usage = Usage(input_tokens=started.input_tokens, cached_tokens=started.cached_tokens)
        return _MESSAGE_START % self._identity.message(b"", b"null", usage) + _PING

    def _say(self, event: _Piece, holding: int, piece: str) -> bytes:
        opening = b""
        if self._order.begins(holding, piece):
            opening = self._end_block() + self._begin_block(event, holding)
        return opening + self._delta_head + _ENCODE(piece) + _DELTA_TAIL if piece else opening

    def _begin_block(self, event: _Piece, holding: int) -> bytes:
        self._order.turn_to(holding)
        match event:
            case Delta():
                kind, member = b"text", b"text"
            case Reasoning():
                kind, member = b"thinking", b"thinking"
            case ToolCallDelta():
                kind, member = b"input_json", b"partial_json"
                self._called_tools = True
            case _:
                assert_never(event)
        self._delta_head = _DELTA_HEAD % (self._order.position, kind, member)
        return _BLOCK_START % (self._order.position, _block_json(event, ""))

    def _end_block(self) -> bytes:
        held, position = self._order.open, self._order.position
        if held is None:
            return b""
        self._order.end()
        if held != THINKING:
            return _BLOCK_STOP % position
        # Some clients take a thinking block for whole only when its signature has come, even an empty one.
        return _DELTA_HEAD % (position, b"signature", b"signature") + b'""' + _DELTA_TAIL + _BLOCK_STOP % position

    def _end(self, usage: Usage) -> bytes:
        reason = stop_reason_json(self._reason, called_tools=self._called_tools)
        return self._end_block() + _MESSAGE_DELTA % (reason, usage_json(usage)) + _MESSAGE_STOP

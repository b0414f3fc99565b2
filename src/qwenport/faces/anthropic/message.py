"""The JSON that whole and streamed messages have in common, after https://docs.anthropic.com/en/api/messages.

A hit stop sequence is told as `end_turn` without naming it, as Model Studio does.
"""

from __future__ import annotations

from typing import Self

from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from qwenport.core.call import Call
from qwenport.core.events import FinishReason, ToolCallDelta
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage

_ENCODE = Encoder().encode
_DECODE_OBJECT = Decoder(dict[str, object]).decode
_STOP_REASONS = {
    FinishReason.STOP: b'"end_turn"',
    FinishReason.LENGTH: b'"max_tokens"',
    FinishReason.TOOL_CALLS: b'"tool_use"',
}
_MEMBERS = b'"id":%b,"type":"message","role":"assistant","model":%b'
_MESSAGE = b'{%b,"content":[%b],"stop_reason":%b,"stop_sequence":null,"usage":%b}'
_USAGE = b'{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,"output_tokens":%d%b}'
_THINKING_TOKENS = b',"output_tokens_details":{"thinking_tokens":%d}'
_TEXT = b'{"type":"text","text":%b}'
_THINKING = b'{"type":"thinking","thinking":%b,"signature":""}'
_TOOL_USE = b'{"type":"tool_use","id":%b,"name":%b,"input":%b}'


class MessageIdentity(Struct, frozen=True, kw_only=True):
    """What every part of one answer has in common."""

    request_id: RequestId
    members: bytes
    """The members that a message begins with: id, type, role, and the model as the caller named it."""

    @classmethod
    def of(cls, call: Call) -> Self:
        """Return what the answers to this call have in common."""
        return cls(request_id=call.id, members=_MEMBERS % (_ENCODE(f"msg_{call.id}"), _ENCODE(call.model)))

    def message(self, content: bytes, reason: bytes, usage: Usage) -> bytes:
        """Return a message of these content blocks."""
        return _MESSAGE % (self.members, content, reason, usage_json(usage))


def usage_json(usage: Usage) -> bytes:
    """Return the usage; `input_tokens` leaves out what was read from the cache, so that the three sorts add up."""
    details = _THINKING_TOKENS % usage.reasoning_tokens if usage.reasoning_tokens else b""
    uncached = usage.input_tokens - usage.cached_tokens
    return _USAGE % (uncached, usage.cached_tokens, usage.output_tokens, details)


def stop_reason_json(reason: FinishReason, *, called_tools: bool) -> bytes:
    """Return why a message ended; clients run tools only after `tool_use`, also where the call was forced."""
    if called_tools and reason is FinishReason.STOP:
        return _STOP_REASONS[FinishReason.TOOL_CALLS]
    return _STOP_REASONS[reason]


def text_json(text: str) -> bytes:
    """Return a block of text."""
    return _TEXT % _ENCODE(text)


def thinking_json(thinking: str) -> bytes:
    """Return a block of reasoning; its signature is empty, as on Model Studio."""
    return _THINKING % _ENCODE(thinking)


def tool_use_json(call: ToolCallDelta, arguments: str) -> bytes:
    """Return the block of a tool call; the first of its events names it."""
    return _TOOL_USE % (_ENCODE(call.id), _ENCODE(call.name), _tool_input(arguments))


def _tool_input(arguments: str) -> bytes:
    """Return arguments as the object that the protocol demands.

    What is no JSON object, as when `max_tokens` cut it off, is wrapped as Anthropic's page on fine-grained tool
    streaming recommends.
    """
    if not arguments:
        return b"{}"
    try:
        return _ENCODE(_DECODE_OBJECT(arguments))
    except (DecodeError, RecursionError):
        return _ENCODE({"INVALID_JSON": arguments})

"""From events to chat completions: whole, or as chunks.

What stays the same in every chunk of an answer is encoded once, so that a chunk costs no more than its text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, assert_never

from msgspec.json import Encoder

from qwenport.core.call import Call
from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Headers, Reply
from qwenport.faces.openai.errors import error_envelope
from qwenport.faces.sse import STREAM_HEADERS

_ENCODE = Encoder().encode
_REASONS = {reason: _ENCODE(reason) for reason in FinishReason}
_DONE = b"data: [DONE]\n\n"
_IDENTITY = b'"created":%d,"system_fingerprint":null,"model":%b,"id":%b'
_CHUNK = (
    b'data: {"choices":[{"delta":%b,"index":%d,"logprobs":null,"finish_reason":%b}],'
    b'"object":"chat.completion.chunk","usage":null,%b}\n\n'
)
_USAGE_CHUNK = b'data: {"choices":[],"object":"chat.completion.chunk","usage":%b,%b}\n\n'
_CHOICE = b'{"message":{"content":%b,"role":"assistant"},"finish_reason":%b,"index":%d,"logprobs":null}'
_WHOLE = b'{"choices":[%b],"object":"chat.completion","usage":%b,%b}'
_USAGE = b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}'
_FIRST_DELTA = b'{"content":"","role":"assistant"}'
_DELTA = b'{"content":%b}'
_LAST_DELTA = b'{"content":""}'


def _usage(usage: Usage) -> bytes:
    return _USAGE % (usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.cached_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What every part of one answer has in common."""

    request_id: RequestId
    choices: int
    identity: bytes
    """The members that end each chunk and the whole answer: created, system_fingerprint, model, id."""

    @classmethod
    def of(cls, call: Call, received_at: datetime) -> Self:
        """Return what the answers to this call have in common."""
        created = int(received_at.timestamp())
        identity = _IDENTITY % (created, _ENCODE(call.model), _ENCODE(f"chatcmpl-{call.id}"))
        return cls(request_id=call.id, choices=call.sampling.choices, identity=identity)


@dataclass(slots=True)
class _Choice:
    """One choice as far as it is known."""

    pieces: list[str] = field(default_factory=list)
    reason: FinishReason = FinishReason.STOP


class WholeCompletion:
    """A `chat.completion` object."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._choices: dict[int, _Choice] = {}
        self._usage = Usage()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Delta():
                self._choice(event.choice).pieces.append(event.text)
            case ChoiceFinished():
                self._choice(event.choice).reason = event.reason
            case Finished():
                self._usage = event.usage
            case Started():
                pass
            case _:
                assert_never(event)

    def reply(self) -> Reply:
        """Return the completion."""
        choices = b",".join(
            _CHOICE % (_ENCODE("".join(choice.pieces)), _REASONS[choice.reason], index)
            for index, choice in sorted(self._choices.items())
        )
        body = _WHOLE % (choices, _usage(self._usage), self._completion.identity)
        return Reply(status=200, headers=JSON_HEADERS, body=body)

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())


class StreamedCompletion:
    """`chat.completion.chunk` objects, closed by `[DONE]`."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, completion: Completion, *, include_usage: bool) -> None:
        self._completion = completion
        self._include_usage = include_usage

    def frame(self, event: Event) -> bytes:
        """Return the chunks that say this event."""
        identity = self._completion.identity
        match event:
            case Delta():
                # A token may be a part of a character; it counts, but there is nothing to show yet.
                if not event.text:
                    return b""
                return _CHUNK % (_DELTA % _ENCODE(event.text), event.choice, b"null", identity)
            case ChoiceFinished():
                return _CHUNK % (_LAST_DELTA, event.choice, _REASONS[event.reason], identity)
            case Started():
                choices = range(self._completion.choices)
                return b"".join(_CHUNK % (_FIRST_DELTA, index, b"null", identity) for index in choices)
            case Finished():
                usage = _USAGE_CHUNK % (_usage(event.usage), identity) if self._include_usage else b""
                return usage + _DONE
            case _:
                assert_never(event)

    def failure(self, error: QwenportError) -> bytes:
        """Return the error as a chunk; it is always wrapped, since openai does not see a flat one."""
        return b"data: %b\n\n" % error_envelope(error, self._completion.request_id)

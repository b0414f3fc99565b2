"""From events to native generation results: whole, or as frames that hold all so far or only what is new.

What stays the same in every frame of an answer is encoded once, so that a frame costs no more than its text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Self, assert_never

from msgspec.json import Encoder

from qwenport.core.call import Call
from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.errors import encode_error
from qwenport.faces.face import Headers, Reply
from qwenport.faces.sse import STREAM_HEADERS

_ENCODE = Encoder().encode
_REASONS = {reason: _ENCODE(reason) for reason in FinishReason}
_GENERATING = b'"null"'
"""What stands for the reason until there is one: a string, not JSON's null."""
_TEXT = b'{"text":%b,"finish_reason":%b}'
_CHOICES = b'{"choices":[%b]}'
_CHOICE = b'{"finish_reason":%b,"message":{"role":"assistant","content":%b}}'
_INDEXED_CHOICE = b'{"finish_reason":%b,"index":%d,"message":{"role":"assistant","content":%b}}'
_PARTS = b'[{"text":%b}]'
_USAGE = b'{"input_tokens":%d,"output_tokens":%d,"total_tokens":%d%b}'
_CACHED = b',"prompt_tokens_details":{"cached_tokens":%d}'
_RESULT = b'{"output":%b,"usage":%b,"request_id":%b}'
_FRAME = b'id:%d\nevent:result\n:HTTP_STATUS/200\ndata:{"output":%b,"usage":%b,"request_id":%b}\n\n'
_ERROR_FRAME = b"id:%d\nevent:error\n:HTTP_STATUS/%d\ndata:%b\n\n"


class Form(Enum):
    """How the answer's text is wrapped."""

    TEXT = "text"
    """`output.text`."""
    MESSAGE = "message"
    """`output.choices`, content a string."""
    PARTS = "parts"
    """`output.choices`, content a list of parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What every part of one answer has in common."""

    request_id: RequestId
    encoded_id: bytes
    form: Form
    is_indexed: bool
    """Whether choices carry their index: only where there are several."""

    @classmethod
    def of(cls, call: Call, form: Form) -> Self:
        """Return what the answers to this call have in common."""
        return cls(request_id=call.id, encoded_id=_ENCODE(call.id), form=form, is_indexed=call.sampling.choices > 1)

    def choice(self, index: int, text: bytes, reason: bytes) -> bytes:
        """Return one choice of the message forms; text and reason are encoded already."""
        content = _PARTS % text if self.form is Form.PARTS else text
        if self.is_indexed:
            return _INDEXED_CHOICE % (reason, index, content)
        return _CHOICE % (reason, content)

    def output(self, index: int, text: bytes, reason: bytes) -> bytes:
        """Return `output` with a single choice."""
        if self.form is Form.TEXT:
            return _TEXT % (text, reason)
        return _CHOICES % self.choice(index, text, reason)


def _usage(input_tokens: int, output_tokens: int, cached_tokens: int) -> bytes:
    cached = _CACHED % cached_tokens if cached_tokens else b""
    return _USAGE % (input_tokens, output_tokens, input_tokens + output_tokens, cached)


@dataclass(slots=True)
class _Choice:
    """One choice of a whole answer as far as it is known."""

    pieces: list[str] = field(default_factory=list)
    reason: FinishReason = FinishReason.STOP


class WholeGeneration:
    """A native result that is sent at once."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
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
        """Return the result."""
        usage = _usage(self._usage.input_tokens, self._usage.output_tokens, self._usage.cached_tokens)
        body = _RESULT % (self._output(), usage, self._generation.encoded_id)
        return Reply(status=200, headers=JSON_HEADERS, body=body)

    def _output(self) -> bytes:
        encoded = [
            (index, _ENCODE("".join(choice.pieces)), _REASONS[choice.reason])
            for index, choice in sorted(self._choices.items())
        ]
        if len(encoded) == 1:
            return self._generation.output(*encoded[0])
        return _CHOICES % b",".join(self._generation.choice(*choice) for choice in encoded)

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())


@dataclass(slots=True)
class _Progress:
    """One choice of a stream: its tokens, and its text so far where frames repeat it."""

    tokens: int = 0
    text: bytes = b""
    """The inside of a JSON string."""


class StreamedGeneration:
    """Native frames, one choice each; the stream just ends, since clients take a `[DONE]` for a broken result."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, generation: Generation, *, incremental: bool) -> None:
        self._generation = generation
        self._incremental = incremental
        self._started = Started(served_by="", input_tokens=0)
        self._progress: dict[int, _Progress] = {}
        self._frames = 0

    def frame(self, event: Event) -> bytes:
        """Return the frame that says this event."""
        match event:
            case Delta():
                return self._delta(event)
            case ChoiceFinished():
                progress = self._choice(event.choice)
                progress.tokens += event.tokens
                return self._result(event.choice, b'"%b"' % progress.text, _REASONS[event.reason])
            case Started():
                self._started = event
                return b""
            case Finished():
                return b""
            case _:
                assert_never(event)

    def failure(self, error: QwenportError) -> bytes:
        """Return the error frame."""
        reply = encode_error(error, self._generation.request_id)
        self._frames += 1
        return _ERROR_FRAME % (self._frames, reply.status, reply.body)

    def _delta(self, event: Delta) -> bytes:
        progress = self._choice(event.choice)
        progress.tokens += event.tokens
        # A token may be a part of a character; it counts, but there is nothing to show yet.
        if not event.text:
            return b""
        text = _ENCODE(event.text)
        if not self._incremental:
            progress.text += text[1:-1]
            text = b'"%b"' % progress.text
        return self._result(event.choice, text, _GENERATING)

    def _result(self, choice: int, text: bytes, reason: bytes) -> bytes:
        self._frames += 1
        output = self._generation.output(choice, text, reason)
        tokens = self._choice(choice).tokens
        usage = _usage(self._started.input_tokens, tokens, self._started.cached_tokens)
        return _FRAME % (self._frames, output, usage, self._generation.encoded_id)

    def _choice(self, index: int) -> _Progress:
        progress = self._progress.get(index)
        if progress is None:
            progress = self._progress[index] = _Progress()
        return progress

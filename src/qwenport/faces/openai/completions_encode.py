"""From events to text completions: whole, or as chunks of the same shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.call import Call
from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started, TokenLogprob
from qwenport.core.ids import RequestId
from qwenport.core.usage import Usage
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.face import Headers, Reply
from qwenport.faces.logprobs import finite
from qwenport.faces.openai.encode import REASONS
from qwenport.faces.openai.errors import error_envelope
from qwenport.faces.openai.stream import DONE
from qwenport.faces.openai.usage import encode_usage
from qwenport.faces.sse import STREAM_HEADERS

_ENCODE = Encoder().encode
_NULL = b"null"
_HEAD = b'{"id":%b,"choices":['
_TAIL = b'],"created":%d,"model":%b,"object":"text_completion","system_fingerprint":null,"usage":'
_CHOICE = b'{"text":%b,"finish_reason":%b,"index":%d,"logprobs":%b}'


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCompletion:
    """What every part of one answer has in common."""

    request_id: RequestId
    choices: int
    head: bytes
    tail: bytes
    tells_logprobs: bool
    echo: str
    """Text that each choice begins with: the prompt, where the caller wants it back."""

    @classmethod
    def of(cls, call: Call, received_at: datetime, *, echo: str) -> Self:
        """Return what the answers to this call have in common."""
        return cls(
            request_id=call.id,
            choices=call.sampling.choices,
            head=_HEAD % _ENCODE(f"cmpl-{call.id}"),
            tail=_TAIL % (int(received_at.timestamp()), _ENCODE(call.model)),
            tells_logprobs=call.sampling.logprobs is not None,
            echo=echo,
        )

    def encode(self, choices: bytes, usage: bytes) -> bytes:
        """Return the object that holds these choices."""
        return b"%b%b%b%b}" % (self.head, choices, self.tail, usage)


class TokenLists(Struct, kw_only=True):
    """The form that log probabilities have in this operation alone: lists side by side."""

    tokens: list[str] = []
    token_logprobs: list[float] = []
    top_logprobs: list[dict[str, float]] = []
    text_offset: list[int] = []

    def extend(self, tokens: Iterable[TokenLogprob], offset: int) -> None:
        """Add tokens, the first of which begins at this character of the choice's text."""
        for token in tokens:
            logprob = finite(token.logprob)
            self.tokens.append(token.token)
            self.token_logprobs.append(logprob)
            # The token that was chosen is always among them, as OpenAI documents it.
            self.top_logprobs.append(
                {**{other.token: finite(other.logprob) for other in token.top}, token.token: logprob}
            )
            self.text_offset.append(offset)
            offset += len(token.token)


@dataclass(slots=True)
class _Choice:
    """One choice as far as it is known."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    logprobs: TokenLists = field(default_factory=TokenLists)
    reason: FinishReason = FinishReason.STOP


class WholeTextCompletion:
    """A `text_completion` object."""

    def __init__(self, completion: TextCompletion) -> None:
        self._completion = completion
        self._choices: dict[int, _Choice] = {}
        self._usage = Usage()

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Delta():
                choice = self._choice(event.choice)
                choice.logprobs.extend(event.logprobs, choice.length)
                choice.pieces.append(event.text)
                choice.length += len(event.text)
            case ChoiceFinished():
                self._choice(event.choice).reason = event.reason
            case Finished():
                self._usage = event.usage
            case _:
                # A text that goes on neither reasons nor calls tools.
                pass

    def reply(self) -> Reply:
        """Return the completion."""
        choices = b",".join(self._encode(index, choice) for index, choice in sorted(self._choices.items()))
        body = self._completion.encode(choices, encode_usage(self._usage))
        return Reply(status=200, headers=JSON_HEADERS, body=body)

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())

    def _encode(self, index: int, choice: _Choice) -> bytes:
        logprobs = _ENCODE(choice.logprobs) if self._completion.tells_logprobs else _NULL
        text = _ENCODE(self._completion.echo + "".join(choice.pieces))
        return _CHOICE % (text, REASONS[choice.reason], index, logprobs)


class StreamedTextCompletion:
    """`text_completion` objects with what is new, closed by `[DONE]`."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, completion: TextCompletion, *, include_usage: bool) -> None:
        self._completion = completion
        self._include_usage = include_usage
        self._opening = b"data: " + completion.head
        self._closing = completion.tail + b"null}\n\n"
        self._lengths: dict[int, int] = {}
        """Characters of each choice that were said, where log probabilities tell their places."""

    def frame(self, event: Event) -> bytes:
        """Return the chunks that say this event."""
        match event:
            case Delta():
                return self._delta(event)
            case ChoiceFinished():
                return self._chunk(b'""', event.choice, reason=REASONS[event.reason])
            case Started() if self._completion.echo:
                echo = _ENCODE(self._completion.echo)
                return b"".join(self._chunk(echo, index) for index in range(self._completion.choices))
            case Finished() if self._include_usage:
                return b"data: " + self._completion.encode(b"", encode_usage(event.usage)) + b"\n\n" + DONE
            case Finished():
                return DONE
            case _:
                # A text that goes on neither reasons nor calls tools.
                return b""

    def failure(self, error: QwenportError) -> bytes:
        """Return the error as a chunk; it is always wrapped, since openai does not see a flat one."""
        return b"data: %b\n\n" % error_envelope(error, self._completion.request_id)

    def _delta(self, event: Delta) -> bytes:
        if event.logprobs:
            length = self._lengths.get(event.choice, 0)
            self._lengths[event.choice] = length + len(event.text)
            logprobs = TokenLists()
            logprobs.extend(event.logprobs, length)
            return self._chunk(_ENCODE(event.text), event.choice, logprobs=_ENCODE(logprobs))
        # A token may be a part of a character; it counts, but there is nothing to show yet.
        return self._chunk(_ENCODE(event.text), event.choice) if event.text else b""

    def _chunk(self, text: bytes, index: int, *, reason: bytes = _NULL, logprobs: bytes = _NULL) -> bytes:
        return self._opening + _CHOICE % (text, reason, index, logprobs) + self._closing

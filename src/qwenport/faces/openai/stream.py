"""From events to the chunks of a streamed chat completion.

What stays the same in every chunk of an answer is encoded once, so that a chunk costs no more than its text. What the
first chunk of a choice looks like depends on what the choice begins with, so it is sent with that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.json import Encoder

from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Reasoning, ToolCallDelta
from qwenport.faces.face import Headers
from qwenport.faces.logprobs import encode_logprobs
from qwenport.faces.openai.completion import Completion
from qwenport.faces.openai.encode import REASONS
from qwenport.faces.openai.errors import error_envelope
from qwenport.faces.sse import STREAM_HEADERS

_ENCODE = Encoder().encode
DONE = b"data: [DONE]\n\n"
"""What ends each stream of this face but those of the Responses API."""
_CHUNK = (
    b'data: {"choices":[{"delta":%b,"index":%d,"logprobs":%b,"finish_reason":%b}],'
    b'"object":"chat.completion.chunk","usage":null,%b}\n\n'
)
_USAGE_CHUNK = b'data: {"choices":[],"object":"chat.completion.chunk","usage":%b,%b}\n\n'
_NULL = b"null"

_FIRST_TEXT = b'{"content":"","role":"assistant"}'
_FIRST_REASONING = b'{"content":null,"role":"assistant","reasoning_content":""}'
_FIRST_CALL = (
    b'{"content":null,"tool_calls":[{"index":%d,"id":%b,"type":"function","function":{"name":%b,"arguments":%b}}],'
    b'"role":"assistant"}'
)
_NEXT_CALL = b'{"tool_calls":[{"index":%d,"id":%b,"type":"function","function":{"name":%b,"arguments":%b}}]}'
_ARGUMENTS = b'{"tool_calls":[{"function":{"arguments":%b},"index":%d,"id":"","type":"function"}]}'
_TEXT = b'{"content":%b}'
_TEXT_AFTER_REASONING = b'{"content":%b,"reasoning_content":null}'
_REASONING = b'{"content":null,"reasoning_content":%b}'
_TEXT_CHUNK, _TEXT_CHUNK_AFTER_REASONING = (
    b'data: {"choices":[{"delta":%b,"index":%%d,"logprobs":null,"finish_reason":null}],'
    b'"object":"chat.completion.chunk","usage":null,' % delta
    for delta in (_TEXT, _TEXT_AFTER_REASONING)
)
"""Beginnings of chunks that hold a piece of text and nothing else, with places for the text and the index."""
_EMPTY_TEXT = b'""'
_NOTHING = b"{}"


@dataclass(slots=True)
class _Choice:
    """What was said of one choice so far."""

    delta: bytes
    """Shape of a further piece of text."""
    chunk: bytes
    """Shape of a whole chunk that holds nothing else, with places for the text and the index."""
    calls: set[int] = field(default_factory=set)


class StreamedCompletion:
    """`chat.completion.chunk` objects, closed by `[DONE]`."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, completion: Completion, *, include_usage: bool) -> None:
        self._completion = completion
        self._include_usage = include_usage
        self._choices: dict[int, _Choice] = {}
        tail = completion.identity.replace(b"%", b"%%") + b"}\n\n"
        self._text_only = _TEXT_CHUNK + tail
        self._text_after_reasoning = _TEXT_CHUNK_AFTER_REASONING + tail

    def frame(self, event: Event) -> bytes:
        """Return the chunks that say this event."""
        match event:
            case Delta():
                return self._text(event)
            case Reasoning():
                return self._reasoning(event)
            case ToolCallDelta():
                return self._tool_call(event)
            case ChoiceFinished():
                return self._last(event)
            case Finished():
                return self._end(event)
            case _:
                # Nothing is known of the answer when the engine starts, and a chat neither embeds nor ranks.
                return b""

    def failure(self, error: QwenportError) -> bytes:
        """Return the error as a chunk; it is always wrapped, since openai does not see a flat one."""
        return b"data: %b\n\n" % error_envelope(error, self._completion.request_id)

    def _text(self, event: Delta) -> bytes:
        # A token may be a part of a character; it counts, but there is nothing to show yet.
        if not event.text and not event.logprobs:
            return b""
        opening = b""
        choice = self._choices.get(event.choice)
        if choice is None:
            opening = self._open(event.choice, _FIRST_TEXT)
            choice = self._choices[event.choice]
        text = _ENCODE(event.text)
        if not event.logprobs:
            return opening + choice.chunk % (text, event.choice)
        return opening + self._chunk(choice.delta % text, event.choice, logprobs=encode_logprobs(event.logprobs))

    def _reasoning(self, event: Reasoning) -> bytes:
        if not event.text:
            return b""
        opening = b"" if event.choice in self._choices else self._open(event.choice, _FIRST_REASONING)
        choice = self._choices[event.choice]
        choice.delta, choice.chunk = _TEXT_AFTER_REASONING, self._text_after_reasoning
        return opening + self._chunk(_REASONING % _ENCODE(event.text), event.choice)

    def _tool_call(self, event: ToolCallDelta) -> bytes:
        choice = self._choices.get(event.choice)
        if choice is not None and event.index in choice.calls:
            # Only what is new: clients join the arguments, and a name said twice would be doubled.
            delta = _ARGUMENTS % (_ENCODE(event.arguments), event.index)
            return self._chunk(delta, event.choice) if event.arguments else b""
        shape = _FIRST_CALL if choice is None else _NEXT_CALL
        delta = shape % (event.index, _ENCODE(event.id), _ENCODE(event.name), _ENCODE(event.arguments))
        chunk = self._chunk(delta, event.choice) if choice is not None else self._open(event.choice, delta)
        self._choices[event.choice].calls.add(event.index)
        return chunk

    def _last(self, event: ChoiceFinished) -> bytes:
        opening = b"" if event.choice in self._choices else self._open(event.choice, _FIRST_TEXT)
        choice = self._choices[event.choice]
        delta = _NOTHING if choice.calls else choice.delta % _EMPTY_TEXT
        return opening + self._chunk(delta, event.choice, reason=REASONS[event.reason])

    def _end(self, event: Finished) -> bytes:
        if not self._include_usage:
            return DONE
        return _USAGE_CHUNK % (self._completion.usage(event.usage), self._completion.identity) + DONE

    def _open(self, index: int, delta: bytes) -> bytes:
        """Return the chunk that a choice begins with, after those of choices before it that said nothing yet.

        The stream helpers of openai keep choices in a list, and break off where they do not come in order.
        """
        silent = [each for each in range(index) if each not in self._choices]
        for each in (*silent, index):
            self._choices[each] = _Choice(delta=_TEXT, chunk=self._text_only)
        return b"".join(self._chunk(_FIRST_TEXT, each) for each in silent) + self._chunk(delta, index)

    def _chunk(self, delta: bytes, index: int, *, logprobs: bytes = _NULL, reason: bytes = _NULL) -> bytes:
        return _CHUNK % (delta, index, logprobs, reason, self._completion.identity)

"""From events to native generation results: whole, or as frames that hold all so far or only what is new.

What stays the same in every frame of an answer is encoded once, so that a frame costs no more than what it says.
"""

from __future__ import annotations

from collections import defaultdict
from typing import assert_never

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
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.choice import ChoiceSoFar, piece_of
from qwenport.faces.dashscope.errors import encode_error
from qwenport.faces.dashscope.generation import GENERATING, REASONS, Form, Generation, Said
from qwenport.faces.face import Headers, Reply
from qwenport.faces.sse import STREAM_HEADERS

_RESULT = b'{"output":%b,"usage":%b,"request_id":%b}'
_FRAME = b'id:%d\nevent:result\n:HTTP_STATUS/200\ndata:{"output":%b,"usage":%b,"request_id":%b}\n\n'
_ERROR_FRAME = b"id:%d\nevent:error\n:HTTP_STATUS/%d\ndata:%b\n\n"


class WholeGeneration:
    """A native result that is sent at once."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._choices: dict[int, ChoiceSoFar] = {}
        self._texts: defaultdict[int, list[str]] = defaultdict(list)
        self._reasons: dict[int, FinishReason] = {}
        self._usage = b""

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Delta():
                # Nearly all events are of this kind; their text is encoded once, when it is whole.
                self._texts[event.choice].append(event.text)
                if event.logprobs:
                    _choice(self._choices, event.choice).count(event)
            case Reasoning() | ToolCallDelta():
                _choice(self._choices, event.choice).remember(event, piece_of(event))
            case ChoiceFinished():
                _choice(self._choices, event.choice)
                self._reasons[event.choice] = event.reason
            case Finished():
                consumed, usage = event.usage, self._generation.usage()
                usage.begin(consumed.input_tokens, consumed.cached_tokens, consumed.image_tokens)
                self._usage = usage.encode(consumed.output_tokens, consumed.reasoning_tokens)
            case Recognized():
                _choice(self._choices, event.choice).recognize(event)
            case Started() | Embedded() | Ranked() | Relayed():
                pass
            case _:
                assert_never(event)

    def reply(self) -> Reply:
        """Return the result."""
        for index, texts in self._texts.items():
            text = Delta(text="".join(texts), choice=index)
            choice = _choice(self._choices, index)
            choice.remember(text, piece_of(text))
            choice.texts.append(text.text)
        output = self._generation.whole_output(
            [
                (
                    index,
                    _all_said(self._generation, choice),
                    choice.logprobs,
                    REASONS[self._reasons.get(index, FinishReason.STOP)],
                )
                for index, choice in sorted(self._choices.items())
            ]
        )
        body = _RESULT % (output, self._usage, self._generation.encoded_id)
        return Reply(status=200, headers=JSON_HEADERS, body=body)


class StreamedGeneration:
    """Native frames, one choice each; the stream just ends, since clients take a `[DONE]` for a broken result."""

    headers: Headers = STREAM_HEADERS

    def __init__(self, generation: Generation, *, incremental: bool) -> None:
        self._generation = generation
        self._incremental = incremental
        self._has_room = generation.form is not Form.TEXT
        self._usage = generation.usage()
        self._choices: dict[int, ChoiceSoFar] = {}
        self._frames = 0

    def frame(self, event: Event) -> bytes:
        """Return the frame that says this event."""
        match event:
            case Delta() | Reasoning() | ToolCallDelta():
                return self._piece(event)
            case ChoiceFinished():
                choice = _choice(self._choices, event.choice)
                choice.tokens += event.tokens
                return self._result(event.choice, choice, _all_said(self._generation, choice), REASONS[event.reason])
            case Started():
                self._usage.begin(event.input_tokens, event.cached_tokens, event.image_tokens)
                return b""
            case Recognized():
                _choice(self._choices, event.choice).recognize(event)
                return b""
            case Finished() | Embedded() | Ranked() | Relayed():
                return b""
            case _:
                assert_never(event)

    def failure(self, error: QwenportError) -> bytes:
        """Return the error frame."""
        reply = encode_error(error, self._generation.request_id)
        self._frames += 1
        return _ERROR_FRAME % (self._frames, reply.status, reply.body)

    def _piece(self, event: Delta | Reasoning | ToolCallDelta) -> bytes:
        choice = _choice(self._choices, event.choice)
        choice.count(event)
        piece = piece_of(event)
        if self._generation.tells_processed and type(event) is Delta:
            choice.texts.append(event.text)
        # A token may be a part of a character; it counts, but there is nothing to show yet.
        if not piece.text and not (self._has_room and (piece.reasoning or piece.calls)):
            return b""
        if not self._incremental:
            choice.remember(event, piece)
            piece = choice.said()
        return self._result(event.choice, choice, piece, GENERATING)

    def _result(self, index: int, choice: ChoiceSoFar, said: Said, reason: bytes) -> bytes:
        self._frames += 1
        output = self._generation.output(index, said, choice.logprobs, reason)
        if self._incremental and choice.logprobs:
            choice.logprobs.clear()
        usage = self._usage.encode(choice.tokens, choice.reasoning_tokens)
        return _FRAME % (self._frames, output, usage, self._generation.encoded_id)


def _all_said(generation: Generation, choice: ChoiceSoFar) -> Said:
    """Return what was remembered of a complete choice, with what stands beside its text."""
    said = choice.said()
    beside = generation.beside("".join(choice.texts), choice.result)
    return Said(text=said.text, reasoning=said.reasoning, calls=said.calls, beside=beside) if beside else said


def _choice(choices: dict[int, ChoiceSoFar], index: int) -> ChoiceSoFar:
    choice = choices.get(index)
    if choice is None:
        choice = choices[index] = ChoiceSoFar()
    return choice

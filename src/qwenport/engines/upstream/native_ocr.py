"""Answers of Model Studio's native service to built-in OCR tasks, read as chunks of a chat.

Shapes as in the Qwen-OCR API reference (https://help.aliyun.com/zh/model-studio/qwen-vl-ocr-api-reference): the content
of a message is a list of parts, and what a task found stands beside the text of its last one.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from qwenport.core.events import ChoiceFinished, Event, Recognized
from qwenport.engines.upstream.wire import WireAnswer, WireChoice, WireLogprobs, WireMessage

_ENCODE = msgspec.json.Encoder().encode


class _Part(Struct, frozen=True):
    text: str | None = None
    ocr_result: object = None


class _Message(Struct, frozen=True):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None


class _Choice(Struct, frozen=True):
    index: int | None = None
    message: _Message | None = None
    finish_reason: str | None = None
    logprobs: WireLogprobs | None = None


class _Output(Struct, frozen=True):
    choices: list[_Choice] | None = None


class _Frame(Struct, frozen=True):
    output: _Output | None = None
    usage: object = None
    code: object = None
    message: object = None


_DECODE = Decoder(_Frame).decode
_NOTHING = _Message()


class NativeOcrAnswer:
    """Reads the answer to one task; what it found is kept until its choice ends."""

    def __init__(self) -> None:
        self._results: dict[int, bytes] = {}

    def decode(self, encoded: bytes) -> WireAnswer:
        """Return a frame, or a whole answer, as a chunk.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: it is none.
        """
        frame = _DECODE(encoded)
        choices = frame.output.choices if frame.output is not None else None
        return WireAnswer(
            choices=[self._chunk(choice) for choice in choices] if choices else None,
            usage=frame.usage,
            code=frame.code,
            message=frame.message,
        )

    def before(self, event: Event) -> Recognized | None:
        """Take in the next event; returns what is to be told before it, if anything."""
        if type(event) is ChoiceFinished and (result := self._results.get(event.choice)):
            return Recognized(result=result, choice=event.choice)
        return None

    def _chunk(self, choice: _Choice) -> WireChoice:
        index, message = choice.index or 0, choice.message or _NOTHING
        parts = [_Part(text=message.content)] if isinstance(message.content, str) else message.content or []
        for part in parts:
            if isinstance(part.ocr_result, dict):
                self._results[index] = _ENCODE(part.ocr_result)
        return WireChoice(
            index=index,
            delta=WireMessage(
                content="".join(part.text or "" for part in parts), reasoning_content=message.reasoning_content
            ),
            finish_reason=choice.finish_reason,
            logprobs=choice.logprobs,
        )

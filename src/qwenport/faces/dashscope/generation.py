"""The shape of a native generation result: what one choice says, as `output`.

Shapes as in the DashScope chat reference (https://www.alibabacloud.com/help/en/model-studio/qwen-api-reference).
"""

from __future__ import annotations

from enum import Enum
from typing import Self

from msgspec import Struct, structs
from msgspec.json import Encoder

from qwenport.core.call import Call
from qwenport.core.events import FinishReason
from qwenport.core.ids import RequestId
from qwenport.faces.dashscope.repeats import without_repeats
from qwenport.faces.dashscope.usage import RunningUsage

_ENCODE = Encoder().encode
_TEXT = b'{"text":"%b","finish_reason":%b}'
_CHOICES = b'{"choices":[%b]}'
_CHOICE = b'{"finish_reason":%b%b,"message":{"role":"assistant","content":%b%b}%b}'
_INDEX = b',"index":%d'
_STRING = b'"%b"'
_PARTS = b'[{"text":"%b"%b}]'
_PROCESSED = b',"processed_text":%b'
_RECOGNIZED = b',"ocr_result":%b'
_NO_PARTS = b"[]"
_REASONING = b',"reasoning_content":"%b"'
_CALLS = b',"tool_calls":[%b]'
_LOGPROBS = b',"logprobs":{"content":[%b]}'

GENERATING = b'"null"'
"""What stands for the finish reason until there is one: a string, not JSON's null."""
REASONS = {reason: _ENCODE(reason) for reason in FinishReason}
"""The finish reasons as JSON."""


class Form(Enum):
    """How the answer is wrapped."""

    TEXT = "text"
    """`output.text`; there is no room for reasoning, tool calls, log probabilities or a second choice."""
    MESSAGE = "message"
    """`output.choices`, content a string."""
    PARTS = "parts"
    """`output.choices`, content a list of parts."""


class Said(Struct, frozen=True, kw_only=True, gc=False):
    """What a message says, in JSON."""

    text: bytes | bytearray = b""
    """The inside of a string."""
    reasoning: bytes | bytearray = b""
    """The inside of a string."""
    calls: bytes = b""
    """The inside of a list."""
    beside: bytes = b""
    """Further members of the part that holds the text, a comma before each: what was read beside the text."""


class Generation(Struct, frozen=True, kw_only=True):
    """What every part of one answer has in common."""

    request_id: RequestId
    encoded_id: bytes
    form: Form
    thinks: bool
    """Whether messages carry `reasoning_content` even where it is empty."""
    is_indexed: bool
    """Whether choices carry their index: only where there are several."""
    tells_logprobs: bool
    tells_processed: bool = False
    """Whether the end of a choice says the whole text again without what repeats."""
    plain: bytes = b""
    """`output` of a message that is under way and says nothing but a text, with the place of that text; empty where
    choices are indexed or tell log probabilities."""

    @classmethod
    def of(cls, call: Call, form: Form, *, thinks: bool, tells_processed: bool = False) -> Self:
        """Return what the answers to this call have in common."""
        generation = cls(
            request_id=call.id,
            encoded_id=_ENCODE(call.id),
            form=form,
            thinks=thinks,
            is_indexed=call.sampling.choices > 1,
            tells_logprobs=call.sampling.logprobs is not None,
            tells_processed=tells_processed,
        )
        if generation.is_indexed or generation.tells_logprobs:
            return generation
        return structs.replace(generation, plain=generation.output(0, Said(text=b"%b"), b"", GENERATING))

    def usage(self) -> RunningUsage:
        """Return the usage of an answer of which nothing is known yet."""
        return RunningUsage(tells_text=self.form is Form.PARTS, tells_reasoning=self.thinks)

    def beside(self, text: str, result: bytes) -> bytes:
        """Return what stands beside the text of a choice that is complete: its own text, and what a task found."""
        if self.form is not Form.PARTS:
            return b""
        processed = _PROCESSED % _ENCODE(without_repeats(text)) if self.tells_processed else b""
        return processed + (_RECOGNIZED % result if result else b"")

    def output(self, index: int, said: Said, logprobs: bytes | bytearray, reason: bytes) -> bytes:
        """Return `output` with a single choice."""
        if self.plain and reason is GENERATING and not said.reasoning and not said.calls:
            return self.plain % said.text
        if self.form is Form.TEXT:
            return _TEXT % (said.text, reason)
        return _CHOICES % self._choice(index, said, logprobs, reason)

    def whole_output(self, choices: list[tuple[int, Said, bytes | bytearray, bytes]]) -> bytes:
        """Return `output` with all choices: index, what it says, its log probabilities and its reason."""
        if len(choices) == 1:
            return self.output(*choices[0])
        return _CHOICES % b",".join(self._choice(*choice) for choice in choices)

    def _choice(self, index: int, said: Said, logprobs: bytes | bytearray, reason: bytes) -> bytes:
        extras = _REASONING % said.reasoning if self.thinks or said.reasoning else b""
        if said.calls:
            extras += _CALLS % said.calls
        return _CHOICE % (
            reason,
            _INDEX % index if self.is_indexed else b"",
            self._content(said, reason),
            extras,
            _LOGPROBS % logprobs if self.tells_logprobs else b"",
        )

    def _content(self, said: Said, reason: bytes) -> bytes:
        if self.form is Form.MESSAGE:
            return _STRING % said.text
        # A frame of reasoning or of a tool call has no part; the documented loops tell it from text by that. The end
        # has one always, because callers read the first part's text there.
        return _PARTS % (said.text, said.beside) if said.text or reason is not GENERATING else _NO_PARTS

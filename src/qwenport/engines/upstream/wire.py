"""What comes back over the wire from upstreams; unknown fields are skipped.

Servers differ in what they leave out, set to null or misspell, so that what is counted or told beside an answer has any
type here, and is looked at by who needs it. Sources: the OpenAI API reference; Model Studio's pages of its compatible
API and of its errors; `vllm/entrypoints/openai/`; `python/sglang/srt/entrypoints/openai/`; `tools/server` of llama.cpp.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class WireFunction(Struct, frozen=True, gc=False):
    """A function that is called, or a further piece of it."""

    name: str | None = None
    arguments: object = None
    """Text, from most; an object, from some."""


class WireToolCall(Struct, frozen=True, gc=False):
    """A tool call, or a further piece of one."""

    index: int | None = None
    id: str | None = None
    function: WireFunction | None = None


class WireTopToken(Struct, frozen=True, gc=False):
    """A token that might have been chosen."""

    token: str
    logprob: float | None = None
    bytes: list[int] | None = None


class WireToken(Struct, frozen=True, gc=False):
    """A token that was chosen."""

    token: str
    logprob: float | None = None
    bytes: list[int] | None = None
    top_logprobs: list[WireTopToken] | None = None


class WireLogprobs(Struct, frozen=True, gc=False):
    """Log probabilities: `content` of chats, the lists of `completions`."""

    content: list[WireToken] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class WireMessage(Struct, frozen=True, gc=False):
    """A message, or a further piece of one."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[WireToolCall] | None = None
    function_call: WireFunction | None = None
    """The older form of a single tool call."""


class WireChoice(Struct, frozen=True, gc=False):
    """One choice of an answer, or its share of a chunk."""

    index: int = 0
    delta: WireMessage | None = None
    message: WireMessage | None = None
    text: str | None = None
    """Where there is no chat."""
    finish_reason: str | None = None
    logprobs: WireLogprobs | None = None


class PromptProgress(Struct, frozen=True, gc=False):
    """How far llama.cpp read the prompt, in tokens."""

    total: int
    cache: int = 0


class Timings(Struct, frozen=True, gc=False):
    """How many tokens llama.cpp has generated for the choice."""

    predicted_n: int = 0


class WireAnswer(Struct, frozen=True, gc=False):
    """A whole answer, or one chunk of a stream, or an error in the place of either."""

    choices: list[WireChoice] | None = None
    usage: object = None
    timings: Timings | None = None
    prompt_progress: PromptProgress | None = None
    error: object = None
    code: object = None
    message: object = None
    type: object = None


class WireModel(Struct, frozen=True):
    """One model of a list."""

    owned_by: object = None


class WireModels(Struct, frozen=True):
    """The answer of `GET /models`."""

    data: list[WireModel] = []


encode_request = msgspec.json.Encoder().encode
decode_answer = msgspec.json.Decoder(WireAnswer).decode
decode_models = msgspec.json.Decoder(WireModels).decode
decode_any = msgspec.json.Decoder().decode

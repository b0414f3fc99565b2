"""What comes back over the wire from llama.cpp's own HTTP server; unknown fields are skipped.

Seen with llama.cpp b11549 (xllamacpp 2026.10): during prefill come chunks with `prompt_progress`; then one chunk per
piece of text, of reasoning or of a tool call with `timings.predicted_n`, the tokens of that choice so far; then a chunk
with `finish_reason` and, directly after it or in it, `usage`, which belongs to the choice that just finished; then
`[DONE]`. A character that is several tokens comes in one piece, with the log probability of its last token only.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class PromptProgress(Struct, frozen=True, gc=False):
    """How far the prompt was read, in tokens."""

    total: int
    cache: int = 0


class Timings(Struct, frozen=True, gc=False):
    """Only the count of generated tokens is of interest."""

    predicted_n: int = 0


class ChunkFunction(Struct, frozen=True, gc=False):
    """A further piece of a call; the name comes whole, in the first piece."""

    name: str | None = None
    arguments: str | None = None


class ChunkToolCall(Struct, frozen=True, gc=False):
    """A further piece of one tool call, of a model whose template tells tools."""

    index: int
    function: ChunkFunction


class ChunkDelta(Struct, frozen=True, gc=False):
    """A further piece of text, of reasoning or of tool calls, or none."""

    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ChunkToolCall, ...] | None = None


class ChunkTopToken(Struct, frozen=True, gc=False):
    """A token that might have been chosen."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()


class ChunkToken(Struct, frozen=True, gc=False):
    """A token that was chosen."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    top_logprobs: tuple[ChunkTopToken, ...] = ()


class ChunkLogprobs(Struct, frozen=True, gc=False):
    """The log probabilities of a piece of text."""

    content: tuple[ChunkToken, ...] | None = None


_NO_DELTA = ChunkDelta()


class ChunkChoice(Struct, frozen=True, gc=False):
    """One choice's share of a chunk."""

    delta: ChunkDelta = _NO_DELTA
    text: str | None = None
    """The piece of text where there is no chat."""
    index: int = 0
    finish_reason: str | None = None
    logprobs: ChunkLogprobs | None = None


class ChunkUsage(Struct, frozen=True, gc=False):
    """Tokens of the choice that finished last."""

    completion_tokens: int


class InputTokens(Struct, frozen=True, gc=False):
    """How many tokens a prompt has, for one that is only counted."""

    input_tokens: int


class ErrorBody(Struct, frozen=True, gc=False):
    """What went wrong, in llama.cpp's words."""

    message: str = ""
    type: str = ""
    n_ctx: int = 0


class ErrorAnswer(Struct, frozen=True, gc=False):
    """Body of a refusal."""

    error: ErrorBody


class Chunk(Struct, frozen=True, gc=False):
    """One `data:` line of a stream."""

    choices: tuple[ChunkChoice, ...] = ()
    timings: Timings | None = None
    prompt_progress: PromptProgress | None = None
    usage: ChunkUsage | None = None
    error: ErrorBody | None = None


encode_request = msgspec.json.Encoder().encode
decode_chunk = msgspec.json.Decoder(Chunk).decode
decode_input_tokens = msgspec.json.Decoder(InputTokens).decode
decode_error = msgspec.json.Decoder(ErrorAnswer).decode

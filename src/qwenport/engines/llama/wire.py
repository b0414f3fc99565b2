"""What goes over the wire to llama.cpp's own HTTP server and back; unknown fields of its answers are skipped.

Seen with llama.cpp b11549 (xllamacpp 2026.10): during prefill come chunks with `prompt_progress`; then one chunk per
piece of text with `timings.predicted_n`, the tokens of that choice so far; then a chunk with `finish_reason` and,
directly after it, one with `usage` and no choices, which belongs to the choice that just finished; then `[DONE]`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class RequestMessage(Struct, frozen=True, gc=False):
    """One turn."""

    role: str
    content: str


class StreamOptions(Struct, frozen=True, gc=False):
    """What a stream holds besides text."""

    include_usage: bool


class SchemaOfAnswer(Struct, frozen=True):
    """The inner table of `response_format`."""

    name: str
    schema: msgspec.Raw


class ResponseFormat(Struct, frozen=True):
    """Constrains the answer to a JSON Schema."""

    json_schema: SchemaOfAnswer
    type: str = "json_schema"


class TemplateSwitches(Struct, frozen=True):
    """Switches of a chat template; templates that do not know one pass over it."""

    enable_thinking: bool


class ChatRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of `POST /v1/chat/completions`; a field that has a default here is left out where it has that value."""

    messages: list[RequestMessage]
    stream: bool
    """Always true: a departed caller stops a stream, while an answer in one piece would run to its end."""
    timings_per_token: bool
    return_progress: bool
    stream_options: StreamOptions
    min_p: float
    """0 for off; llama.cpp's own default would narrow the choice beyond what the caller asked."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    grammar: str | None = None
    response_format: ResponseFormat | None = None
    chat_template_kwargs: TemplateSwitches | None = None


class PromptProgress(Struct, frozen=True, gc=False):
    """How far the prompt was read, in tokens."""

    total: int
    cache: int = 0


class Timings(Struct, frozen=True, gc=False):
    """Only the count of generated tokens is of interest."""

    predicted_n: int = 0


class ChunkDelta(Struct, frozen=True, gc=False):
    """A further piece of text, or none."""

    content: str | None = None


class ChunkChoice(Struct, frozen=True, gc=False):
    """One choice's share of a chunk."""

    delta: ChunkDelta
    index: int = 0
    finish_reason: str | None = None


class ChunkUsage(Struct, frozen=True, gc=False):
    """Tokens of the choice that finished last."""

    completion_tokens: int


class ErrorBody(Struct, frozen=True, gc=False):
    """What went wrong, in llama.cpp's words."""

    message: str = ""
    type: str = ""
    n_prompt_tokens: int = 0
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
decode_error = msgspec.json.Decoder(ErrorAnswer).decode

"""What chat, text, vector and ranking operations answer, as types: encoders write bytes, these say what is in them.

Nothing is encoded with them; the OpenAPI document is made of them, and tests hold every answer against them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from qwenport.faces.logprob_answers import Logprobs
from qwenport.faces.openai.completions_encode import TokenLists
from qwenport.faces.ranking_answers import RankedResult

Reason = Literal["stop", "length", "tool_calls"]


class CachedTokens(Struct, frozen=True, kw_only=True):
    """Input tokens by kind; images only where the call shows some."""

    cached_tokens: int
    image_tokens: int | UnsetType = UNSET
    text_tokens: int | UnsetType = UNSET


class GeneratedTokens(Struct, frozen=True, kw_only=True):
    """Output tokens by kind."""

    reasoning_tokens: int | UnsetType = UNSET
    text_tokens: int | UnsetType = UNSET


class Usage(Struct, frozen=True, kw_only=True):
    """What was consumed."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: GeneratedTokens | UnsetType = UNSET


class CalledFunction(Struct, frozen=True, kw_only=True):
    """A function's name and its arguments as JSON text; a later piece of a stream has no name."""

    arguments: str
    name: str | UnsetType = UNSET


class ToolCall(Struct, frozen=True, kw_only=True):
    """One call of a tool, or a further piece of one, whose id is empty."""

    function: CalledFunction
    id: str
    index: int
    type: Literal["function"]


class AssistantMessage(Struct, frozen=True, kw_only=True):
    """What the model says."""

    content: str
    role: Literal["assistant"]
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET


class Choice(Struct, frozen=True, kw_only=True):
    """One answer."""

    message: AssistantMessage
    finish_reason: Reason
    index: int
    logprobs: Logprobs | None


class ChatCompletion(Struct, frozen=True, kw_only=True):
    """A whole chat completion."""

    choices: list[Choice]
    object: Literal["chat.completion"]
    usage: Usage
    created: int
    system_fingerprint: None
    model: str
    id: str


class Delta(Struct, frozen=True, kw_only=True):
    """What is new."""

    content: str | UnsetType | None = UNSET
    role: Literal["assistant"] | UnsetType = UNSET
    reasoning_content: str | UnsetType | None = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True, kw_only=True):
    """A further piece of one answer."""

    delta: Delta
    index: int
    logprobs: Logprobs | None
    finish_reason: Reason | None


class ChatCompletionChunk(Struct, frozen=True, kw_only=True):
    """One chunk; the one with the usage has no choices. The stream ends with `[DONE]`."""

    choices: list[ChunkChoice]
    object: Literal["chat.completion.chunk"]
    usage: Usage | None
    created: int
    system_fingerprint: None
    model: str
    id: str


class TextChoice(Struct, frozen=True, kw_only=True):
    """One text, or a further piece of it, which has no reason to end yet."""

    text: str
    finish_reason: Reason | None
    index: int
    logprobs: TokenLists | None


class Completion(Struct, frozen=True, kw_only=True):
    """A text completion, or a chunk of one, which has no usage but for the last. A stream ends with `[DONE]`."""

    id: str
    choices: list[TextChoice]
    created: int
    model: str
    object: Literal["text_completion"]
    system_fingerprint: None
    usage: Usage | None


class Embedding(Struct, frozen=True, kw_only=True):
    """One vector: numbers, or 32-bit little-endian floats in base64."""

    embedding: list[float] | str
    index: int
    object: Literal["embedding"]


class EmbeddingUsage(Struct, frozen=True, kw_only=True):
    """What was consumed."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Struct, frozen=True, kw_only=True):
    """The vectors, in the order of the texts."""

    data: list[Embedding]
    model: str
    object: Literal["list"]
    usage: EmbeddingUsage
    id: str


class RankingUsage(Struct, frozen=True, kw_only=True):
    """What was consumed."""

    total_tokens: int


class RankedList(Struct, frozen=True, kw_only=True):
    """The documents, the best first."""

    id: str
    object: Literal["list"]
    model: str
    results: list[RankedResult]
    usage: RankingUsage

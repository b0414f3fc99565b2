"""What the native generation, embedding and rerank services answer, as types: encoders write bytes, these say what.

Nothing is encoded with them; the OpenAPI document is made of them, and tests hold every answer against them.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from qwenport.faces.logprob_answers import Logprobs
from qwenport.faces.ranking_answers import RankedResult

Reason = Literal["stop", "length", "tool_calls", "null"]
"""`"null"`, a string, stands in frames of a choice that goes on."""


class CalledFunction(Struct, frozen=True, kw_only=True):
    """A function's name and its arguments as JSON text; in a later piece of an incremental stream the name is empty."""

    name: str
    arguments: str


class ToolCall(Struct, frozen=True, kw_only=True):
    """One call of a tool."""

    index: int
    id: str
    type: Literal["function"]
    function: CalledFunction


class Word(Struct, frozen=True, kw_only=True):
    """A line of text and its place in pixels of the image that was sent."""

    text: str
    location: list[float]
    """Four corners, x and y in turn: top left, top right, bottom right, bottom left."""
    rotate_rect: list[float]
    """Centre, width, height, and the angle in degrees."""
    page: int | UnsetType = UNSET
    """Of several, from 1."""


class ValuePlace(Struct, frozen=True, kw_only=True):
    """Where the value of a field stands."""

    path: list[str | int]
    """Its names in `kv_result`, and numbers of entries of lists from 0."""
    locations: list[list[float]]
    """Four corners of each line that it stands in, as the `location` of a line."""
    score: float
    """How sure it is, from 0 to 1."""
    page: int | UnsetType = UNSET


class PageSize(Struct, frozen=True, kw_only=True):
    """How many pixels a page has, from 1."""

    page: int
    width: int
    height: int


class OcrResult(Struct, frozen=True, kw_only=True):
    """What a built-in task found: `words_info` of `advanced_recognition`, `kv_result` of fields."""

    words_info: list[Word] | UnsetType = UNSET
    kv_result: dict[str, Any] | UnsetType = UNSET
    kv_places: list[ValuePlace] | UnsetType = UNSET
    """Where the values stand, for who asks for it by `result_places`."""
    pages: list[PageSize] | UnsetType = UNSET
    """Beside places on pages that were drawn, or on several images."""


class TextPart(Struct, frozen=True, kw_only=True):
    """A part of what is said; beside the text of a complete answer, what was read in the images."""

    text: str
    processed_text: str | UnsetType = UNSET
    ocr_result: OcrResult | UnsetType = UNSET


class AssistantMessage(Struct, frozen=True, kw_only=True):
    """What the model says; a list of parts from `multimodal-generation`."""

    role: Literal["assistant"]
    content: str | list[TextPart]
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType = UNSET


class Choice(Struct, frozen=True, kw_only=True):
    """One answer; it has an index where several were asked for."""

    finish_reason: Reason
    message: AssistantMessage
    index: int | UnsetType = UNSET
    logprobs: Logprobs | UnsetType = UNSET


class GenerationOutput(Struct, frozen=True, kw_only=True):
    """`text` with `result_format` text, `choices` with message."""

    text: str | UnsetType = UNSET
    finish_reason: Reason | UnsetType = UNSET
    choices: list[Choice] | UnsetType = UNSET


class InputDetails(Struct, frozen=True, kw_only=True):
    """Input tokens by kind."""

    text_tokens: int
    image_tokens: int


class CacheDetails(Struct, frozen=True, kw_only=True):
    """Input tokens that were in the cache."""

    cached_tokens: int


class OutputDetails(Struct, frozen=True, kw_only=True):
    """Output tokens by kind."""

    text_tokens: int
    reasoning_tokens: int | UnsetType = UNSET


class GenerationUsage(Struct, frozen=True, kw_only=True):
    """What was consumed so far."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    image_tokens: int | UnsetType = UNSET
    input_tokens_details: InputDetails | UnsetType = UNSET
    prompt_tokens_details: CacheDetails | UnsetType = UNSET
    output_tokens_details: OutputDetails | UnsetType = UNSET


class GenerationResult(Struct, frozen=True, kw_only=True):
    """A whole answer, or one frame: all so far, or only what is new with `incremental_output`."""

    output: GenerationOutput
    usage: GenerationUsage
    request_id: str


class TotalUsage(Struct, frozen=True, kw_only=True):
    """What was consumed."""

    total_tokens: int


class TextVector(Struct, frozen=True, kw_only=True):
    """The vector of one text."""

    text_index: int
    embedding: list[float]


class EmbeddingOutput(Struct, frozen=True, kw_only=True):
    """The vectors, in the order of the texts."""

    embeddings: list[TextVector]


class EmbeddingResult(Struct, frozen=True, kw_only=True):
    """Vectors of texts."""

    output: EmbeddingOutput
    usage: TotalUsage
    request_id: str


class RerankOutput(Struct, frozen=True, kw_only=True):
    """The documents, the best first."""

    results: list[RankedResult]


class RerankResult(Struct, frozen=True, kw_only=True):
    """Documents in order."""

    output: RerankOutput
    usage: TotalUsage
    request_id: str

"""What the Responses API answers, as types: the object, its items, and the events of a stream.

Only the head of a response is encoded with them; the OpenAPI document is made of them, and tests hold every answer
against them.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from qwenport.faces.logprob_answers import TokenLogprob


class OutputText(Struct, frozen=True, kw_only=True, tag_field="type", tag="output_text"):
    """A text."""

    annotations: list[Any]
    logprobs: list[TokenLogprob]
    text: str


class SummaryText(Struct, frozen=True, kw_only=True, tag_field="type", tag="summary_text"):
    """What the model thought."""

    text: str


class MessageItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """What the model said."""

    content: list[OutputText]
    id: str
    role: Literal["assistant"]
    status: str


class ReasoningItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="reasoning"):
    """What the model thought before it said more."""

    id: str
    summary: list[SummaryText]


class FunctionCallItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """A function that the model called."""

    arguments: str
    call_id: str
    id: str
    name: str
    status: str


OutputItem = MessageItem | ReasoningItem | FunctionCallItem


class CacheDetails(Struct, frozen=True, kw_only=True):
    """Input tokens that were in the cache."""

    cached_tokens: int
    cache_write_tokens: int | UnsetType = UNSET


class ReasoningDetails(Struct, frozen=True, kw_only=True):
    """Output tokens that were reasoning."""

    reasoning_tokens: int


class BilledUsage(Struct, frozen=True, kw_only=True):
    """Usage by the way it is billed, as Model Studio tells it beside OpenAI's members."""

    input_tokens: int
    output_tokens: int
    output_tokens_details: ReasoningDetails
    prompt_tokens_details: CacheDetails
    total_tokens: int
    x_billing_type: str


class ResponseUsage(Struct, frozen=True, kw_only=True):
    """What was consumed."""

    input_tokens: int
    input_tokens_details: CacheDetails
    output_tokens: int
    output_tokens_details: ReasoningDetails
    total_tokens: int
    x_details: list[BilledUsage]


class ResponseFault(Struct, frozen=True, kw_only=True):
    """Why a response failed."""

    code: str
    message: str


class Incomplete(Struct, frozen=True, kw_only=True):
    """Why a response is not whole."""

    reason: str


class ResponseHead(Struct, frozen=True, kw_only=True):
    """Members that are the same from the first event to the last; what the request said is repeated."""

    background: bool
    created_at: int
    id: str
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    model: str
    object: Literal["response"]
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: Any
    temperature: float | None
    text: Any
    tool_choice: Any
    tools: list[Any]
    top_p: float | None
    truncation: str


class Response(ResponseHead, frozen=True, kw_only=True):
    """A response."""

    status: Literal["in_progress", "completed", "incomplete", "failed"]
    store: bool
    error: ResponseFault | None
    incomplete_details: Incomplete | None
    output: list[OutputItem]
    usage: ResponseUsage | None


class _Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    sequence_number: int


class _WithResponse(_Event, frozen=True, kw_only=True):
    response: Response


class ResponseCreated(_WithResponse, frozen=True, tag="response.created"):
    """The first event."""


class ResponseInProgress(_WithResponse, frozen=True, tag="response.in_progress"):
    """The second event."""


class ResponseCompleted(_WithResponse, frozen=True, tag="response.completed"):
    """The last event of a whole answer."""


class ResponseIncomplete(_WithResponse, frozen=True, tag="response.incomplete"):
    """The last event of an answer that a bound on its tokens cut off."""


class ResponseFailed(_WithResponse, frozen=True, tag="response.failed"):
    """An answer broke off; an `error` event follows."""


class _WithItem(_Event, frozen=True, kw_only=True):
    item: OutputItem
    output_index: int


class OutputItemAdded(_WithItem, frozen=True, tag="response.output_item.added"):
    """An item begins."""


class OutputItemDone(_WithItem, frozen=True, tag="response.output_item.done"):
    """An item is whole."""


class _OfItem(_Event, frozen=True, kw_only=True):
    item_id: str
    output_index: int


class _OfText(_OfItem, frozen=True, kw_only=True):
    content_index: int


class ContentPartAdded(_OfText, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A part of a message begins."""

    part: OutputText


class ContentPartDone(_OfText, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part of a message is whole."""

    part: OutputText


class OutputTextDelta(_OfText, frozen=True, kw_only=True, tag="response.output_text.delta"):
    """A further piece of text."""

    delta: str
    logprobs: list[TokenLogprob]


class OutputTextDone(_OfText, frozen=True, kw_only=True, tag="response.output_text.done"):
    """A text is whole."""

    text: str
    logprobs: list[TokenLogprob]


class _OfSummary(_OfItem, frozen=True, kw_only=True):
    summary_index: int


class SummaryPartAdded(_OfSummary, frozen=True, kw_only=True, tag="response.reasoning_summary_part.added"):
    """A part of the reasoning begins."""

    part: SummaryText


class SummaryPartDone(_OfSummary, frozen=True, kw_only=True, tag="response.reasoning_summary_part.done"):
    """A part of the reasoning is whole."""

    part: SummaryText


class SummaryTextDelta(_OfSummary, frozen=True, kw_only=True, tag="response.reasoning_summary_text.delta"):
    """A further piece of reasoning."""

    delta: str


class SummaryTextDone(_OfSummary, frozen=True, kw_only=True, tag="response.reasoning_summary_text.done"):
    """Reasoning is whole."""

    text: str


class ArgumentsDelta(_OfItem, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"):
    """A further piece of a call's arguments."""

    delta: str


class ArgumentsDone(_OfItem, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    """A call's arguments are whole."""

    arguments: str
    name: str


class StreamError(_Event, frozen=True, kw_only=True, tag="error"):
    """What went wrong, as OpenAI's event of this name says it and as the face's errors do."""

    message: str
    param: None
    error: Any
    request_id: str
    id: str | UnsetType = UNSET


ResponseEvent = (
    ResponseCreated
    | ResponseInProgress
    | ResponseCompleted
    | ResponseIncomplete
    | ResponseFailed
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputTextDelta
    | OutputTextDone
    | SummaryPartAdded
    | SummaryPartDone
    | SummaryTextDelta
    | SummaryTextDone
    | ArgumentsDelta
    | ArgumentsDone
    | StreamError
)
"""The data of one event."""

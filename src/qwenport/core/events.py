"""What an engine says while it works on a call.

A run that generates is `Started`, then any number of `Reasoning`, `Delta` and `ToolCallDelta` and one
`ChoiceFinished` per choice, then `Finished`, which is the last event. A built-in OCR task may say `Recognized` once
per choice. A run that embeds or reranks is `Started`, one `Embedded` per text or one `Ranked` per document, then
`Finished`. One of a native service that is only handed on is `Started`, one or more `Relayed`, then `Finished`. An
error is not an event: the run raises it. Every event carries the tokens that it added, so that the sum of the events
seen so far is what an abandoned call has consumed.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.usage import Usage


class FinishReason(StrEnum):
    """Why a choice ended."""

    STOP = "stop"
    """The model ended its turn or reached a stop sequence."""
    LENGTH = "length"
    """`max_tokens` or the context was used up."""
    TOOL_CALLS = "tool_calls"
    """The model called tools and waits for their answers."""


class Started(Struct, frozen=True, kw_only=True, tag="started", gc=False):
    """The engine has read the whole prompt and is about to answer."""

    served_by: str
    """Engine and model that answer, as `engine/model`."""
    input_tokens: int
    cached_tokens: int = 0
    image_tokens: int = 0
    """How many of the input tokens are those of images."""
    billed_percent: int | None = None
    """Part of the price that an answer from the response cache costs; None for one that an engine makes."""


class TopToken(Struct, frozen=True, kw_only=True, gc=False):
    """A token that might have been chosen, and how likely it was."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    """The token in UTF-8, which may be a part of a character."""


class TokenLogprob(Struct, frozen=True, kw_only=True, gc=False):
    """A token that was chosen, how likely it was, and the likeliest ones in its place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    top: tuple[TopToken, ...] = ()


class Delta(Struct, frozen=True, kw_only=True, tag="delta", gc=False):
    """A further piece of one choice's text."""

    text: str
    choice: int = 0
    tokens: int = 1
    """How many tokens were generated since this choice's previous event."""
    logprobs: tuple[TokenLogprob, ...] = ()
    """One for each token of the piece, where they were asked for."""


class Reasoning(Struct, frozen=True, kw_only=True, tag="reasoning", gc=False):
    """A further piece of what one choice thinks before it answers."""

    text: str
    choice: int = 0
    tokens: int = 1


class ToolCallDelta(Struct, frozen=True, kw_only=True, tag="tool_call", gc=False):
    """A further piece of one tool call: the first names the tool, the others add to its arguments."""

    index: int
    """Which of the choice's tool calls."""
    id: str = ""
    """On the first piece only."""
    name: str = ""
    """On the first piece only."""
    arguments: str = ""
    choice: int = 0
    tokens: int = 1


class ChoiceFinished(Struct, frozen=True, kw_only=True, tag="choice_finished", gc=False):
    """One choice is complete."""

    reason: FinishReason
    choice: int = 0
    tokens: int = 0
    """Tokens generated since this choice's last delta, such as an end-of-turn token."""


class Embedded(Struct, frozen=True, kw_only=True, tag="embedded", gc=False):
    """The vector of one text."""

    index: int
    """Which of the call's texts."""
    vector: bytes
    """32-bit floats, little-endian, one after the other."""


class Ranked(Struct, frozen=True, kw_only=True, tag="ranked", gc=False):
    """How well one document answers the query."""

    index: int
    """Which of the call's documents."""
    score: float
    """From 0 to 1."""


class Relayed(Struct, frozen=True, kw_only=True, tag="relayed", gc=False):
    """A native service's answer, or a piece of one that streams, as it came."""

    piece: bytes
    """A JSON object."""
    usage: Usage
    """What the service has reported so far, of the whole call."""


class Recognized(Struct, frozen=True, kw_only=True, tag="recognized", gc=False):
    """What a built-in OCR task found, as data beside the text of the answer; comes before its choice is finished."""

    result: bytes
    """A JSON object as in `ocr_result`: `{"words_info": […]}` or `{"kv_result": {…}}`."""
    page: bytes = b""
    """The one page that fields were found on, as MessagePack, for who chooses anew among its lines; no face says it."""
    places: bytes = b""
    """Where the values of the fields stand there, as MessagePack and for the same."""
    choice: int = 0


class Finished(Struct, frozen=True, kw_only=True, tag="finished", gc=False):
    """Everything is complete; nothing follows."""

    usage: Usage


Generated = Delta | Reasoning | ToolCallDelta | ChoiceFinished
"""Events that carry generated tokens."""

Event = (
    Started | Delta | Reasoning | ToolCallDelta | Recognized | ChoiceFinished | Embedded | Ranked | Relayed | Finished
)

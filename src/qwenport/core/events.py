"""What an engine says while it works on a call.

An engine's run is `Started`, then any number of `Delta` and one `ChoiceFinished` per choice, then `Finished`, which is
the last event. An error is not an event: the run raises it. Every event carries the tokens that it added, so that
the sum of the events seen so far is what an abandoned call has consumed.
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


class Started(Struct, frozen=True, kw_only=True, gc=False):
    """The engine has read the whole prompt and is about to answer."""

    served_by: str
    """Engine and model that answer, as `engine/model`."""
    input_tokens: int
    cached_tokens: int = 0


class Delta(Struct, frozen=True, kw_only=True, gc=False):
    """A further piece of one choice's text."""

    text: str
    choice: int = 0
    tokens: int = 1
    """How many tokens were generated since this choice's previous event."""


class ChoiceFinished(Struct, frozen=True, kw_only=True, gc=False):
    """One choice is complete."""

    reason: FinishReason
    choice: int = 0
    tokens: int = 0
    """Tokens generated since this choice's last delta, such as an end-of-turn token."""


class Finished(Struct, frozen=True, kw_only=True, gc=False):
    """Every choice is complete; nothing follows."""

    usage: Usage


Event = Started | Delta | ChoiceFinished | Finished

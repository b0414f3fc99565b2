"""What a call consumed, from its events: the engine's own count at the end, the sum of what was seen before it."""

from __future__ import annotations

from msgspec.structs import replace

from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Reasoning, Relayed, Started, ToolCallDelta
from qwenport.core.usage import Usage, UsageSource
from qwenport.metering.bounded_usage import bounded_usage
from qwenport.metering.entry_of_call import CLAMPED
from qwenport.metering.records import Hold

NOTHING = Usage()
_NO_MEDIA = (0, 0)


class ObservedUsage:
    """Counts events; what an engine says last replaces the sum, unless it says nothing."""

    __slots__ = (
        "_cached",
        "_images",
        "_input",
        "_output",
        "_reasoning",
        "_relayed",
        "_said",
        "billed_percent",
        "is_finished",
    )

    def __init__(self) -> None:
        self.is_finished = False
        """Whether the engine said that everything is complete."""
        self.billed_percent: int | None = None
        """Part of the price that an answer from the response cache costs; None for one that an engine made."""
        self._said: Usage | None = None
        self._relayed: Usage | None = None
        self._input = -1
        self._cached = self._images = self._output = self._reasoning = 0

    def add(self, event: Event) -> None:
        """Count what an event adds."""
        # The most frequent kind first. No event has heirs, and an `isinstance` that says no takes eight times as long.
        if type(event) is Delta:
            self._output += event.tokens
        elif type(event) is Reasoning:
            self._output += event.tokens
            self._reasoning += event.tokens
        elif type(event) is ToolCallDelta or type(event) is ChoiceFinished:
            self._output += event.tokens
        elif type(event) is Started:
            self._input, self._cached, self._images = event.input_tokens, event.cached_tokens, event.image_tokens
            self.billed_percent = event.billed_percent
        elif type(event) is Finished:
            self.is_finished = True
            self._said = event.usage
        elif type(event) is Relayed:
            self._relayed = event.usage

    def usage(self, hold: Hold, media: tuple[int, int] = (0, 0)) -> tuple[Usage, str]:
        """Return what is billed and who counted it; counts that cannot be true are brought into range and flagged.

        What an engine counts beyond the hold is its mistake: nobody agreed to pay for it, and so a balance that covered
        the hold covers the bill.

        Images and pages that the engine does not count are those of `media`.
        """
        said = self._said
        if said is None or (not said.input_tokens and not said.output_tokens and self._has_counted):
            if self._input < 0 and said is None:
                return NOTHING, ""
            said = self._counted(hold)
        elif said.items:
            said = _charged(said, hold)
        if media != _NO_MEDIA and not said.images and not said.pages:
            said = _with_media(said, media)
        bounded = bounded_usage(said, hold.input_tokens, hold.output_tokens, hold.items)
        return bounded, said.source if bounded is said or bounded == said else CLAMPED

    @property
    def _has_counted(self) -> bool:
        return self._input > 0 or self._output > 0

    def _counted(self, hold: Hold) -> Usage:
        if self._relayed is not None:
            return replace(_charged(self._relayed, hold), source=UsageSource.COUNTED)
        return Usage(
            input_tokens=max(self._input, 0),
            output_tokens=self._output,
            cached_tokens=self._cached,
            reasoning_tokens=self._reasoning,
            image_tokens=self._images,
            source=UsageSource.COUNTED if self.billed_percent is None else UsageSource.CACHE,
        )


def _charged(said: Usage, hold: Hold) -> Usage:
    """Return what is billed for a native service that reported nothing: what was counted in its place.

    Where nothing of that has a price, it is what the call was held for.
    """
    if said.source is not UsageSource.COUNTED or said.total_tokens or not hold.cost_nanos:
        return said
    priced = dict(hold.items)
    if any(count and name in priced for name, count in said.items):
        return said
    if priced:
        return replace(said, items=hold.items)
    return replace(said, input_tokens=hold.input_tokens, output_tokens=hold.output_tokens)


def _with_media(said: Usage, media: tuple[int, int]) -> Usage:
    images, pages = media
    return Usage(
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
        cached_tokens=said.cached_tokens,
        reasoning_tokens=said.reasoning_tokens,
        image_tokens=said.image_tokens,
        cache_creation_tokens=said.cache_creation_tokens,
        explicitly_cached_tokens=said.explicitly_cached_tokens,
        images=images,
        pages=pages,
        source=said.source,
    )

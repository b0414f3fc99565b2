"""What a call consumed, from its events: the engine's own count at the end, the sum of what was seen before it."""

from __future__ import annotations

from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Reasoning, Started, ToolCallDelta
from qwenport.core.usage import Usage, UsageSource
from qwenport.metering.bounded_usage import bounded_usage
from qwenport.metering.entry_of_call import CLAMPED
from qwenport.metering.records import Hold

NOTHING = Usage()


class ObservedUsage:
    """Counts events; what an engine says last replaces the sum, unless it says nothing."""

    __slots__ = ("_cached", "_images", "_input", "_output", "_reasoning", "_said", "is_finished")

    def __init__(self) -> None:
        self.is_finished = False
        """Whether the engine said that everything is complete."""
        self._said: Usage | None = None
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
        elif type(event) is Finished:
            self.is_finished = True
            self._said = event.usage

    def usage(self, hold: Hold) -> tuple[Usage, str]:
        """Return what is billed and who counted it; counts that cannot be true are brought into range and flagged.

        What an engine counts beyond the hold is its mistake: nobody agreed to pay for it, and so a balance that covered
        the hold covers the bill.

        Images and pages that the engine does not count are those that were sent.
        """
        said = self._said
        if said is None or (not said.input_tokens and not said.output_tokens and self._has_counted):
            if self._input < 0 and said is None:
                return NOTHING, ""
            said = self._counted()
        if not said.images and not said.pages and (hold.images or hold.pages):
            said = _with_media(said, hold)
        bounded = bounded_usage(said, hold.input_tokens, hold.output_tokens)
        return bounded, said.source if bounded is said or bounded == said else CLAMPED

    @property
    def _has_counted(self) -> bool:
        return self._input > 0 or self._output > 0

    def _counted(self) -> Usage:
        return Usage(
            input_tokens=max(self._input, 0),
            output_tokens=self._output,
            cached_tokens=self._cached,
            reasoning_tokens=self._reasoning,
            image_tokens=self._images,
            source=UsageSource.COUNTED,
        )


def _with_media(said: Usage, hold: Hold) -> Usage:
    return Usage(
        input_tokens=said.input_tokens,
        output_tokens=said.output_tokens,
        cached_tokens=said.cached_tokens,
        reasoning_tokens=said.reasoning_tokens,
        image_tokens=said.image_tokens,
        cache_creation_tokens=said.cache_creation_tokens,
        explicitly_cached_tokens=said.explicitly_cached_tokens,
        images=hold.images,
        pages=hold.pages,
        source=said.source,
    )

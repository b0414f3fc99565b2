"""From llama.cpp's chunks to events: their order, their token counts and the end of each choice."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.core.errors import EngineFailed, InputTooLong
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.engines.llama.wire import Chunk, ChunkChoice, PromptProgress

_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


class Answer:
    """Turns the chunks of one call into its events."""

    def __init__(self, *, served_by: str, choices: int, max_input_tokens: int) -> None:
        self._served_by = served_by
        self._max_input_tokens = max_input_tokens
        self._counted = [0] * choices
        """Tokens of each choice that its events have carried."""
        self._open = set(range(choices))
        self._finishing: tuple[int, FinishReason] | None = None
        """The choice whose reason is known while its usage has yet to come."""
        self._started: Started | None = None
        self._has_begun = False

    @property
    def has_begun(self) -> bool:
        """Tell whether an event was made."""
        return self._has_begun

    def events_of(self, chunk: Chunk) -> Sequence[Event]:
        """Return the events that one chunk stands for: none, one, or `Started` and another.

        Raises:
            InputTooLong: the prompt is longer than the model card allows; no event was made yet.
            EngineFailed: the chunk is an error, or does not belong here.
        """
        if chunk.error is not None:
            raise EngineFailed(f"the engine of `{self._served_by}` broke off: {chunk.error.message}")
        if chunk.prompt_progress is not None:
            self._measure(chunk.prompt_progress)
            return ()
        generated = chunk.timings.predicted_n if chunk.timings is not None else 0
        events: list[Event] = []
        for choice in chunk.choices:
            text = self._read(choice)
            if text:
                events.append(self._delta(choice.index, text, generated))
        if chunk.usage is not None:
            events.append(self._finish_choice(chunk.usage.completion_tokens))
        if events and not self._has_begun:
            events.insert(0, self._begin())
        return events

    def finish(self) -> Finished:
        """Return the last event.

        Raises:
            EngineFailed: a choice is not complete.
        """
        if self._open or self._started is None:
            raise EngineFailed(f"the engine of `{self._served_by}` broke off in the middle of its answer")
        usage = Usage(
            input_tokens=self._started.input_tokens,
            output_tokens=sum(self._counted),
            cached_tokens=self._started.cached_tokens,
        )
        return Finished(usage=usage)

    def _measure(self, progress: PromptProgress) -> None:
        if self._started is not None:
            return
        if progress.total > self._max_input_tokens:
            raise InputTooLong(self._max_input_tokens)
        self._started = Started(
            served_by=self._served_by,
            input_tokens=progress.total,
            cached_tokens=progress.cache,
        )

    def _begin(self) -> Started:
        if self._started is None:
            raise EngineFailed(f"the engine of `{self._served_by}` answered before it told the length of the prompt")
        self._has_begun = True
        return self._started

    def _read(self, choice: ChunkChoice) -> str | None:
        if choice.index not in self._open:
            raise EngineFailed(f"the engine of `{self._served_by}` answered for `{choice.index}`, no open choice")
        if choice.finish_reason is not None:
            reason = _REASONS.get(choice.finish_reason)
            if reason is None or self._finishing is not None:
                raise EngineFailed(
                    f"the engine of `{self._served_by}` ended a choice out of turn or for no known reason"
                )
            self._finishing = (choice.index, reason)
        return choice.delta.content

    def _delta(self, index: int, text: str, generated: int) -> Delta:
        # A piece may come without a count of its own; what is missing then comes with a later one.
        tokens = max(generated - self._counted[index], 0)
        self._counted[index] += tokens
        return Delta(text=text, choice=index, tokens=tokens)

    def _finish_choice(self, completion_tokens: int) -> ChoiceFinished:
        if self._finishing is None:
            raise EngineFailed(f"the engine of `{self._served_by}` counted tokens of a choice that has not ended")
        index, reason = self._finishing
        self._finishing = None
        self._open.discard(index)
        tokens = max(completion_tokens - self._counted[index], 0)
        self._counted[index] += tokens
        return ChoiceFinished(reason=reason, choice=index, tokens=tokens)

"""From llama.cpp's chunks to events: their order, their token counts and the end of each choice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from msgspec import Struct

from qwenport.core.errors import EngineFailed, InputTooLong
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
)
from qwenport.core.usage import Usage
from qwenport.engines.llama.call_text import CallPiece, Said, TextReader
from qwenport.engines.llama.logprobs import logprobs_of
from qwenport.engines.llama.wire import Chunk, ChunkChoice, ChunkToolCall, PromptProgress

_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH, "tool_calls": FinishReason.TOOL_CALLS}


def new_call_id() -> str:
    """Return an identifier as Model Studio gives to tool calls: `call_` and 22 hexadecimal digits."""
    return f"call_{secrets.token_hex(11)}"


class Sight(Struct, frozen=True, kw_only=True):
    """What is known of the pictures of a prompt."""

    images: int
    pages: int
    tokens: int
    """Of all of them, as the model card counts."""
    text_tokens: int | None
    """What the prompt has without them; None where the host does not count."""

    def tokens_of(self, prompt_tokens: int) -> int:
        """Return how many of a prompt's tokens are those of pictures."""
        if self.text_tokens is None:
            return min(self.tokens, prompt_tokens)
        return max(0, prompt_tokens - self.text_tokens)


BLIND = Sight(images=0, pages=0, tokens=0, text_tokens=None)


class Expected(Struct, frozen=True, kw_only=True):
    """What is known of an answer before it comes."""

    served_by: str
    choices: int
    max_input_tokens: int
    new_reader: Callable[[], TextReader] | None = None
    """Makes what finds tool calls in the text of one choice; None where all text is text."""
    calls_once: bool = False
    """Whether calls after the first are left out."""
    top_logprobs: int = 0
    """How many alternatives were asked for beside each token."""
    sight: Sight = BLIND


class Answer:
    """Turns the chunks of one call into its events."""

    def __init__(self, expected: Expected, new_id: Callable[[], str] = new_call_id) -> None:
        self._expected = expected
        self._new_id = new_id
        self._counted = [0] * expected.choices
        """Tokens of each choice that its events have carried."""
        self._reasoned = 0
        """Tokens of all choices that were reasoning."""
        self._readers = None if expected.new_reader is None else [expected.new_reader() for _ in self._counted]
        self._logprobs: dict[int, list[TokenLogprob]] = {}
        """By choice, those of text that no event has told yet."""
        self._open = set(range(expected.choices))
        self._finishing: tuple[int, FinishReason] | None = None
        """The choice whose reason is known while its usage has yet to come."""
        self._started: Started | None = None
        self._has_begun = False

    @property
    def has_begun(self) -> bool:
        """Tell whether an event was made."""
        return self._has_begun

    def events_of(self, chunk: Chunk) -> Sequence[Event]:
        """Return the events that one chunk stands for, `Started` before the first of all.

        Raises:
            InputTooLong: the prompt is longer than the model card allows; no event was made yet.
            EngineFailed: the chunk is an error, or does not belong here.
        """
        if chunk.error is not None:
            raise self._failed(f"broke off: {chunk.error.message}")
        if chunk.prompt_progress is not None:
            self._measure(chunk.prompt_progress)
            return ()
        generated = chunk.timings.predicted_n if chunk.timings is not None else 0
        events: list[Event] = []
        for choice in chunk.choices:
            self._read(choice, generated, events)
        if chunk.usage is not None:
            self._finish_choice(chunk.usage.completion_tokens, events)
        if events and not self._has_begun:
            events.insert(0, self._begin())
        return events

    def finish(self) -> Finished:
        """Return the last event.

        Raises:
            EngineFailed: a choice is not complete.
        """
        if self._open or self._started is None:
            raise self._failed("broke off in the middle of its answer")
        usage = Usage(
            input_tokens=self._started.input_tokens,
            output_tokens=sum(self._counted),
            cached_tokens=self._started.cached_tokens,
            reasoning_tokens=self._reasoned,
            image_tokens=self._started.image_tokens,
            images=self._expected.sight.images,
            pages=self._expected.sight.pages,
        )
        return Finished(usage=usage)

    def _failed(self, how: str) -> EngineFailed:
        return EngineFailed(f"the engine of `{self._expected.served_by}` {how}")

    def _measure(self, progress: PromptProgress) -> None:
        if self._started is not None:
            return
        if progress.total > self._expected.max_input_tokens:
            raise InputTooLong(self._expected.max_input_tokens)
        self._started = Started(
            served_by=self._expected.served_by,
            input_tokens=progress.total,
            cached_tokens=progress.cache,
            image_tokens=self._expected.sight.tokens_of(progress.total),
        )

    def _begin(self) -> Started:
        if self._started is None:
            raise self._failed("answered before it told the length of the prompt")
        self._has_begun = True
        return self._started

    def _read(self, choice: ChunkChoice, generated: int, events: list[Event]) -> None:
        index = choice.index
        if index not in self._open:
            raise self._failed(f"answered for `{index}`, no open choice")
        if choice.finish_reason is not None:
            self._note_end(index, choice.finish_reason)
        if choice.logprobs is not None and choice.logprobs.content:
            told = logprobs_of(choice.logprobs.content, self._expected.top_logprobs)
            self._logprobs.setdefault(index, []).extend(told)
        delta = choice.delta
        if delta.reasoning_content:
            tokens = self._count(index, generated)
            self._reasoned += tokens
            events.append(Reasoning(text=delta.reasoning_content, choice=index, tokens=tokens))
        if text := delta.content or choice.text:
            if self._readers is None:
                events.append(self._delta(text, index, generated))
            else:
                self._tell(self._readers[index].feed(text), index, generated, events)
        if delta.tool_calls is not None:
            events.extend(
                self._call_delta(piece, index, generated)
                for call in delta.tool_calls
                if (piece := self._native_piece(call)) is not None
            )

    def _note_end(self, index: int, word: str) -> None:
        reason = _REASONS.get(word)
        if reason is None or self._finishing is not None:
            raise self._failed("ended a choice out of turn or for no known reason")
        self._finishing = (index, reason)

    def _count(self, index: int, generated: int) -> int:
        # A piece may come without a count of its own; what is missing then comes with a later one.
        tokens = generated - self._counted[index]
        if tokens <= 0:
            return 0
        self._counted[index] = generated
        return tokens

    def _tell(self, said: Sequence[Said], index: int, generated: int, events: list[Event]) -> None:
        for each in said:
            if isinstance(each, str):
                events.append(self._delta(each, index, generated))
            else:
                events.append(self._call_delta(each, index, generated))

    def _delta(self, text: str, index: int, generated: int) -> Delta:
        tokens = self._count(index, generated)
        if not self._logprobs:
            return Delta(text=text, choice=index, tokens=tokens)
        return Delta(text=text, choice=index, tokens=tokens, logprobs=tuple(self._logprobs.pop(index, ())))

    def _call_delta(self, piece: CallPiece, index: int, generated: int) -> ToolCallDelta:
        # Production tells log probabilities of text only.
        self._logprobs.pop(index, None)
        return ToolCallDelta(
            index=piece.index,
            id=self._new_id() if piece.name else "",
            name=piece.name,
            arguments=piece.arguments,
            choice=index,
            tokens=self._count(index, generated),
        )

    def _native_piece(self, call: ChunkToolCall) -> CallPiece | None:
        name, arguments = call.function.name or "", call.function.arguments or ""
        if self._expected.calls_once and call.index > 0:
            return None
        return CallPiece(index=call.index, name=name, arguments=arguments) if name or arguments else None

    def _finish_choice(self, completion_tokens: int, events: list[Event]) -> None:
        if self._finishing is None:
            raise self._failed("counted tokens of a choice that has not ended")
        index, reason = self._finishing
        self._finishing = None
        self._open.discard(index)
        if self._readers is not None:
            reader = self._readers[index]
            self._tell(reader.finish(), index, completion_tokens, events)
            if reader.calls and reason is FinishReason.STOP:
                reason = FinishReason.TOOL_CALLS
        events.append(ChoiceFinished(reason=reason, choice=index, tokens=self._count(index, completion_tokens)))

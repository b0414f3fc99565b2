"""From what an upstream answers to events: their order, their token counts and the end of each choice.

A whole answer is one chunk of a stream that says everything at once, and is read as such.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from qwenport.core.errors import ContentBlocked, EngineFailed, QwenportError
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
from qwenport.engines.upstream.counting import NO_BOUND, TokenCount
from qwenport.engines.upstream.errors import Asked, RoomTooSmall, error_of
from qwenport.engines.upstream.logprobs import logprobs_of
from qwenport.engines.upstream.refusal import refusal_in
from qwenport.engines.upstream.think_tags import ThinkTags
from qwenport.engines.upstream.tool_calls import ToolCalls
from qwenport.engines.upstream.usage import NOTHING, Told, settled, told
from qwenport.engines.upstream.wire import WireAnswer, WireChoice, WireMessage, WireToolCall, decode_answer
from qwenport.engines.upstream.words import shown_words, without_key

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}
_NOT_YET = frozenset({None, "", "null"})
_NO_MESSAGE = WireMessage()


def new_call_id() -> str:
    """Return an identifier as Model Studio gives to tool calls: `call_` and 22 hexadecimal digits."""
    return f"call_{secrets.token_hex(11)}"


class Expected(Struct, frozen=True, kw_only=True):
    """What is known of an answer before it comes."""

    asked: Asked
    input_tokens: int
    """The gateway's own estimate."""
    image_tokens: int = 0
    """Those of its images, by the gateway's own count."""
    most_tokens: int = NO_BOUND
    """Of each choice, as the upstream was told."""
    choices: int = 1
    top_logprobs: int = 0
    calls_once: bool = False
    """Whether tool calls after the first are left out."""
    reads_think_tags: bool = False
    counts_each_choice: bool = False
    ends_each_choice: bool = False
    new_call_id: Callable[[], str] = new_call_id


class _Choice:
    __slots__ = ("calls", "count", "logprobs", "reason", "tags")

    def __init__(self, expected: Expected) -> None:
        self.count = TokenCount(expected.most_tokens)
        self.calls = ToolCalls(expected.new_call_id, once=expected.calls_once)
        self.tags = ThinkTags() if expected.reads_think_tags else None
        self.logprobs: list[TokenLogprob] = []
        self.reason: FinishReason | None = None


class Answer:
    """Turns the chunks of one call, or its whole answer, into its events."""

    def __init__(self, expected: Expected, decode: Callable[[bytes], WireAnswer] = decode_answer) -> None:
        """Read chunks with `decode`."""
        self._expected = expected
        self._decode = decode
        self._choices = [_Choice(expected) for _ in range(expected.choices)]
        self._told = NOTHING
        self._started: Started | None = None
        self._left: int | None = None
        """Of a whole answer's tokens, those that no event carries yet."""
        self._ended_tokens = 0
        self._going_on = expected.choices
        """How many choices have not ended."""
        self.has_begun = False
        """Whether an event was made."""
        self.is_complete = False
        """Whether every choice has ended and the usage was told, after which nothing need follow."""

    def events_of(self, encoded: bytes, *, is_whole: bool = False) -> Sequence[Event]:
        """Return the events that one chunk stands for, `Started` before the first of all.

        Raises:
            Refused, Failed: the chunk is an error, or does not belong here.
        """
        try:
            chunk = self._decode(encoded)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._failed("sent what is no answer") from error
        if chunk.prompt_progress is not None:
            progress = chunk.prompt_progress
            self._told = Told(input_tokens=progress.total, cached_tokens=min(progress.cache, progress.total))
            return ()
        generated = self._generated(chunk, is_whole=is_whole)
        if not chunk.choices:
            self._read_rest(chunk)
            self.is_complete = self.is_complete or (chunk.usage is not None and not self._going_on)
            return ()
        events: list[Event] = []
        for choice in chunk.choices:
            self._read(choice, generated, events)
        if chunk.usage is not None and not self._going_on:
            self.is_complete = True
        if events and not self.has_begun:
            events.insert(0, self._begin())
        return events

    def finish(self) -> Sequence[Event]:
        """Return the last events: the end of the last choices, and of everything.

        Raises:
            EngineFailed: a choice is not complete.
        """
        if any(choice.reason is None for choice in self._choices):
            how = "broke off in the middle of its answer" if self.has_begun else "sent an empty answer"
            raise self._failed(how)
        events: list[Event] = [] if self.has_begun else [self._begin()]
        events += self._held_back()
        counted = sum(choice.count.counted for choice in self._choices)
        usage = settled(
            self._told,
            input_tokens=self._begin().input_tokens,
            image_tokens=self._expected.image_tokens,
            output_tokens=counted,
            reasoned=sum(choice.count.reasoned for choice in self._choices),
        )
        missing = max(0, usage.output_tokens - counted)
        last = len(self._choices) - 1
        events += (
            ChoiceFinished(reason=_reason(choice), choice=index, tokens=missing if index == last else 0)
            for index, choice in enumerate(self._choices)
        )
        return [*events, Finished(usage=usage)]

    def _held_back(self) -> list[Event]:
        """Return what could not be told before it was known that nothing follows."""
        events: list[Event] = []
        for index, choice in enumerate(self._choices):
            if choice.tags is not None:
                self._tell(choice, index, choice.tags.finish(), 0, events)
            if choice.calls.nameless:
                raise self._failed("called a tool without a name")
        return events

    def _failed(self, how: str) -> EngineFailed:
        return EngineFailed(f"the upstream of `{self._expected.asked.target}` {how}")

    def _begin(self) -> Started:
        if self._started is None:
            said, into = self._told, self._told.input_tokens or self._expected.input_tokens
            self._started = Started(
                served_by=self._expected.asked.target,
                input_tokens=into,
                cached_tokens=said.cached_tokens,
                image_tokens=min(said.image_tokens or self._expected.image_tokens, into),
            )
        self.has_begun = True
        return self._started

    def _generated(self, chunk: WireAnswer, *, is_whole: bool) -> int:
        """Return how many tokens the choice in this chunk has by now, 0 where that is not said; keep what is of all."""
        if chunk.usage is not None:
            return self._take_usage(chunk, is_whole=is_whole)
        return 0 if chunk.timings is None else chunk.timings.predicted_n

    def _take_usage(self, chunk: WireAnswer, *, is_whole: bool) -> int:
        said = told(chunk.usage)
        if is_whole:
            self._told, self._left = said, said.output_tokens or None
            return 0
        beside = bool(chunk.choices)
        if beside and self._expected.counts_each_choice and len(self._choices) > 1:
            return said.output_tokens or 0
        if self._expected.ends_each_choice and not beside:
            self._ended_tokens += said.output_tokens or 0
            said = msgspec.structs.replace(said, output_tokens=self._ended_tokens or None)
        self._told = _latest(said, self._told)
        if chunk.timings is not None:
            return chunk.timings.predicted_n
        return (said.output_tokens or 0) if beside and len(self._choices) == 1 else 0

    def _read_rest(self, chunk: WireAnswer) -> None:
        """Look at a chunk without choices: a usage, or an error."""
        if chunk.error is not None or chunk.code not in _NO_CODE or (chunk.message and not chunk.usage):
            body = {"error": chunk.error, "code": chunk.code, "message": chunk.message, "type": chunk.type}
            raise self.refused(body)

    def refused(self, body: object) -> QwenportError:
        """Return the error that stands in the place of an answer; after its begin nothing is the caller's doing."""
        error = error_of(refusal_in(body, key=self._expected.asked.key), self._expected.asked)
        if isinstance(error, RoomTooSmall):
            return self._failed("has too little room for the answer")
        if self.has_begun and not isinstance(error, ContentBlocked):
            return self._failed(f"broke off: {shown_words(str(error))}")
        return ContentBlocked("Output") if self.has_begun else error

    def _read(self, wire: WireChoice, generated: int, events: list[Event]) -> None:
        index, choice = wire.index, self._choice(wire)
        said = wire.delta or wire.message or _NO_MESSAGE
        if wire.logprobs is not None:
            choice.logprobs.extend(logprobs_of(wire.logprobs, self._expected.top_logprobs))
        text = said.content or said.refusal or wire.text
        thought = said.reasoning_content or said.reasoning
        calls = said.tool_calls or (said.function_call is not None)
        if choice.reason is not None and (text or thought or calls):
            raise self._failed("went on with a choice that it had ended")
        if thought:
            # A server that tells reasoning apart leaves no tags in the text.
            choice.tags = None
            self._think(choice, index, thought, generated, events)
        if text:
            self._text(choice, index, text, generated, events)
        if calls:
            self._call(choice, index, said, generated, events)
        if wire.finish_reason not in _NOT_YET:
            self._end(choice, str(wire.finish_reason))

    def _choice(self, wire: WireChoice) -> _Choice:
        if not 0 <= wire.index < len(self._choices):
            raise self._failed(f"answered for the choice `{wire.index}`, which was not asked for")
        return self._choices[wire.index]

    def _text(self, choice: _Choice, index: int, text: str, generated: int, events: list[Event]) -> None:
        if choice.tags is None or choice.tags.is_done:
            events.append(self._delta(choice, index, text, generated))
        else:
            self._tell(choice, index, choice.tags.feed(text), generated, events)

    def _end(self, choice: _Choice, word: str) -> None:
        if word == "content_filter":
            raise ContentBlocked("Output")
        reason = _REASONS.get(word)
        if reason is None:
            told_why = shown_words(without_key(word, self._expected.asked.key))[:40]
            raise self._failed(f"ended its answer for an unknown reason, `{told_why}`")
        self._going_on -= choice.reason is None
        choice.reason = reason

    def _count(self, choice: _Choice, text: str, generated: int) -> int:
        tokens = choice.count.add(text, generated)
        if self._left is None:
            return tokens
        kept = min(tokens, self._left)
        self._left -= kept
        return kept

    def _delta(self, choice: _Choice, index: int, text: str, generated: int) -> Delta:
        tokens = self._count(choice, text, generated)
        if not choice.logprobs:
            return Delta(text=text, choice=index, tokens=tokens)
        told_of, choice.logprobs = tuple(choice.logprobs), []
        return Delta(text=text, choice=index, tokens=tokens, logprobs=told_of)

    def _think(self, choice: _Choice, index: int, text: str, generated: int, events: list[Event]) -> None:
        tokens = self._count(choice, text, generated)
        choice.count.reasoned += tokens
        events.append(Reasoning(text=text, choice=index, tokens=tokens))

    def _tell(self, choice: _Choice, index: int, said: tuple[str, str], generated: int, events: list[Event]) -> None:
        thought, text = said
        if thought:
            self._think(choice, index, thought, generated, events)
        if text:
            events.append(self._delta(choice, index, text, generated))

    def _call(self, choice: _Choice, index: int, said: WireMessage, generated: int, events: list[Event]) -> None:
        # Production tells log probabilities of text only.
        choice.logprobs.clear()
        pieces = said.tool_calls or [WireToolCall(index=0, function=said.function_call)]
        for piece in pieces:
            event = choice.calls.add(piece, index)
            if event is not None:
                tokens = self._count(choice, event.name + event.arguments, generated)
                events.append(
                    ToolCallDelta(
                        index=event.index,
                        id=event.id,
                        name=event.name,
                        arguments=event.arguments,
                        choice=index,
                        tokens=tokens,
                    )
                )


_NO_CODE = (None, "", 0, 200, "200")


def _reason(choice: _Choice) -> FinishReason:
    reason = choice.reason or FinishReason.STOP
    return FinishReason.TOOL_CALLS if choice.calls and reason is FinishReason.STOP else reason


def _latest(said: Told, known: Told) -> Told:
    """Return what is said, with what was known where it leaves something out."""
    if said.input_tokens is not None or known.input_tokens is None:
        return said
    return msgspec.structs.replace(said, input_tokens=known.input_tokens)

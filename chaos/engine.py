"""The engine of the schedules: plays what was planned for a call, and remembers what it really gave to it."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chaos.schedule import Ending, PlannedCall
from qwenport.core.call import ChatInput, EmbeddingInput, Input, PromptInput, RerankInput
from qwenport.core.errors import (
    EngineFailed,
    EngineTimedOut,
    ModelUnavailable,
    Overloaded,
    QwenportError,
    UpstreamThrottled,
)
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Generated,
    Ranked,
    Started,
)
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, EngineState
from qwenport.testing.scripted_engine import ALL_CAPABILITIES, Step, Wait

_NUMBER = re.compile(r"call (\d+)")
_PASSING: Sequence[Callable[[], QwenportError]] = (
    EngineTimedOut,
    Overloaded,
    UpstreamThrottled,
    lambda: EngineFailed("as planned"),
    lambda: ModelUnavailable("as planned"),
)
"""After which a call is tried again."""


@dataclass(slots=True)
class Given:
    """What a call got from its engine."""

    request_id: RequestId
    events: list[Event] = field(default_factory=list)

    @property
    def is_absurd(self) -> bool:
        """Tell whether the engine's own count cannot be."""
        return any(isinstance(event, Finished) and event.usage.input_tokens < 0 for event in self.events)

    @property
    def consumed(self) -> tuple[int, int]:
        """Return the input and output tokens that must be billed: the engine's own count, else the sum of events."""
        for event in self.events:
            if isinstance(event, Finished):
                return event.usage.input_tokens, event.usage.output_tokens
        started = [event.input_tokens for event in self.events if isinstance(event, Started)]
        return sum(started), sum(event.tokens for event in self.events if isinstance(event, Generated))


@dataclass(slots=True, kw_only=True)
class Play:
    """One call that is being played."""

    planned: PlannedCall
    holds_up: Wait = field(default_factory=Wait)
    """The place at which the call waits for what its client, or a storm, does."""
    given: Given | None = None
    """What the last try got; None while no engine was asked."""
    tries: int = 0


class ChaosEngine:
    """Plays the calls that `plays` plans; several targets share them."""

    def __init__(self, target: str, plays: dict[int, Play]) -> None:
        self.target = target
        self.capabilities = ALL_CAPABILITIES
        self.slots = 6
        self.open_runs = 0
        self._plays = plays

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Give what was planned, and write it down before it is given."""
        play = self._plays[number_of(prepared.call.input)]
        play.tries += 1
        play.given = given = Given(prepared.call.id)
        self.open_runs += 1
        try:
            for step in _script(play, self.target):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Wait):
                    await step.pause()
                    continue
                given.events.append(step)
                yield step
                await asyncio.sleep(0)
        finally:
            self.open_runs -= 1

    def condition(self) -> Condition:
        """Say that it is ready."""
        return Condition(state=EngineState.READY)

    async def close(self) -> None:
        """Do nothing; there is no connection."""


def number_of(asked: Input) -> int:
    """Return the number that stands in a call's text."""
    match asked:
        case ChatInput(messages=messages):
            text = messages[-1].text
        case PromptInput(prompt=prompt):
            text = prompt
        case EmbeddingInput(texts=texts):
            text = texts[0]
        case RerankInput(query=query):
            text = query
    found = _NUMBER.search(text)
    if found is None:
        raise LookupError(f"no planned call has the text {text!r}")
    return int(found[1])


def _script(play: Play, target: str) -> Iterator[Step]:
    planned, ending = play.planned, play.planned.ending
    if ending in {Ending.LEAVES_AT_FIRST, Ending.LEAVES_AT_ONCE}:
        yield play.holds_up
    if ending is Ending.FAILS_AT_FIRST:
        yield ModelUnavailable("as planned") if planned.number % 2 else EngineFailed("as planned")
    if ending is Ending.RECOVERS_AT_FIRST and play.tries <= planned.failures:
        yield _PASSING[(planned.number + play.tries) % len(_PASSING)]()
    yield Started(served_by=target, input_tokens=planned.number % 20 + 1, cached_tokens=planned.number % 3)
    content = _content(planned)
    yield from content[: len(content) // 2]
    if ending is Ending.LEAVES_MIDWAY:
        yield play.holds_up
    if ending is Ending.FAILS_MIDWAY or (ending is Ending.RECOVERS_MIDWAY and play.tries <= planned.failures):
        yield EngineFailed("as planned")
    if ending is Ending.IS_A_DEFECT:
        yield LookupError("as planned")
    yield from content[len(content) // 2 :]
    if ending is Ending.BREAKS_OFF:
        return
    yield Finished(usage=_usage(planned))
    if ending is Ending.LEAVES_WHILE_SETTLED:
        yield play.holds_up


def _content(planned: PlannedCall) -> Sequence[Event]:
    if planned.plain.generates:
        pieces = [Delta(text=f"{index} ", tokens=index % 3 + 1) for index in range(planned.pieces)]
        return [*pieces, ChoiceFinished(reason=FinishReason.STOP, tokens=1)]
    if "rerank" in planned.plain.operation.name:
        return [Ranked(index=0, score=0.5)]
    return [Embedded(index=0, vector=struct.pack("<2f", 0.5, -0.5))]


def _usage(planned: PlannedCall) -> Usage:
    if planned.ending is Ending.IS_ABSURD:
        return Usage(input_tokens=-5, output_tokens=10**12 if planned.number % 2 else -1, cached_tokens=10**6)
    output = planned.pieces * 2 if planned.plain.generates else 0
    return Usage(input_tokens=planned.number % 20 + 1, output_tokens=output, reasoning_tokens=output // 3)

"""What engines say in a run: every kind of event, and now and then an error that they were told to raise."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random

from qwenport.core.call import Call, ChatInput, EmbeddingInput, RerankInput
from qwenport.core.errors import EngineFailed, EngineTimedOut, Overloaded
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Ranked,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
    TopToken,
)
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import ToolUse
from qwenport.core.usage import Usage
from qwenport.testing.scripted_engine import ScriptedEngine, Step

TARGETS = ("llama/smollm2-135m-instruct", "embed/multilingual-e5-small")
"""What the routes of the catalog's models lead to."""
_TEXTS = ("Hel", "lo", "", "\n\n", "你好", "🌍", '"', "\\", "\x00", "data: [DONE]\n\n", "</tool_call>", "%b%s")
_FAILED_SHARE = 0.03
_DIMENSION = 8


class Engines:
    """The engines of one gateway; they remember which calls they got and which of these they failed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.ran: list[RequestId] = []
        """Ids of the calls that reached an engine."""
        self.failed: set[str] = set()
        """Ids of those of them that ended in an error."""
        self.scripted = [ScriptedEngine(self._script, target=target) for target in TARGETS]

    @property
    def open_runs(self) -> int:
        """Runs that were begun and not closed."""
        return sum(engine.open_runs for engine in self.scripted)

    def forget(self) -> None:
        """Begin anew, so that a long run does not fill the memory."""
        self.ran.clear()
        self.failed.clear()
        for engine in self.scripted:
            engine.calls.clear()

    def _script(self, prepared: PreparedCall) -> list[Step]:
        call = prepared.call
        self.ran.append(call.id)
        random = Random(f"{self._seed}/{call.id}")
        steps: list[Step] = [*events_of(random, call)]
        if random.random() < _FAILED_SHARE:
            self.failed.add(call.id)
            fault = random.choice((EngineFailed("told to"), EngineTimedOut("told to"), Overloaded()))
            return [*steps[: random.randrange(len(steps))], fault]
        return steps


def events_of(random: Random, call: Call) -> Iterator[Event]:
    """Give the events of a good answer to a call."""
    input_tokens = random.randrange(1, 50)
    target = TARGETS[isinstance(call.input, EmbeddingInput | RerankInput)]
    yield Started(served_by=target, input_tokens=input_tokens, cached_tokens=random.randrange(input_tokens))
    output_tokens = 0
    for event in _content(random, call):
        output_tokens += getattr(event, "tokens", 0)
        yield event
    yield Finished(usage=Usage(input_tokens=input_tokens, output_tokens=output_tokens))


def _content(random: Random, call: Call) -> Iterator[Event]:
    asked = call.input
    if isinstance(asked, EmbeddingInput):
        vector = struct.pack(f"<{_DIMENSION}f", *(random.random() for _ in range(_DIMENSION)))
        yield from (Embedded(index=index, vector=vector) for index in range(len(asked.texts)))
    elif isinstance(asked, RerankInput):
        yield from (Ranked(index=index, score=random.random()) for index in range(len(asked.documents)))
    else:
        for choice in range(call.sampling.choices):
            yield from _choice(random, call, choice)


def _choice(random: Random, call: Call, choice: int) -> Iterator[Event]:
    reason = random.choice((FinishReason.STOP, FinishReason.STOP, FinishReason.LENGTH))
    if isinstance(call.input, ChatInput):
        if call.input.thinking:
            yield from (Reasoning(text=random.choice(_TEXTS), choice=choice) for _ in range(random.randrange(4)))
        if call.input.tools and call.input.tool_choice.use is not ToolUse.NONE and random.random() < 0.5:
            yield from _tool_calls(random, call.input, choice)
            yield ChoiceFinished(reason=FinishReason.TOOL_CALLS, choice=choice)
            return
    for _ in range(random.randrange(5)):
        text = random.choice(_TEXTS)
        logprobs = _logprobs(random, text, call.sampling.logprobs)
        yield Delta(text=text, choice=choice, tokens=random.randrange(3), logprobs=logprobs)
    yield ChoiceFinished(reason=reason, choice=choice, tokens=random.randrange(2))


def _tool_calls(random: Random, asked: ChatInput, choice: int) -> Iterator[Event]:
    for index in range(random.choice((1, 1, 2))):
        name = random.choice(asked.tools).name
        yield ToolCallDelta(index=index, id=f"call_{index}", name=name, choice=choice)
        for piece in random.choice((('{"city":', '"Ulm"}'), ("{}",), ("no JSON",), ())):
            yield ToolCallDelta(index=index, arguments=piece, choice=choice)


def _logprobs(random: Random, text: str, alternatives: int | None) -> tuple[TokenLogprob, ...]:
    if alternatives is None:
        return ()
    likely = random.choice((-0.1, 0.0, -1e9, float("-inf")))
    top = tuple(TopToken(token=text, logprob=likely) for _ in range(alternatives))
    return (TokenLogprob(token=text, logprob=likely, top=top),)

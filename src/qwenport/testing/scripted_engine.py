"""An engine that follows a script, so that every ending of a call can be provoked without a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from qwenport.core.capabilities import Ability, Capabilities, Thinking
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import ToolUse
from qwenport.core.usage import Usage
from qwenport.engines.engine import Condition, EngineState
from qwenport.testing.raw_client import PATIENCE_S


class Wait:
    """A step at which the engine stops until `go` is set; `reached` tells that it got here."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def arrives(self) -> None:
        """Wait until the engine got here; raises `TimeoutError` where it never does."""
        async with asyncio.timeout(PATIENCE_S):
            await self.reached.wait()

    async def pause(self) -> None:
        """Tell that the step was reached, and wait until it may go on."""
        self.reached.set()
        await self.go.wait()


ALL_CAPABILITIES = Capabilities(
    abilities=tuple(Ability),
    thinking=Thinking.HYBRID,
    vision=True,
    video=True,
    tool_uses=tuple(ToolUse),
    documents=True,
)
"""What an engine can do that can do everything."""

Step = Event | Exception | Wait
"""An event is yielded, an exception raised, a wait waited for."""

Script = Callable[[PreparedCall], Sequence[Step]]


def answer(*pieces: str, served_by: str = "scripted/model", input_tokens: int = 7) -> list[Step]:
    """Return the script of a good answer: the pieces in order, a token each, for one choice."""
    steps: list[Step] = [Started(served_by=served_by, input_tokens=input_tokens)]
    steps += [Delta(text=piece) for piece in pieces]
    steps.append(ChoiceFinished(reason=FinishReason.STOP))
    steps.append(Finished(usage=Usage(input_tokens=input_tokens, output_tokens=len(pieces))))
    return steps


class ScriptedEngine:
    """Yields what its script says; remembers the calls it got and how its runs ended."""

    def __init__(
        self,
        script: Script,
        *,
        target: str = "scripted/model",
        slots: int = 1000,
        capabilities: Capabilities = ALL_CAPABILITIES,
    ) -> None:
        self.target = target
        self.capabilities = capabilities
        self.slots = slots
        self.script = script
        self.calls: list[PreparedCall] = []
        self.open_runs = 0
        """Runs that were begun and not yet closed."""
        self.state = Condition(state=EngineState.READY)

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Follow the script."""
        self.calls.append(prepared)
        self.open_runs += 1
        try:
            for step in self.script(prepared):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Wait):
                    await step.pause()
                else:
                    yield step
        finally:
            self.open_runs -= 1

    def condition(self) -> Condition:
        """Return `state`."""
        return self.state

    async def close(self) -> None:
        """Do nothing; there is no connection."""

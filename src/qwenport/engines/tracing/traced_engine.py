"""An engine whose tries are spans of a trace."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from qwenport.core.capabilities import Capabilities
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Condition, Engine
from qwenport.observability.traces import TracedTarget, Traces, TryTrace


class TracedEngine:
    """Makes a span of every run, and shows it to whoever is asked; all else is the inner engine's."""

    def __init__(self, engine: Engine, traces: Traces, to: TracedTarget) -> None:
        self._engine = engine
        self._traces = traces
        self._to = to
        self.target = engine.target

    @property
    def slots(self) -> int:
        """Return how many choices the inner engine works on at the same time."""
        return self._engine.slots

    @property
    def capabilities(self) -> Capabilities:
        """Return what the inner engine can do."""
        return self._engine.capabilities

    def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call; raises what the inner engine raises."""
        trace = self._traces.begin_try(prepared, self._to)
        if trace is None:
            return self._engine.run(prepared)
        shown = replace(prepared, trace=trace.headers)
        return self._recorded(shown, trace) if trace.is_recorded else self._engine.run(shown)

    async def _recorded(self, prepared: PreparedCall, trace: TryTrace) -> AsyncGenerator[Event, None]:
        ended_by: BaseException | None = None
        try:
            async with aclosing(self._engine.run(prepared)) as events:
                async for event in events:
                    trace.observe(event)
                    yield event
        except BaseException as error:
            ended_by = error
            raise
        finally:
            trace.end(ended_by)

    def condition(self) -> Condition:
        """Tell what the inner engine can do now."""
        return self._engine.condition()

    async def close(self) -> None:
        """Close the inner engine."""
        await self._engine.close()

"""An engine whose calls leave without personal data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from qwenport.core.call import NativeInput
from qwenport.core.capabilities import Capabilities
from qwenport.core.errors import ParameterInvalid, QwenportError
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Condition, Engine
from qwenport.engines.masking.masked_call import characters_in, masked_call
from qwenport.engines.masking.memory import Memory
from qwenport.engines.masking.restored_events import RestoredEvents

_LONG = 1 << 16
"""Characters of a call from which on it is masked beside the event loop."""

_COMES_TOO_LATE = (
    "The request holds personal data, which this server hides from the service that would do the task, and the result "
    "of a task comes too late for it to be put back. Leave such data out, or call the service without "
    "`X-DashScope-Async`."
)


class MaskedEngine:
    """Masks what a call says and restores what the answer says; all else is the inner engine's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.target = engine.target

    @property
    def slots(self) -> int:
        """Return how many choices the inner engine works on at the same time."""
        return self._engine.slots

    @property
    def capabilities(self) -> Capabilities:
        """Return what the inner engine can do."""
        return self._engine.capabilities

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Answer a call.

        Raises:
            ParameterInvalid: it cannot be masked, or not be answered with what was masked.
            Further: what the inner engine raises.
        """
        masked, memory = await _masked(prepared)
        asked = prepared.call.input
        if memory and isinstance(asked, NativeInput) and asked.is_asynchronous:
            raise ParameterInvalid(_COMES_TOO_LATE, parameter="input")
        restored = RestoredEvents(memory)
        async with aclosing(self._engine.run(masked)) as events:
            try:
                async for event in events:
                    if not memory:
                        yield event
                        continue
                    for each in restored.add(event):
                        yield each
            except QwenportError:
                for each in restored.end():
                    yield each
                raise

    def condition(self) -> Condition:
        """Tell what the inner engine can do now."""
        return self._engine.condition()

    async def close(self) -> None:
        """Close the inner engine."""
        await self._engine.close()


async def _masked(prepared: PreparedCall) -> tuple[PreparedCall, Memory]:
    # A megabyte takes half a second, in which no other caller would be served.
    if characters_in(prepared.call.input) <= _LONG:
        return masked_call(prepared)
    return await asyncio.to_thread(masked_call, prepared)

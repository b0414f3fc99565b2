"""Which engine takes a call: the first target of the card's route that is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from qwenport.core.errors import ModelUnavailable
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Engine, EngineState
from qwenport.routing.slots import Slots

_PREFERENCE = {EngineState.READY: 0, EngineState.LOADING: 1, EngineState.ENDED: 1, EngineState.ABSENT: 2}
"""Of engines that are as good as one another, the route's order decides."""


class Routes:
    """The engines by target, each with its slots."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self.engines = dict(engines)
        self.slots = {target: Slots(engine.slots) for target, engine in engines.items()}

    @asynccontextmanager
    async def __call__(self, card: ModelCard, prepared: PreparedCall) -> AsyncIterator[Engine]:
        """Hold slots of the chosen engine while the block runs.

        Raises:
            ModelUnavailable: no target of the route exists here.
            Overloaded: its queue is full, or the call's turn did not come in time.
        """
        engine = self.choose(card)
        async with self.slots[engine.target].take(prepared.call.sampling.choices):
            yield engine

    def choose(self, card: ModelCard) -> Engine:
        """Return the first engine of the route that is ready, else that loads or restarts; the only one in any state.

        Raises:
            ModelUnavailable: no target of the route exists here.
        """
        targets = [self.engines[target] for target in card.route if target in self.engines]
        if not targets:
            raise ModelUnavailable(f"no engine here serves `{card.name}`")
        if len(targets) == 1:
            return targets[0]
        return min(targets, key=lambda engine: _PREFERENCE[engine.condition().state])

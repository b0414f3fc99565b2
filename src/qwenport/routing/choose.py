"""Which engine takes a call: the first target of the card's route that can do it and is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from qwenport.core.call import Call
from qwenport.core.capabilities import misfit
from qwenport.core.errors import ModelUnavailable, ModelUnpurchased
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Engine, EngineState
from qwenport.routing.slots import Slots

_PREFERENCE = {EngineState.READY: 0, EngineState.LOADING: 1, EngineState.ENDED: 1, EngineState.ABSENT: 2}
"""Of engines that are as good as one another, the route's order decides."""


class Routes:
    """The engines by target, each with its slots."""

    def __init__(
        self, engines: Mapping[str, Engine], *, workers: int = 1, regions: Mapping[str, str] | None = None
    ) -> None:
        """Keep the engines; of several workers that share them, each has its part of their slots, at least one.

        `regions` says where the engine of a target runs, of those that run in a region.
        """
        self.engines = dict(engines)
        self._regions = dict(regions or {})
        self.slots = {target: Slots(max(1, engine.slots // workers)) for target, engine in engines.items()}

    @asynccontextmanager
    async def __call__(self, card: ModelCard, prepared: PreparedCall) -> AsyncIterator[Engine]:
        """Hold slots of the chosen engine while the block runs.

        Raises:
            ModelUnavailable: no target of the route exists here.
            ModelUnpurchased: all of them run in regions that the account has switched off.
            ParameterInvalid: no target can do what the call asks.
            Overloaded: its queue is full, or the call's turn did not come in time.
        """
        engine = self.choose(card, prepared.call, prepared.barred_regions)
        async with self.slots[engine.target].take(prepared.call.sampling.choices):
            yield engine

    def choose(self, card: ModelCard, call: Call, barred_regions: Collection[str] = ()) -> Engine:
        """Return the first engine of the route that can do it and is ready, else one that loads or restarts.

        Raises:
            ModelUnavailable: no target of the route exists here.
            ModelUnpurchased: all of them run in barred regions.
            ParameterInvalid: none can do what the call asks; the words are those of the first.
        """
        targets = [self.engines[target] for target in card.route if target in self.engines]
        if not targets:
            raise ModelUnavailable(f"no engine here serves `{card.name}`")
        if barred_regions:
            targets = [engine for engine in targets if self._regions.get(engine.target) not in barred_regions]
            if not targets:
                raise ModelUnpurchased
        misfits = [misfit(call, engine.capabilities, engine.target) for engine in targets]
        able = [engine for engine, reason in zip(targets, misfits, strict=True) if reason is None]
        if not able and misfits[0] is not None:
            raise misfits[0]
        if len(able) == 1:
            return able[0]
        return min(able, key=lambda engine: _PREFERENCE[engine.condition().state])

"""The way of a call. Wire formats, limits, engines, streaming and billing meet here and see nothing of one another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.events import Event
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.gate.admission import Admission
from qwenport.gate.estimate import loaded_media
from qwenport.gate.reads import what_is_read
from qwenport.routing.answer import Answer, Observer


class Route(Protocol):
    """Finds an engine that answers, and tries others while nothing has reached the client."""

    def __call__(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer, /
    ) -> AbstractAsyncContextManager[Answer]:
        """Return what is entered with the first event of a call that streams, with all events of one that does not."""
        ...


def _nothing(_: RequestId) -> None:
    """Keep nothing of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The steps of a call, as the composition root put them together."""

    resolve: Callable[[str], ModelCard]
    permit: Callable[[Caller, ModelCard, Call], None]
    admit: Callable[[Caller, ModelCard, Call], Admission]
    prepare: Callable[[Caller, Call, ModelCard], Awaitable[PreparedCall]]
    route: Route
    let_go: Callable[[RequestId], None] = _nothing
    """Told that a call has ended, however it did, for whatever was loaded for it."""


async def serve(caller: Caller, call: Call, parts: Parts) -> AsyncGenerator[Event, None]:
    """Run one call from permission to settled usage; iterate it under `aclosing`, or it settles too late.

    Raises:
        QwenportError: any of the tree, before the first event or between events.
    """
    card = parts.resolve(call.model)
    parts.permit(caller, card, call)
    call = what_is_read(call, card)
    async with parts.admit(caller, card, call) as admission:
        try:
            prepared = await parts.prepare(caller, call, card)
            admission.loaded(*loaded_media(call, prepared.call))
            async with parts.route(caller, card, prepared, admission) as answer:
                for event in answer.begun:
                    yield event
                async for event in answer.rest:
                    admission.observe(event)
                    yield event
        finally:
            parts.let_go(call.id)

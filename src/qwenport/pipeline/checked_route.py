"""A route whose questions and answers are looked through; a part of the house only where the operator asks for it.

It stands before the response cache, so that an answer from there is looked through as any other.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from msgspec.structs import replace

from qwenport.core.call import ChatInput, Input, NativeInput, PromptInput
from qwenport.core.caller import Caller
from qwenport.core.events import Event, Generated
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.pipeline.inspection.guarded_events import GuardedEvents
from qwenport.pipeline.inspection.inspection import Inspection
from qwenport.pipeline.serve import Route
from qwenport.routing.answer import Answer, Observer


class CheckedRoute:
    """Blocked questions reach no engine and cost nothing; of blocked answers what was produced is billed."""

    def __init__(self, route: Route, inspection: Inspection) -> None:
        self._route = route
        self._inspection = inspection

    def __call__(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer
    ) -> AbstractAsyncContextManager[Answer]:
        """Return what the route returns, looked through.

        Entering, and going on with the answer, raises beside what the route raises:
            ContentBlocked: a word or the operator's check says no.
            ModelUnavailable: the operator's check does not answer, and such calls are refused.
        """
        if not self._inspection.concerns(card.name):
            return self._route(caller, card, prepared, observer)
        return self._checked(caller, card, prepared, observer)

    @asynccontextmanager
    async def _checked(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer
    ) -> AsyncIterator[Answer]:
        call = prepared.call
        if self._inspection.input:
            await self._inspection.check_input(call)
        async with self._route(caller, card, prepared, observer) as answer:
            if not self._inspection.output or not _says_texts(call.input):
                yield answer
                return
            guarded = GuardedEvents(self._inspection, call)
            # Of a call that does not stream, all of it stands there, and nothing is held back in the end.
            seen = map(_without_tokens, answer.begun) if call.streams else answer.begun
            begun = [each for event in seen for each in await guarded.add(event)]
            guarded.count = observer.observe
            async with aclosing(_looked_through(answer, guarded)) as rest:
                yield Answer(begun=begun, rest=rest)


def _says_texts(asked: Input) -> bool:
    """Tell whether the answer holds texts that were made; what a task makes is looked through when it is fetched."""
    return not asked.is_asynchronous if isinstance(asked, NativeInput) else isinstance(asked, ChatInput | PromptInput)


def _without_tokens(event: Event) -> Event:
    """Return an event of `begun`, which was observed already: one that is held back must not be counted again."""
    return replace(event, tokens=0) if isinstance(event, Generated) else event


async def _looked_through(answer: Answer, guarded: GuardedEvents) -> AsyncGenerator[Event, None]:
    try:
        async for event in answer.rest:
            for each in await guarded.add(event):
                yield each
    except BaseException:
        guarded.abandon()
        raise

"""A route whose key information is chosen by a text model; part of the house only where the operator names one.

The engine reads the page and finds fields by rules. The model is then asked, as a call of its own and billed to the
same caller, in which lines the values stand. Where it cannot be asked, takes too long or says nothing of use, the
rules' answer stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import msgspec
from msgspec.structs import replace

from qwenport.core.call import ChatInput, Sampling
from qwenport.core.caller import Caller
from qwenport.core.errors import QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized
from qwenport.core.model_card import ModelCard
from qwenport.core.ocr import OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.documents.field_choice import chosen, question
from qwenport.documents.field_question import Question
from qwenport.documents.fields import Fields, parse_schema
from qwenport.documents.page import Page
from qwenport.engines.ocr.result_text import fenced, result_text, with_fields
from qwenport.engines.ocr.spoken import Spoken
from qwenport.engines.ocr.value_places import decode_places, places_of
from qwenport.pipeline.serve import Route
from qwenport.routing.answer import Answer, Observer

log = logging.getLogger(__name__)

Ask = Callable[[Caller, Question], Awaitable[str]]
"""Asks the model; raises what any call may raise."""

_PAGE = msgspec.msgpack.Decoder(Page)


class FieldsByModelRoute:
    """Changes nothing but answers of the embedded engine that fill in a schema."""

    def __init__(self, route: Route, ask: Ask, *, most_s: float) -> None:
        """`most_s` is how long the model may take for all fields of a page."""
        self._route = route
        self._ask = ask
        self._most_s = most_s

    def __call__(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer
    ) -> AbstractAsyncContextManager[Answer]:
        """Return what the inner route returns, with fields that the model chose; raises what the route raises."""
        asked = prepared.call.input
        if not isinstance(asked, ChatInput) or asked.ocr is None or not asked.ocr.result_schema:
            return self._route(caller, card, prepared, observer)
        if asked.ocr.task is not OcrTask.KEY_INFORMATION_EXTRACTION:
            return self._route(caller, card, prepared, observer)
        return self._chosen(caller, card, prepared, observer)

    @asynccontextmanager
    async def _chosen(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer
    ) -> AsyncIterator[Answer]:
        async with self._route(caller, card, prepared, observer) as answer:
            events = [*answer.begun, *[event async for event in answer.rest]]
            # What was observed of it is observed once more, as it reaches the caller.
            observer.restart()
            observer.routed()
            events = await self._with_choice(caller, prepared, events)
            async with aclosing(_each(events)) as rest:
                yield Answer(begun=(), rest=rest)

    async def _with_choice(self, caller: Caller, prepared: PreparedCall, events: list[Event]) -> list[Event]:
        read = next((event for event in events if isinstance(event, Recognized) and event.page), None)
        asked = prepared.call.input
        if read is None or not isinstance(asked, ChatInput) or asked.ocr is None:
            return events
        events = [replace(event, page=b"", places=b"") if event is read else event for event in events]
        page, schema = _PAGE.decode(read.page), parse_schema(asked.ocr.result_schema)
        wanted = question(page, schema)
        if wanted is None:
            return events
        try:
            async with asyncio.timeout(self._most_s):
                said = await self._ask(caller, wanted)
        except (QwenportError, TimeoutError) as error:
            reason = f"it took longer than {self._most_s:g} s" if isinstance(error, TimeoutError) else error
            log.warning("request %s: fields were not chosen by the model: %s", prepared.call.id, reason)
            return events
        fields = chosen(page, schema, said, _by_rules(read))
        return _with_result(events, with_fields(read.result, fields.values, places_of(fields)), prepared.call.sampling)


def _by_rules(read: Recognized) -> Fields:
    places = decode_places(read.places)
    return Fields(
        values=msgspec.json.decode(read.result)["kv_result"],
        places={place.path: place.quads for place in places},
        scores={place.path: place.score for place in places},
    )


def _with_result(events: Sequence[Event], encoded: bytes, sampling: Sampling) -> list[Event]:
    """Return an answer that says another result, within the caller's bound and up to the text at which it stops."""
    spoken = Spoken(sampling)
    changed: list[Event] = []
    for event in events:
        match event:
            case Delta():
                pass
            case Recognized():
                changed += spoken.deltas(fenced(result_text(encoded), "json"))
                if spoken.reason is FinishReason.STOP:
                    changed.append(replace(event, result=encoded))
            case ChoiceFinished():
                changed.append(replace(event, reason=spoken.reason))
            case Finished(usage=usage):
                changed.append(replace(event, usage=replace(usage, output_tokens=spoken.tokens)))
            case _:
                changed.append(event)
    return changed


async def _each(events: Sequence[Event]) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event

"""A route that gives the answer of an equal call again, where the route or the key allows it.

Only answers that came to their own end are kept, and only of calls that leave nothing to chance. Equal calls at the
same moment wait for the first of them, within one worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from qwenport.core.caller import Caller
from qwenport.core.events import Delta, Embedded, Event, Finished, Reasoning, Started, ToolCallDelta
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Route as RouteOfModel
from qwenport.core.usage import UsageSource
from qwenport.pipeline.answer_cache import AnswerCache, Events, is_whole
from qwenport.pipeline.cache_key import Scope, canonical_form, digest, is_deterministic
from qwenport.pipeline.serve import Route
from qwenport.routing.answer import Answer, Observer
from qwenport.routing.eligible import route_of

LOOK_S = 0.25
"""How often a call that waits for an equal one looks whether that one's client holds it up."""

MOST_HELD = 4
"""Looks in a row; then the next of those that wait asks an engine, and the others wait for that one."""

LARGE_BYTES = 1 << 16
"""From this size on a call is digested in a thread."""

_EVENT_BYTES = 24
"""What an event takes beside its text, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRules:
    """Who may be given whose answers, and for what price."""

    scope: Scope = "account"
    bill_percent: int = 0
    wait_s: float = 30.0
    """How long a call waits for an equal one before it asks an engine itself."""


@dataclass(slots=True, eq=False)
class _Flight:
    """A call whose equals wait for it."""

    landed: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Events | None = None
    was_left: bool = False
    """Whether its caller left before it had an answer, so that another should try in its place."""
    is_held: bool = False
    """Whether its caller has not asked for more since it was given something."""


class CachedRoute:
    """Looks for an answer before it asks the inner route."""

    def __init__(
        self,
        route: Route,
        cache: AnswerCache,
        routes: Callable[[str], Sequence[RouteOfModel]],
        rules: CacheRules,
        address_of: Callable[[str], str],
    ) -> None:
        """`routes` are those of a model, the most specific first; `address_of` tells where a target is."""
        self._route = route
        self._cache = cache
        self._routes = routes
        self._rules = rules
        self._address_of = address_of
        self._flights: dict[bytes, _Flight] = {}

    def __call__(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer
    ) -> AbstractAsyncContextManager[Answer]:
        """Return what the inner route returns, or an answer from the cache; raises what the route raises."""
        if not is_deterministic(prepared.call) or caller.cache_s == 0:
            return self._route(caller, card, prepared, observer)
        route = route_of(self._routes(card.name), caller, card.name, prepared.call)
        age_s = route.cache_s if caller.cache_s is None else caller.cache_s
        if not age_s:
            return self._route(caller, card, prepared, observer)
        targets = [f"{target} {self._address_of(target)}" for target in route.targets]
        form = canonical_form(self._rules.scope, caller, card, targets, prepared.call)
        if form is None:
            return self._route(caller, card, prepared, observer)
        inner = self._route(caller, card, prepared, observer)
        return self._cached(form, age_s, inner, observer)

    @asynccontextmanager
    async def _cached(
        self, form: bytes, age_s: int, inner: AbstractAsyncContextManager[Answer], observer: Observer
    ) -> AsyncIterator[Answer]:
        key = digest(form) if len(form) < LARGE_BYTES else await asyncio.to_thread(digest, form)
        shared = await self._answer_of_an_equal(key)
        if shared is not None:
            self._cache.counts.count_cache("shared")
            async with self._given_again(shared, observer) as answer:
                yield answer
            return
        flight = None if key in self._flights else self._flights.setdefault(key, _Flight())
        try:
            found = await self._cache.find(key, age_s)
            self._cache.counts.count_cache("miss" if found is None else "hit")
            if found is not None:
                self._land(key, flight, found)
                async with self._given_again(found, observer) as answer:
                    yield answer
                return
            collected = _Collected(self._cache.max_answer_bytes)
            async with inner as answer, aclosing(self._followed(answer, collected, key, flight)) as rest:
                for event in answer.begun:
                    collected.add(event)
                self._land_if_whole(key, flight, collected)
                if flight is not None:
                    flight.is_held = True
                yield Answer(begun=answer.begun, rest=rest)
            if collected.whole is not None:
                self._cache.put(key, collected.whole, age_s)
        except (asyncio.CancelledError, GeneratorExit):
            if flight is not None:
                flight.was_left = True
            raise
        finally:
            self._land(key, flight, None)

    async def _answer_of_an_equal(self, key: bytes) -> Events | None:
        """Wait for the equal call that is under way; None where there is none, or where it has nothing to share.

        One whose client takes its answer slowly gives up its place to the next.
        """
        time = asyncio.get_running_loop().time
        end, held = time() + self._rules.wait_s, 0
        while (flight := self._flights.get(key)) is not None and (left_s := end - time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LOOK_S)):
                    await flight.landed.wait()
                if not flight.was_left:
                    return flight.answer
            held = held + 1 if flight.is_held and self._flights.get(key) is flight else 0
            if held >= MOST_HELD:
                del self._flights[key]
                return None
        return None

    def _land(self, key: bytes, flight: _Flight | None, answer: Events | None) -> None:
        """Let those go on that wait; the first landing counts."""
        if flight is None or flight.landed.is_set():
            return
        flight.answer = answer
        flight.landed.set()
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _land_if_whole(self, key: bytes, flight: _Flight | None, collected: _Collected) -> None:
        if collected.is_over:
            self._land(key, flight, collected.whole)

    async def _followed(
        self, answer: Answer, collected: _Collected, key: bytes, flight: _Flight | None
    ) -> AsyncGenerator[Event, None]:
        if flight is None:
            flight = _Flight()
        flight.is_held = False
        async for event in answer.rest:
            collected.add(event)
            self._land_if_whole(key, flight, collected)
            flight.is_held = True
            yield event
            flight.is_held = False

    @asynccontextmanager
    async def _given_again(self, events: Events, observer: Observer) -> AsyncIterator[Answer]:
        observer.routed()
        async with aclosing(_replayed(events, self._rules.bill_percent)) as rest:
            yield Answer(begun=(), rest=rest)


class _Collected:
    """The events of an answer, as long as they are not too many."""

    def __init__(self, most_bytes: int) -> None:
        self._events: list[Event] | None = []
        self._room = most_bytes
        self.is_over = False

    @property
    def whole(self) -> Events | None:
        """Return the answer if it may be given again; None otherwise."""
        return tuple(self._events) if self._events is not None and is_whole(self._events) else None

    def add(self, event: Event) -> None:
        """Take in an event."""
        self.is_over = isinstance(event, Finished)
        if self._events is None:
            return
        self._events.append(event)
        self._room -= _size(event)
        if self._room < 0:
            self._events = None


def _size(event: Event) -> int:
    match event:
        case Delta(text=text, logprobs=logprobs):
            return len(text) + _EVENT_BYTES * (1 + len(logprobs))
        case Reasoning(text=text):
            return len(text) + _EVENT_BYTES
        case ToolCallDelta(arguments=arguments):
            return len(arguments) + _EVENT_BYTES
        case Embedded(vector=vector):
            return len(vector) + _EVENT_BYTES
        case _:
            return _EVENT_BYTES


async def _replayed(events: Events, bill_percent: int) -> AsyncGenerator[Event, None]:
    """Yield an answer as one from the cache: all of its input counts as cached."""
    for event in events:
        match event:
            case Started():
                yield replace(event, cached_tokens=event.input_tokens, billed_percent=bill_percent)
            case Finished(usage=usage):
                cached = replace(
                    usage,
                    cached_tokens=usage.input_tokens,
                    cache_creation_tokens=0,
                    explicitly_cached_tokens=0,
                    source=UsageSource.CACHE,
                )
                yield Finished(usage=cached)
            case _:
                yield event

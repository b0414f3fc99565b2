"""The way of one call through the targets: tried until an engine has answered, and never again after that."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING

from qwenport.core.caller import Caller
from qwenport.core.errors import (
    ModelUnavailable,
    Overloaded,
    QwenportError,
    UpstreamKeyRefused,
    UpstreamThrottled,
)
from qwenport.core.events import Event, Finished
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.routing.answer import Answer, Observer
from qwenport.routing.attempt import Attempt
from qwenport.routing.fair_queue import Waiter
from qwenport.routing.lane import Lane
from qwenport.routing.retry import RETRIED, asked_to_wait_s, final_error, is_hopeless, may_have_made, pause_s

if TYPE_CHECKING:
    from qwenport.routing.room import Seat
    from qwenport.routing.router import Router

log = logging.getLogger(__name__)

COUNTED_OUTPUT_TOKENS = 2048
"""Most output of a call that is taken from a pace beforehand: bounds are high, answers short, and corrected."""


SAME_MOMENT_S = 0.001
"""A pause may end so much too early, by the rounding of the loop's clock."""


class Passage:
    """Entered with the first event of a call that streams, or all events of one that does not."""

    __slots__ = (
        "_caller",
        "_card",
        "_count",
        "_deadline",
        "_errors",
        "_hopeless",
        "_not_before",
        "_observer",
        "_open",
        "_prepared",
        "_router",
        "_tokens",
        "_tried",
    )

    def __init__(self, router: Router, caller: Caller, card: ModelCard, call: PreparedCall, observer: Observer) -> None:
        self._router = router
        self._caller = caller
        self._card = card
        self._prepared = call
        self._observer = observer
        self._count = call.call.sampling.choices
        self._tokens: int | None = None
        self._errors: list[QwenportError] = []
        self._tried: dict[str, int] = {}
        self._hopeless: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._open: tuple[Attempt, AsyncGenerator[Event, None], AsyncGenerator[Event, None]] | None = None

    async def __aenter__(self) -> Answer:
        self._deadline = self._router.parts.clock.monotonic() + self._router.parts.call_s
        while True:
            attempt = self._begin_at_once() or await self._begin_later()
            try:
                return await self._run(attempt)
            except UpstreamKeyRefused:
                raise
            except RETRIED as error:
                if may_have_made(error, self._prepared.call):
                    raise
                self._note(attempt.lane, error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is None:
            return
        attempt, events, rest = self._open
        try:
            if rest is not events:
                await rest.aclose()
            await events.aclose()
        finally:
            attempt.finish(error)

    async def _run(self, attempt: Attempt) -> Answer:
        """Return what an engine answers; raises what it raises before that."""
        if self._errors:
            self._observer.restart()
        self._observer.routed()
        events = attempt.lane.engine.run(self._prepared)
        try:
            first = await anext(events, None)
            if first is None:
                return self._whole(attempt, ())
            attempt.answered()
            self._observer.observe(first)
            if self._prepared.call.streams:
                rest = _metered(events, attempt) if attempt.counts_tokens else events
                self._open = (attempt, events, rest)
                return Answer(begun=(first,), rest=rest)
            begun = [first]
            observe, keep = self._observer.observe, begun.append
            async for event in events:
                observe(event)
                keep(event)
            return self._whole(attempt, begun)
        except BaseException as error:
            try:
                await events.aclose()
            finally:
                attempt.finish(error)
            raise

    def _whole(self, attempt: Attempt, begun: Sequence[Event]) -> Answer:
        """Return an answer of which nothing is to come; its target is free for the next call."""
        if begun and isinstance(begun[-1], Finished) and attempt.counts_tokens:
            attempt.used(begun[-1].usage.total_tokens)
        attempt.finish(None)
        return Answer(begun=begun, rest=_Nothing())

    def _note(self, lane: Lane, error: QwenportError) -> None:
        """Remember a try that failed; raises what the caller hears where it was the last."""
        parts = self._router.parts
        self._errors.append(error)
        self._tried[lane.name] = self._tried.get(lane.name, 0) + 1
        asked_s = asked_to_wait_s(error)
        if asked_s is not None:
            self._not_before[lane.name] = parts.clock.monotonic() + asked_s
        if is_hopeless(error, lane):
            self._hopeless.add(lane.name)
        # Its words may be the upstream's, and hold what was asked.
        log.info(
            "request %s: try %d at `%s` failed (%s)", self._prepared.call.id, len(self._errors), lane.name, error.code
        )
        if len(self._errors) >= parts.retries.tries or parts.clock.monotonic() >= self._deadline:
            raise final_error(self._errors)

    def _begin_at_once(self) -> Attempt | None:
        """Begin where there is room now: at the best target for the first try, at an untried one for a further one.

        Raises:
            QwenportError: see `Router.lanes_for`; or no target can be asked, and this is why.
        """
        lanes = self._candidates()
        if self._errors:
            lanes = [lane for lane in lanes if lane.name not in self._tried]
        return self._begin(lanes)

    async def _begin_later(self) -> Attempt:
        """Begin after a pause where only tried targets are left, and where there is no room, wait for it."""
        has_paused = not self._errors
        while True:
            lanes = self._candidates()
            again = [lane for lane in lanes if lane.name in self._tried]
            fresh = [lane for lane in lanes if lane.name not in self._tried]
            if again and not has_paused:
                attempt = await self._ask(fresh)
                if attempt is not None:
                    return attempt
                has_paused = await self._pause(again, until_due=not fresh)
                if has_paused:
                    continue
                lanes, has_paused = fresh, True
            lanes = self._due(lanes)
            lanes = sorted(lanes, key=lambda lane: self._tried.get(lane.name, 0))
            attempt = self._begin(lanes) or await self._ask(lanes) or await self._wait(lanes)
            if attempt is not None:
                return attempt

    def _candidates(self) -> Sequence[Lane]:
        """Return the targets that may be asked now, the best first; raises why there are none."""
        router, now = self._router, self._router.parts.clock.monotonic()
        lanes = router.lanes_for(self._caller, self._card, self._prepared.call, now)
        if len(lanes) == 1 and not self._errors and lanes[0].may_pass(now):
            return lanes
        well = [lane for lane in lanes if self._may_try(lane, now)]
        if well:
            return well
        if self._errors:
            raise final_error(self._errors)
        passing = [lane for lane in lanes if lane.may_pass(now)]
        if passing:  # it loads, or ended: what it says about itself is the best answer there is
            return passing[:1]
        raise _shut(self._card, lanes, now)

    def _may_try(self, lane: Lane, now: float) -> bool:
        if lane.name in self._hopeless or now + lane.room.opens_in() > self._deadline:
            return False
        if lane.name in self._tried:
            is_in_time = self._not_before.get(lane.name, 0.0) <= self._deadline
            return is_in_time and lane.may_pass(now) and lane.budget.has_room(now)
        # An upstream says of itself what its last calls said; after a failure elsewhere it is worth a try.
        return not lane.unwell(now) or bool(self._errors and not lane.is_of_the_house and lane.may_pass(now))

    def _begin(self, lanes: Sequence[Lane]) -> Attempt | None:
        """Begin at the first target that has room, unless one before it does not know yet."""
        for lane in lanes:
            seat = lane.room.try_take(self._count, self._bound(lane))
            if seat is not None:
                return self._seated(lane, seat)
            if lane.room.is_asking:
                return None
        return None

    async def _ask(self, lanes: Sequence[Lane]) -> Attempt | None:
        """Begin at the first target that has room, and wait for those that have to ask other workers."""
        for lane in lanes:
            attempt = self._begin((lane,))
            if attempt is None and lane.room.is_asking and not lane.room.is_full:
                waiter = self._waiter()
                waiter.is_impatient = True
                attempt = await self._queue((lane,), waiter)
            if attempt is not None:
                return attempt
        return None

    def _seated(self, lane: Lane, seat: Seat) -> Attempt:
        parts = self._router.parts
        is_again = lane.name in self._tried
        attempt = Attempt(lane, seat, parts.clock, parts.on_try, is_again=is_again)
        if is_again:
            lane.budget.retried(parts.clock.monotonic())
        elif not lane.is_of_the_house or self._errors:
            lane.budget.called(parts.clock.monotonic())
        return attempt

    async def _wait(self, lanes: Sequence[Lane]) -> Attempt | None:
        """Wait in the queues of these targets at the same time; None when they are others by now.

        Raises:
            Overloaded, UpstreamThrottled: the queues are full, or no turn came in time; after a try, its error.
        """
        waiter = self._waiter()
        open_lanes = [lane for lane in lanes if lane.room.has_place_for(waiter)]
        if not open_lanes:
            raise self._late(lanes)
        return await self._queue(open_lanes, waiter)

    def _waiter(self) -> Waiter:
        return Waiter(self._caller.key_id, self._caller.priority, count=self._count)

    async def _queue(self, lanes: Sequence[Lane], waiter: Waiter) -> Attempt | None:
        parts = self._router.parts
        left_s = min(parts.queue.wait_s, self._deadline - parts.clock.monotonic())
        if left_s <= 0:
            raise self._late(lanes)
        waiter.tokens = max(self._bound(lane) for lane in lanes)
        try:
            for lane in lanes:
                if not waiter.turn.done():
                    lane.room.enroll(waiter)
            async with asyncio.timeout(left_s):
                seat = await waiter.turn
        except BaseException as error:
            _leave(waiter)
            if isinstance(error, TimeoutError):
                raise self._late(lanes) from error
            raise
        return self._take_turn(lanes, seat)

    def _take_turn(self, lanes: Sequence[Lane], seat: Seat | None) -> Attempt | None:
        """Begin where the turn came, unless the target has failed, or others have used up its budget meanwhile."""
        if seat is None:
            return None
        now = self._router.parts.clock.monotonic()
        lane = next(lane for lane in lanes if lane.room is seat.room)
        has_budget = lane.name not in self._tried or lane.budget.has_room(now)
        if has_budget and lane.may_pass(now) and self._router.lanes.get(lane.name) is lane:
            return self._seated(lane, seat)
        seat.release()
        return None

    def _bound(self, lane: Lane) -> int:
        """Return the tokens that the call takes from a pace, where the target has one."""
        if not lane.paces_tokens:
            return 0
        if self._tokens is None:
            read, written = self._router.parts.bound(self._prepared.call, self._card)
            self._tokens = read + min(written, COUNTED_OUTPUT_TOKENS)
        return self._tokens

    def _due(self, lanes: Sequence[Lane]) -> Sequence[Lane]:
        """Leave out targets that asked this call for more time."""
        if not self._not_before:
            return lanes
        soon = self._router.parts.clock.monotonic() + SAME_MOMENT_S
        return [lane for lane in lanes if self._not_before.get(lane.name, 0.0) <= soon]

    async def _pause(self, lanes: Sequence[Lane], *, until_due: bool) -> bool:
        """Pause before these are tried again; return False at once where the call's time would be over then.

        With `until_due` at least until the first of them wants to be asked again.
        """
        parts = self._router.parts
        retries = min(self._tried[lane.name] for lane in lanes) - 1
        seconds = pause_s(parts.retries, retries, parts.chance)
        now = parts.clock.monotonic()
        if until_due:
            seconds = max(seconds, min(self._not_before.get(lane.name, 0.0) for lane in lanes) - now)
        if now + seconds >= self._deadline:
            return False
        await parts.sleep(seconds)
        return True

    def _late(self, lanes: Sequence[Lane]) -> QwenportError:
        if self._errors:
            return final_error(self._errors)
        if any(lane.is_of_the_house for lane in lanes):
            return Overloaded()
        opens_in_s = min((lane.room.opens_in() for lane in lanes), default=0.0)
        return UpstreamThrottled(retry_after_s=max(1, math.ceil(opens_in_s)))


class _Nothing(AsyncIterator[Event]):
    """No further events."""

    async def __anext__(self) -> Event:
        raise StopAsyncIteration


async def _metered(events: AsyncGenerator[Event, None], attempt: Attempt) -> AsyncGenerator[Event, None]:
    """Yield events, and tell the pace what the engine counted."""
    async with aclosing(events):
        async for event in events:
            if type(event) is Finished:
                attempt.used(event.usage.total_tokens)
            yield event


def _leave(waiter: Waiter) -> None:
    """Leave every queue; a turn that came in the same moment goes to the next."""
    turn = waiter.turn
    if turn.done() and not turn.cancelled():
        seat = turn.result()
        if seat is not None:
            seat.release()
        return
    turn.cancel()
    rooms, waiter.rooms = waiter.rooms, []
    for room in rooms:
        room.withdraw(waiter)


def _shut(card: ModelCard, lanes: Sequence[Lane], now: float) -> ModelUnavailable:
    """Say that every target failed of late, and when one is tried again."""
    error = ModelUnavailable(f"what serves `{card.name}` has failed of late and is given a pause")
    waits = [lane.breaker.opens_in(now) for lane in lanes if lane.breaker is not None]
    error.retry_after_s = max(1, math.ceil(min(waits, default=1.0)))
    return error

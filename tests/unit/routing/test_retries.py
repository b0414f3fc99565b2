"""What is tried again and where, after which pauses, and what the caller hears when nothing helps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replace_parts
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenport.core.caller import Caller
from qwenport.core.errors import (
    ContentBlocked,
    EngineFailed,
    EngineTimedOut,
    InputTooLong,
    ModelUnavailable,
    Overloaded,
    ParameterInvalid,
    QwenportError,
    UpstreamExhausted,
    UpstreamKeyRefused,
    UpstreamThrottled,
    UpstreamTurnedAway,
)
from qwenport.core.events import Event
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Route
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Pace, Target
from qwenport.settings.configuration_file import QueueTable, RetryTable
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.quick_loop import LoopClock, QuickLoop
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait, answer

pytestmark = pytest.mark.anyio

CARD = model_card()


@dataclass
class Heard:
    """What the admission of a call hears."""

    told: list[object] = field(default_factory=list)

    def routed(self) -> None:
        self.told.append("routed")

    def observe(self, event: Event) -> None:
        self.told.append(event)

    def restart(self) -> None:
        self.told.append("restart")


class Upstreams:
    """Targets a, b …, whose runs follow one script after the other, and end well when these are used up."""

    def __init__(self, rules: RetryTable | None = None, queue: QueueTable | None = None, call_s: float = 600.0) -> None:
        self.engines: dict[str, ScriptedEngine] = {}
        self.targets: list[Target] = []
        self.order: list[str] = []
        self.pauses: list[float] = []
        self.tried: list[tuple[str, str]] = []
        self.clock = LoopClock()
        self.parts = RoutingParts(
            clock=self.clock,
            bound=lambda _call, _card: (100, 5000),
            retries=rules or RetryTable(first_pause_s=1, longest_pause_s=8),
            queue=queue or QueueTable(),
            call_s=call_s,
            on_try=lambda target, outcome, _first: self.tried.append((target, outcome)),
            sleep=self._sleep,
            chance=Random(7),
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(seconds)

    def add(
        self, name: str, *scripts: Sequence[Step], upstream: bool = True, slots: int = 1000, pace: Pace | None = None
    ) -> ScriptedEngine:
        """Add a target; after these scripts it answers well."""
        left = list(scripts)

        def follow(_prepared: PreparedCall) -> Sequence[Step]:
            self.order.append(name)
            return left.pop(0) if left else answer(name, served_by=f"{name}/m")

        made = ScriptedEngine(follow, target=f"{name}/m", slots=slots)
        self.engines[name] = made
        self.targets.append(Target(engine=made, upstream=name if upstream else "", pace=pace))
        return made

    def router(self) -> Router:
        """Return a router by all targets in their order."""
        route = Route(targets=tuple(target.name for target in self.targets))
        return Router(self.targets, lambda _: (route,), self.parts)


async def events_of(
    by: Router, *, streams: bool = False, heard: Heard | None = None, caller: Caller = CALLER
) -> list[Event]:
    """Run a call as the pipeline does."""
    heard = heard or Heard()
    prepared = PreparedCall(call=chat_call(streams=streams), max_input_tokens=100)
    async with by(caller, CARD, prepared, heard) as given:
        events = list(given.begun)
        async for event in given.rest:
            heard.observe(event)
            events.append(event)
    return events


async def error_of(work: Awaitable[object]) -> QwenportError:
    """Return the error that a call ends in."""
    with pytest.raises(QwenportError) as found:
        await work
    return found.value


FAILED = EngineFailed("broke")
RETRIED: list[Callable[[], QwenportError]] = [
    lambda: EngineFailed("broke"),
    EngineTimedOut,
    Overloaded,
    UpstreamThrottled,
    lambda: ModelUnavailable("away"),
]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("error", RETRIED)
async def test_a_failed_try_goes_on_at_the_next_target_at_once(
    error: Callable[[], QwenportError], streams: bool
) -> None:
    ups = Upstreams()
    ups.add("a", [error()])
    ups.add("b")

    assert await events_of(ups.router(), streams=streams) == answer("b", served_by="b/m")
    assert (ups.order, ups.pauses) == (["a", "b"], [])
    assert ups.tried == [("a/m", error().code), ("b/m", "ok")]


@pytest.mark.parametrize("streams", [False, True])
async def test_the_only_target_is_tried_again_after_growing_random_pauses(streams: bool) -> None:
    ups = Upstreams()
    ups.add("a", [FAILED], [FAILED], [FAILED])

    assert await events_of(ups.router(), streams=streams) == answer("a", served_by="a/m")
    draws = Random(7)
    assert ups.pauses == [draws.random() * most for most in (1, 2, 4)]


async def test_no_pause_is_longer_than_the_longest() -> None:
    ups = Upstreams(RetryTable(tries=5, first_pause_s=4, longest_pause_s=5))
    ups.add("a", *[[FAILED]] * 4)

    await events_of(ups.router())
    assert max(ups.pauses) < 5
    assert len(ups.pauses) == 4


async def test_after_the_last_try_the_caller_hears_its_error() -> None:
    ups = Upstreams()
    ups.add("a", *[[EngineFailed(f"broke {number}")] for number in range(9)])

    assert (await error_of(events_of(ups.router()))).message == "broke 3"
    assert ups.order == ["a"] * 4


@pytest.mark.parametrize(
    "error",
    [
        ParameterInvalid("too hot", parameter="temperature"),
        InputTooLong(100),
        ContentBlocked(),
        UpstreamKeyRefused("the key is refused"),
        UpstreamTurnedAway("a wall"),
    ],
)
async def test_what_no_other_try_mends_ends_the_call(error: QwenportError) -> None:
    ups = Upstreams()
    ups.add("a", [error])
    ups.add("b")

    assert await error_of(events_of(ups.router())) is error
    assert ups.order == ["a"]


@pytest.mark.parametrize(
    "error",
    [UpstreamExhausted("in arrears"), ModelUnavailable("gone", passes=False), EngineTimedOut("slow", passes=False)],
)
async def test_what_stays_is_tried_elsewhere_and_never_there_again(error: QwenportError) -> None:
    ups = Upstreams()
    ups.add("a", [error])
    ups.add("b", [FAILED])

    assert await events_of(ups.router()) == answer("b", served_by="b/m")
    assert ups.order == ["a", "b", "b"]


async def test_an_engine_of_the_house_that_is_not_there_is_not_tried_again() -> None:
    ups = Upstreams()
    ups.add("a", [ModelUnavailable("loading")], upstream=False)

    assert (await error_of(events_of(ups.router()))).code == "model_unavailable"
    assert ups.order == ["a"]


@pytest.mark.parametrize("error", [UpstreamKeyRefused("refused"), UpstreamExhausted("in arrears")])
async def test_an_upstream_that_only_its_operator_can_mend_gets_no_further_calls(error: QwenportError) -> None:
    ups = Upstreams()
    ups.add("a", [error])
    ups.add("b")
    by = ups.router()
    if isinstance(error, UpstreamKeyRefused):
        await error_of(events_of(by))
    else:
        await events_of(by)
    ups.order.clear()
    for _ in range(3):
        await events_of(by)

    assert ups.order == ["b", "b", "b"]
    by.replace(ups.targets, lambda _: (Route(targets=("a/m",)),), rekeyed={"a"})
    assert await events_of(by) == answer("a", served_by="a/m")


async def test_events_of_a_failed_try_of_a_whole_call_are_dropped_and_forgotten() -> None:
    ups, heard = Upstreams(), Heard()
    half = answer("half", served_by="a/m")[:2]
    ups.add("a", [*half, FAILED])
    ups.add("b")

    good = answer("b", served_by="b/m")
    assert await events_of(ups.router(), heard=heard) == good
    assert heard.told == ["routed", *half, "restart", "routed", *good]


async def test_a_stream_that_has_begun_is_not_tried_again() -> None:
    ups, heard = Upstreams(), Heard()
    half = answer("half", served_by="a/m")[:2]
    ups.add("a", [*half, FAILED])
    ups.add("b")
    by = ups.router()

    assert await error_of(events_of(by, streams=True, heard=heard)) is FAILED
    assert heard.told == ["routed", *half]
    assert by.lanes["a/m"].failures == {"engine_failed": 1}


async def test_a_stream_is_entered_with_its_first_event_and_its_room_is_kept_until_it_ends() -> None:
    ups = Upstreams()
    wait = Wait()
    steps = answer("x", served_by="a/m")
    ups.add("a", [steps[0], wait, *steps[1:]])
    by = ups.router()
    prepared = PreparedCall(call=chat_call(streams=True), max_input_tokens=100)
    async with by(CALLER, CARD, prepared, Heard()) as given:
        assert (given.begun, by.rooms["a/m"].free) == ((steps[0],), 999)
        wait.go.set()
        assert [event async for event in given.rest] == steps[1:]
    assert (by.rooms["a/m"].free, by.lanes["a/m"].under_way) == (1000, 0)


async def test_a_stream_that_is_left_midway_stops_its_engine_before_the_room_is_given_on() -> None:
    ups = Upstreams()
    made = ups.add("a")
    by = ups.router()
    async with by(CALLER, CARD, PreparedCall(call=chat_call(streams=True), max_input_tokens=100), Heard()) as given:
        assert made.open_runs == 1
    assert (made.open_runs, by.rooms["a/m"].free) == (0, 1000)
    assert [event async for event in given.rest] == []


async def test_an_engine_is_stopped_where_what_it_says_cannot_be_counted() -> None:
    class Deaf(Heard):
        def observe(self, event: Event) -> None:
            raise ZeroDivisionError

    ups = Upstreams()
    made = ups.add("a")
    by = ups.router()
    with pytest.raises(ZeroDivisionError) as found:
        await events_of(by, heard=Deaf())
    assert (made.open_runs, by.rooms["a/m"].free, ups.tried) == (0, 1000, [("a/m", "internal")])
    del found


async def test_targets_take_turns_in_further_tries() -> None:
    ups = Upstreams()
    ups.add("a", [FAILED], [FAILED])
    ups.add("b", [FAILED])

    await events_of(ups.router())
    assert ups.order == ["a", "b", "a", "b"]


async def test_upstreams_that_call_themselves_unwell_are_still_tried_after_a_failure() -> None:
    ups = Upstreams()
    ups.add("a", [FAILED]).state = Condition(state=EngineState.ENDED)
    ups.add("b").state = Condition(state=EngineState.ENDED)

    await events_of(ups.router())
    assert (ups.order, ups.pauses) == (["a", "b"], [])


async def test_a_429_is_waited_for_as_long_as_it_says_where_there_is_nothing_else() -> None:
    ups = Upstreams()
    ups.add("a", [UpstreamThrottled(retry_after_s=20)])
    began = ups.clock.monotonic()

    await events_of(ups.router())
    assert ups.clock.monotonic() - began == pytest.approx(20)


async def test_one_429_among_many_answers_holds_back_its_own_call_alone() -> None:
    ups = Upstreams()
    ups.add("a", *[answer("a", served_by="a/m")] * 20, [UpstreamThrottled(retry_after_s=20)])
    by = ups.router()
    for _ in range(20):
        await events_of(by)
    began = ups.clock.monotonic()
    throttled = asyncio.create_task(events_of(by))
    await asyncio.sleep(0.001)
    await events_of(by)
    assert ups.clock.monotonic() - began < 1
    await throttled
    assert ups.clock.monotonic() - began == pytest.approx(20, abs=0.01)


async def test_a_call_that_one_429_holds_back_waits_for_room_elsewhere_meanwhile() -> None:
    ups = Upstreams()
    ups.add("a", *[answer("a", served_by="a/m")] * 20, [UpstreamThrottled(retry_after_s=20)])
    ups.add("b", slots=1)
    by = ups.router()
    for _ in range(20):
        await events_of(by)
    seat = by.rooms["b/m"].try_take(1, 0)
    began = ups.clock.monotonic()
    throttled = asyncio.create_task(events_of(by))
    await asyncio.sleep(3)
    assert (seat is not None, by.rooms["b/m"].waiting) == (True, 1)
    if seat is not None:
        seat.release()
    assert await throttled == answer("b", served_by="b/m")
    assert ups.clock.monotonic() - began == pytest.approx(3)


async def test_a_429_that_asks_for_more_time_than_the_call_has_ends_it_with_when_to_come_back() -> None:
    ups = Upstreams(call_s=10)
    ups.add("a", [UpstreamThrottled(retry_after_s=20)])
    began = ups.clock.monotonic()
    error = await error_of(events_of(ups.router()))

    assert (error.code, error.retry_after_s, ups.clock.monotonic() - began) == ("upstream_throttled", 20, 0)


async def test_when_all_were_throttled_the_caller_is_told_when_the_first_of_them_opens() -> None:
    ups = Upstreams(call_s=10)
    ups.add("a", [UpstreamThrottled(retry_after_s=50)])
    ups.add("b", [UpstreamThrottled(retry_after_s=30)])
    error = await error_of(events_of(ups.router()))

    assert (error.code, error.retry_after_s) == ("upstream_throttled", 30)


async def test_a_throttled_upstream_is_passed_over_until_it_opens_and_its_breaker_stays_closed() -> None:
    ups = Upstreams()
    ups.add("a", [UpstreamThrottled(retry_after_s=20)])
    ups.add("b")
    by = ups.router()
    for _ in range(3):
        await events_of(by)
    await asyncio.sleep(21)
    await events_of(by)

    assert ups.order == ["a", "b", "b", "b", "a"]
    assert by.standing()[0].breaker == "closed"


def told(error: QwenportError, seconds: int) -> QwenportError:
    """Return an error with what the upstream said of when to come back."""
    error.told_s = seconds
    return error


@pytest.mark.parametrize("error", [EngineFailed("broke"), EngineTimedOut(), Overloaded(), ModelUnavailable("loading")])
async def test_whatever_failed_with_a_time_to_come_back_is_not_asked_before(error: QwenportError) -> None:
    ups = Upstreams()
    ups.add("a", [told(error, 20)])
    began = ups.clock.monotonic()

    assert await events_of(ups.router()) == answer("a", served_by="a/m")
    assert ups.clock.monotonic() - began == pytest.approx(20)


async def test_what_the_gateway_tells_its_callers_is_no_wish_of_the_upstream() -> None:
    ups = Upstreams()
    ups.add("a", [ModelUnavailable("loading")])
    began = ups.clock.monotonic()

    await events_of(ups.router())
    assert ups.clock.monotonic() - began < 1


async def test_a_target_that_asks_for_more_time_than_a_call_waits_is_not_asked_again() -> None:
    ups = Upstreams()
    ups.add("a", [told(Overloaded(), 61)])
    began = ups.clock.monotonic()

    assert (await error_of(events_of(ups.router()))).code == "overloaded"
    assert (ups.order, ups.clock.monotonic() - began) == (["a"], 0)


@pytest.mark.parametrize(("seconds", "shut_s"), [(61, 61), (4000, 300), (None, 300)])
async def test_a_used_up_upstream_is_shut_for_as_long_as_it_says_within_bounds(
    seconds: int | None, shut_s: int
) -> None:
    ups = Upstreams()
    error = UpstreamExhausted("used up")
    error.told_s = seconds
    ups.add("a", [error])
    by = ups.router()
    await error_of(events_of(by))

    assert (await error_of(events_of(by))).retry_after_s == shut_s
    assert ups.order == ["a"]


async def test_a_pause_beyond_the_calls_deadline_is_not_made() -> None:
    ups = Upstreams(RetryTable(first_pause_s=100, longest_pause_s=100), call_s=5)
    ups.add("a", *[[FAILED]] * 4)
    began = ups.clock.monotonic()

    assert await error_of(events_of(ups.router())) is FAILED
    assert ups.clock.monotonic() - began < 5


async def test_retries_end_with_the_upstreams_budget() -> None:
    ups = Upstreams(RetryTable(tries=2, first_pause_s=0.001, budget_percent=0, breaker_failures=1000))
    ups.add("a", *[[FAILED]] * 100)
    by = ups.router()
    for _ in range(30):
        await error_of(events_of(by))

    assert len(ups.order) == 30 + 10


async def test_going_on_at_another_upstream_needs_no_budget() -> None:
    ups = Upstreams(RetryTable(budget_percent=0, breaker_failures=1000))
    ups.add("a", *[[FAILED]] * 100)
    ups.add("b")
    by = ups.router()
    for _ in range(50):
        await events_of(by)

    assert ups.order == ["a", "b"] * 50


async def test_an_upstream_that_fails_is_left_alone_then_probed_and_taken_back() -> None:
    ups = Upstreams(RetryTable(tries=1, breaker_failures=3, breaker_open_s=10))
    ups.add("a", [FAILED], [FAILED], [FAILED], [FAILED])
    by = ups.router()
    for _ in range(3):
        await error_of(events_of(by))
    shut = await error_of(events_of(by))
    assert (shut.code, shut.retry_after_s, len(ups.order)) == ("model_unavailable", 10, 3)
    await asyncio.sleep(10)
    await error_of(events_of(by))  # the probe
    await error_of(events_of(by))
    assert len(ups.order) == 4
    await asyncio.sleep(20)
    await events_of(by)
    await events_of(by)
    assert (len(ups.order), by.standing()[0].breaker) == (6, "closed")


async def test_one_call_that_is_too_much_for_an_upstream_does_not_shut_it_for_the_others() -> None:
    ups = Upstreams(RetryTable(tries=3, breaker_failures=5, breaker_window_s=600))
    ups.add("a", *[[FAILED]] * 100)
    by = ups.router()
    for _ in range(4):
        await error_of(events_of(by))

    assert (len(ups.order), by.standing()[0].breaker) == (12, "closed")
    await error_of(events_of(by))
    assert (len(ups.order), by.standing()[0].breaker) == (13, "open")


async def test_a_wall_before_an_upstream_that_turns_calls_away_does_not_shut_it() -> None:
    ups = Upstreams(RetryTable(breaker_failures=1))
    ups.add("a", [UpstreamTurnedAway("a wall")], [UpstreamTurnedAway("a wall")])
    by = ups.router()
    for _ in range(2):
        await error_of(events_of(by))

    assert await events_of(by) == answer("a", served_by="a/m")


async def test_a_model_that_only_words_about_one_call_tell_to_be_missing_is_not_shut_for_the_others() -> None:
    ups = Upstreams(RetryTable(breaker_failures=2))
    told = ModelUnavailable("not served", passes=False, is_sure=False)
    ups.add("a", *[[told]] * 3)
    by = ups.router()
    for _ in range(3):
        await error_of(events_of(by))

    assert (len(ups.order), by.standing()[0].breaker) == (3, "closed")
    assert await events_of(by) == answer("a", served_by="a/m")


async def test_a_further_try_of_a_call_that_is_the_probe_decides() -> None:
    ups = Upstreams(RetryTable(tries=3, breaker_failures=1, breaker_open_s=10, first_pause_s=0.001))
    ups.add("a", [FAILED], [FAILED])
    ups.add("b", [UpstreamThrottled(retry_after_s=10)])
    by = ups.router()

    await error_of(events_of(by))
    assert (ups.order, by.standing()[0].breaker) == (["a", "b", "a"], "open")


async def test_the_log_tells_of_a_failed_try_without_the_words_of_the_upstream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "qwenport.routing")
    ups = Upstreams(RetryTable(breaker_failures=1))
    ups.add("a", [EngineFailed("could not render: my diagnosis")])
    ups.add("b")
    by = ups.router()

    await events_of(by)
    assert caplog.messages == [
        "`a/m` gets no calls for a while: engine_failed",
        f"request {chat_call().id}: try 1 at `a/m` failed (engine_failed)",
    ]


async def test_only_one_call_probes_and_the_others_go_elsewhere() -> None:
    ups, wait = Upstreams(RetryTable(breaker_failures=1, breaker_open_s=10)), Wait()
    ups.add("a", [FAILED], [wait, *answer("a", served_by="a/m")])
    ups.add("b")
    by = ups.router()
    await events_of(by)
    await asyncio.sleep(10)
    probe = asyncio.create_task(events_of(by))
    await wait.reached.wait()
    assert await events_of(by) == answer("b", served_by="b/m")
    assert by.standing()[0].breaker == "half_open"
    wait.go.set()
    assert await probe == answer("a", served_by="a/m")
    assert by.standing()[0].breaker == "closed"


async def test_a_probe_that_is_throttled_says_nothing_and_the_next_call_probes() -> None:
    ups = Upstreams(RetryTable(tries=1, breaker_failures=1, breaker_open_s=10))
    ups.add("a", [FAILED], [UpstreamThrottled()])
    by = ups.router()
    await error_of(events_of(by))
    await asyncio.sleep(10)
    await error_of(events_of(by))
    assert by.standing()[0].breaker == "half_open"
    await events_of(by)
    assert by.standing()[0].breaker == "closed"


async def test_a_probe_that_streams_closes_the_breaker_by_its_first_event_and_has_no_say_after_that() -> None:
    ups, waits = Upstreams(RetryTable(tries=1, breaker_failures=1, breaker_open_s=10)), [Wait(), Wait()]
    first = answer("a", served_by="a/m")[0]
    ups.add("a", [FAILED], [first, waits[0], FAILED], [FAILED], [waits[1], *answer("a", served_by="a/m")])
    by = ups.router()
    await error_of(events_of(by))
    await asyncio.sleep(10)
    stream = asyncio.create_task(events_of(by, streams=True))
    await waits[0].reached.wait()
    assert by.standing()[0].breaker == "closed"
    await error_of(events_of(by))
    await asyncio.sleep(20)
    probe = asyncio.create_task(events_of(by))
    await waits[1].reached.wait()
    waits[0].go.set()
    assert await error_of(stream) is FAILED
    assert by.standing()[0].breaker == "half_open"
    waits[1].go.set()
    await probe
    assert by.standing()[0].breaker == "closed"


async def test_a_probe_whose_client_leaves_makes_way_for_the_next() -> None:
    ups, wait = Upstreams(RetryTable(breaker_failures=1, breaker_open_s=10)), Wait()
    ups.add("a", [FAILED], [wait])
    ups.add("b")
    by = ups.router()
    await events_of(by)
    await asyncio.sleep(10)
    probe = asyncio.create_task(events_of(by))
    await wait.reached.wait()
    probe.cancel()
    await asyncio.wait((probe,))

    assert await events_of(by) == answer("a", served_by="a/m")
    assert ups.tried[2:] == [("a/m", "abandoned"), ("a/m", "ok")]


@pytest.mark.parametrize("where", ["at the engine", "in a pause", "in the queue"])
async def test_a_client_that_leaves_ends_everything_at_once(where: str) -> None:
    ups, wait = Upstreams(RetryTable(first_pause_s=1000, longest_pause_s=1000)), Wait()
    made = ups.add("a", [FAILED] if where == "in a pause" else [wait], slots=1)
    by = ups.router()
    holds = asyncio.create_task(events_of(by)) if where == "in the queue" else None
    for _ in range(5):
        await asyncio.sleep(0)
    call = asyncio.create_task(events_of(by))
    for _ in range(5):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait((call,))
    if holds is not None:
        assert by.rooms["a/m"].waiting == 0
        holds.cancel()
        await asyncio.wait((holds,))

    assert call.cancelled()
    assert (made.open_runs, by.rooms["a/m"].free, by.rooms["a/m"].waiting) == (0, 1, 0)


async def test_a_full_target_hands_over_to_a_free_one_and_where_all_are_full_the_first_free_one_takes_the_call() -> (
    None
):
    ups = Upstreams()
    waits = [Wait(), Wait()]
    ups.add("a", [waits[0], *answer("a")], slots=1)
    ups.add("b", [waits[1], *answer("b")], slots=1)
    by = ups.router()
    calls = [asyncio.create_task(events_of(by)) for _ in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert (ups.order, by.rooms["a/m"].waiting, by.rooms["b/m"].waiting) == (["a", "b"], 1, 1)
    waits[1].go.set()
    assert await calls[2] == answer("b", served_by="b/m")
    assert (by.rooms["a/m"].waiting, by.rooms["b/m"].free) == (0, 1)
    waits[0].go.set()
    await asyncio.gather(*calls)


async def holding(ups: Upstreams, by: Router, wait: Wait) -> asyncio.Task[list[Event]]:
    """Return a call that holds the room of the only target."""
    task = asyncio.create_task(events_of(by))
    await wait.reached.wait()
    return task


@pytest.mark.parametrize(("upstream", "code"), [(True, "upstream_throttled"), (False, "overloaded")])
@pytest.mark.parametrize("queue", [QueueTable(length=0), QueueTable(wait_s=5)])
async def test_a_call_that_finds_no_room_in_time_is_told_to_come_back(
    queue: QueueTable, upstream: bool, code: str
) -> None:
    ups, wait = Upstreams(queue=queue), Wait()
    ups.add("a", [wait, *answer("a")], slots=1, upstream=upstream)
    by = ups.router()
    held = await holding(ups, by, wait)
    error = await error_of(events_of(by))

    assert (error.code, error.retry_after_s, by.rooms["a/m"].waiting) == (code, 1, 0)
    wait.go.set()
    await held


async def test_calls_of_a_paced_upstream_go_one_after_the_other_instead_of_running_into_a_429() -> None:
    ups = Upstreams()
    ups.add("a", pace=Pace(account="a", model="m", requests_per_minute=60))
    by, began = ups.router(), ups.clock.monotonic()
    await asyncio.gather(*(events_of(by) for _ in range(5)))

    assert ups.clock.monotonic() - began == pytest.approx(4)


@pytest.mark.parametrize("streams", [False, True])
async def test_tokens_of_a_pace_are_taken_by_the_bound_and_corrected_by_what_was_used(streams: bool) -> None:
    ups = Upstreams()
    # A call is bounded by 100 tokens of input and 2,048 of the 5,000 of output, and uses 8.
    ups.add("a", pace=Pace(account="a", model="m", tokens_per_minute=60))
    by, began = ups.router(), ups.clock.monotonic()
    await events_of(by, streams=streams)
    await events_of(by, streams=streams)

    assert ups.clock.monotonic() - began == pytest.approx(8, abs=0.5)


async def test_targets_of_one_account_share_its_pace() -> None:
    ups = Upstreams()
    pace = Pace(account="shared", model="m", concurrency=1)
    wait = Wait()
    ups.add("a", [wait, *answer("a")], pace=pace)
    ups.add("b", pace=pace)
    by = ups.router()
    held = await holding(ups, by, wait)
    second = asyncio.create_task(events_of(by))
    for _ in range(10):
        await asyncio.sleep(0)
    assert ups.order == ["a"]
    wait.go.set()
    await asyncio.gather(held, second)
    assert len(ups.order) == 2


async def test_slots_of_the_house_are_divided_among_workers_that_share_nothing() -> None:
    ups = Upstreams()
    made = ups.add("a", upstream=False, slots=7)
    parts = RoutingParts(clock=ups.clock, bound=lambda _call, _card: (1, 1), workers=3)
    assert Router(ups.targets, lambda _: (), parts).rooms["a/m"].capacity == 2
    made.slots = 1
    assert Router(ups.targets, lambda _: (), parts).rooms["a/m"].capacity == 1


async def test_another_configuration_takes_over_while_calls_run_and_wait() -> None:
    ups, wait = Upstreams(), Wait()
    ups.add("a", [wait, *answer("a", served_by="a/m")], slots=1)
    by = ups.router()
    held = await holding(ups, by, wait)
    waits = asyncio.create_task(events_of(by))
    for _ in range(5):
        await asyncio.sleep(0)
    fresh = Upstreams()
    fresh.add("b")
    by.replace(fresh.targets, lambda _: (Route(targets=("b/m",)),))

    assert await waits == answer("b", served_by="b/m")
    assert list(by.engines) == ["b/m"]
    idle = asyncio.create_task(by.idle("a/m"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not idle.done()
    wait.go.set()
    assert await held == answer("a", served_by="a/m")
    await idle
    await by.idle("a/m")


async def test_a_turn_at_a_target_that_has_failed_meanwhile_is_passed_on() -> None:
    ups, wait = Upstreams(RetryTable(tries=1, breaker_failures=1)), Wait()
    made = ups.add("a", [wait, FAILED], slots=1)
    by = ups.router()
    held = await holding(ups, by, wait)
    waits = asyncio.create_task(events_of(by))
    for _ in range(5):
        await asyncio.sleep(0)
    assert by.rooms["a/m"].waiting == 1
    wait.go.set()

    assert await error_of(held) is FAILED
    assert (await error_of(waits)).code == "model_unavailable"
    assert (len(made.calls), by.rooms["a/m"].free) == (1, 1)


async def test_a_turn_at_a_target_that_was_taken_away_in_that_moment_is_passed_on() -> None:
    ups, fresh = Upstreams(), Upstreams()
    made = ups.add("a", slots=1)
    fresh.add("b")
    by = ups.router()
    room = by.rooms["a/m"]
    seat = room.try_take(1, 0)
    waits = asyncio.create_task(events_of(by))
    for _ in range(5):
        await asyncio.sleep(0)
    assert seat is not None
    seat.release()
    by.replace(fresh.targets, lambda _: (Route(targets=("b/m",)),))

    assert await waits == answer("b", served_by="b/m")
    assert (made.calls, room.free) == ([], 1)


async def test_a_target_that_stays_keeps_its_queue_and_its_figures() -> None:
    ups, wait = Upstreams(), Wait()
    ups.add("a", [wait, *answer("a")], slots=1)
    by = ups.router()
    held = await holding(ups, by, wait)
    by.replace(ups.targets, lambda _: (Route(targets=("a/m",)),))
    assert (by.rooms["a/m"].free, by.standing()[0].under_way, by.standing()[0].tries) == (0, 1, 1)
    wait.go.set()
    await held


async def test_a_call_that_began_before_a_reload_does_not_shut_what_the_reload_opened() -> None:
    ups, wait = Upstreams(), Wait()
    ups.add("a", [wait, UpstreamKeyRefused("the old key was refused")])
    by = ups.router()
    held = asyncio.create_task(events_of(by))
    await wait.arrives()
    by.replace(ups.targets, lambda _: (Route(targets=("a/m",)),), rekeyed={"a"})
    wait.go.set()
    await error_of(held)

    assert by.standing()[0].breaker == "closed"
    assert await events_of(by) == answer("a", served_by="a/m")


@pytest.mark.parametrize(
    ("rules", "rekeyed", "breaker"),
    [
        (RetryTable(tries=1, breaker_failures=1), (), "open"),
        (RetryTable(tries=2, breaker_failures=1), ("b",), "open"),
        (RetryTable(tries=1, breaker_failures=1), ("a",), "closed"),
        (RetryTable(tries=1, breaker_failures=2), (), "closed"),
    ],
    ids=["nothing", "other upstream, other tries", "its key", "the rules of breakers"],
)
async def test_a_reload_closes_a_breaker_only_where_what_it_was_opened_by_has_changed(
    rules: RetryTable, rekeyed: tuple[str, ...], breaker: str
) -> None:
    ups = Upstreams(RetryTable(tries=1, breaker_failures=1))
    ups.add("a", [UpstreamKeyRefused("the key was refused")])
    by = ups.router()
    await error_of(events_of(by))
    by.parts = replace_parts(by.parts, retries=rules)
    by.replace(ups.targets, lambda _: (Route(targets=("a/m",)),), rekeyed=rekeyed)

    assert by.standing()[0].breaker == breaker


async def test_a_reload_puts_another_budget_in_force_also_where_the_target_is_another() -> None:
    ups, fresh = Upstreams(RetryTable(budget_percent=20)), Upstreams()
    ups.add("a")
    fresh.add("a")
    by = ups.router()
    by.parts = replace_parts(by.parts, retries=RetryTable(budget_percent=0))
    by.replace(fresh.targets, lambda _: (Route(targets=("a/m",)),))

    assert by.lanes["a/m"].budget.percent == 0


async def test_how_a_target_stands_is_told_in_words_and_figures() -> None:
    ups = Upstreams(RetryTable(tries=1, breaker_failures=1))
    made = ups.add("a", [FAILED])
    by = ups.router()
    await error_of(events_of(by))
    made.state = Condition(state=EngineState.ENDED, reason="it does not answer")
    [standing] = by.standing()

    assert (standing.target, standing.upstream, standing.breaker) == ("a/m", "a", "open")
    assert standing.state == "ended: it does not answer; engine_failed"
    assert (standing.tries, standing.failures, standing.first_event_ms) == (1, {"engine_failed": 1}, None)


OUTCOMES = ["ok", "failed", "throttled", "gone", "refused", "key"]
MAKE: dict[str, Callable[[], list[Step]]] = {
    "failed": lambda: [EngineFailed("broke")],
    "throttled": lambda: [UpstreamThrottled(retry_after_s=3)],
    "gone": lambda: [UpstreamExhausted("in arrears")],
    "refused": lambda: [ContentBlocked()],
    "key": lambda: [UpstreamKeyRefused("refused")],
}


@settings(max_examples=150)
@given(
    outcomes=st.lists(st.lists(st.sampled_from(OUTCOMES), max_size=5), min_size=1, max_size=3),
    tries=st.integers(1, 5),
    streams=st.booleans(),
    call_s=st.sampled_from([2.0, 10.0, 600.0]),
)
def test_whatever_fails_a_call_ends_in_time_with_the_first_good_answer_or_the_right_error(
    outcomes: list[list[str]], tries: int, streams: bool, call_s: float
) -> None:
    async def run() -> None:
        ups, heard = Upstreams(RetryTable(tries=tries, first_pause_s=1, breaker_failures=50), call_s=call_s), Heard()
        for name, given_outcomes in zip("abc", outcomes, strict=False):
            scripts = [
                answer(name, served_by=f"{name}/m") if outcome == "ok" else MAKE[outcome]()
                for outcome in given_outcomes
            ]
            ups.add(name, *scripts)
        by, began = ups.router(), ups.clock.monotonic()
        ended: QwenportError | list[Event]
        try:
            ended = await events_of(by, streams=streams, heard=heard)
        except QwenportError as error:
            ended = error
        good = answer(ups.order[-1], served_by=f"{ups.order[-1]}/m")
        assert ended.code == ups.tried[-1][1] if isinstance(ended, QwenportError) else ended == good
        assert ups.clock.monotonic() - began <= call_s
        seen = [outcome for _, outcome in ups.tried]
        assert len(seen) <= tries
        assert not {"ok", "content_blocked", "upstream_key_refused"} & set(seen[:-1])
        ended_at = [target for target, outcome in ups.tried if outcome == "upstream_exhausted"]
        assert len(ended_at) == len(set(ended_at))
        firsts = list(dict.fromkeys(target for target, _ in ups.tried))
        assert [target for target, _ in ups.tried[: len(firsts)]] == firsts  # nobody twice before everybody once
        assert heard.told.count("restart") == len(seen) - 1
        assert all(room.free == room.capacity and not room.waiting for room in by.rooms.values())

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        runner.run(run())


async def test_a_key_that_fills_the_queue_keeps_nobody_else_out() -> None:
    ups, wait = Upstreams(queue=QueueTable(length=4)), Wait()
    ups.add("a", [wait, *answer("a", served_by="a/m")], slots=1)
    by = ups.router()
    held = await holding(ups, by, wait)
    floods = [asyncio.create_task(events_of(by, caller=replace(CALLER, key_id="flood"))) for _ in range(4)]
    await asyncio.sleep(0.001)
    other = asyncio.create_task(events_of(by, caller=replace(CALLER, key_id="other")))

    assert (await error_of(floods[3])).code == "upstream_throttled"
    assert (await error_of(events_of(by, caller=replace(CALLER, key_id="flood")))).code == "upstream_throttled"
    assert by.rooms["a/m"].waiting == 4
    wait.go.set()
    await asyncio.gather(held, other, *floods[:3])


async def test_priorities_of_keys_decide_who_waits_less() -> None:
    ups, wait = Upstreams(), Wait()
    ups.add("a", [wait, *answer("a")], slots=1)
    by = ups.router()
    held = await holding(ups, by, wait)
    done: list[str] = []

    async def call(key: str, priority: int) -> None:
        await events_of(by, caller=replace(CALLER, key_id=key, priority=priority))
        done.append(key)

    calls = [asyncio.create_task(call(key, priority)) for key, priority in (("low", -10), ("mid", 0), ("high", 10))]
    for _ in range(5):
        await asyncio.sleep(0)
    wait.go.set()
    await asyncio.gather(held, *calls)
    assert done == ["high", "mid", "low"]

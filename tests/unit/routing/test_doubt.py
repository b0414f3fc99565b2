"""A target that callers leave before it says a word comes after the others, and is still asked where there is none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from qwenport.core.errors import EngineFailed
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.route import Choice, Route
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.doubt import Doubt
from qwenport.routing.health import HealthKeeper
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Target
from qwenport.settings.configuration_file import RetryTable
from qwenport.testing.calls import CALLER, chat_call
from qwenport.testing.models import model_card
from qwenport.testing.quick_loop import LoopClock
from qwenport.testing.scripted_engine import ScriptedEngine, Step, Wait, answer

pytestmark = pytest.mark.anyio
RULES = RetryTable(breaker_open_s=10)


def left(doubt: Doubt, now: float, *waits: float) -> bool:
    for waited_s in waits:
        doubt.left(now, waited_s, is_trial=doubt.enter(now))
    return doubt.holds(now)


@pytest.mark.parametrize(
    ("usual", "waits", "is_cast"),
    [
        ([], [1.0, 1.0, 1.0], True),
        ([], [1.0, 1.0], False),
        ([], [0.9, 0.9, 0.9], False),
        ([], [0.4] * 100, False),
        ([], [60.0, 60.0], False),
        ([5.0], [10.0, 10.0, 10.0], True),
        ([5.0], [9.0, 9.0, 9.0], False),
        ([5.0], [4.9] * 100, False),
        ([0.1], [1.0, 1.0, 1.0], True),
    ],
)
def test_a_doubt_is_cast_by_waits_in_a_row_that_are_clearly_longer_than_usual(
    usual: Sequence[float], waits: Sequence[float], is_cast: bool
) -> None:
    doubt = Doubt(RULES)
    for seconds in usual:
        doubt.answered(seconds)

    assert left(doubt, 0.0, *waits) is is_cast


def test_a_word_in_between_begins_the_row_anew() -> None:
    doubt = Doubt(RULES)
    left(doubt, 0.0, 2.0, 2.0)
    doubt.answered(0.1)
    assert not left(doubt, 0.0, 2.0, 2.0)
    doubt.end()
    assert not left(doubt, 0.0, 2.0, 2.0)
    assert left(doubt, 0.0, 2.0)


def test_after_a_time_that_doubles_one_call_is_let_through_and_decides() -> None:
    told: list[int] = []
    doubt = Doubt(RULES, told.append)
    left(doubt, 0.0, 2.0, 2.0, 2.0)
    assert [doubt.holds(now) for now in (9.9, 10.0)] == [True, False]
    assert [doubt.enter(10.0), doubt.holds(10.0), doubt.enter(10.0)] == [True, True, False]
    doubt.left(12.0, 0.1, is_trial=True)
    assert (doubt.holds(12.0), doubt.enter(12.0)) == (False, True)
    doubt.left(14.0, 2.0, is_trial=True)
    assert [doubt.holds(now) for now in (33.9, 34.0)] == [True, False]
    doubt.answered(1.0)
    assert (doubt.is_cast, told) == (False, [3])


class Silent:
    """Hears everything, and says nothing."""

    def routed(self) -> None: ...
    def observe(self, event: object) -> None: ...
    def restart(self) -> None: ...


class House:
    """Two upstreams, the first of which says what the test scripts."""

    def __init__(self, choose: Choice = Choice.ORDERED, *, alone: bool = False) -> None:
        self.clock = LoopClock()
        self.waits: list[Wait] = []
        self.is_silent = True
        self.silent = ScriptedEngine(self._script, target="silent/m")
        self.well = ScriptedEngine(lambda _: answer("well", served_by="well/m"), target="well/m")
        engines = [self.silent] if alone else [self.silent, self.well]
        targets = [Target(engine=each, upstream=each.target.split("/")[0]) for each in engines]
        route = Route(targets=tuple(each.target for each in engines), choose=choose)
        parts = RoutingParts(clock=self.clock, bound=lambda _call, _card: (1, 1), retries=RULES)
        self.router = Router(targets, lambda _: (route,), parts)

    def _script(self, _prepared: object) -> Sequence[Step]:
        if not self.is_silent:
            return answer("silent", served_by="silent/m")
        self.waits.append(Wait())
        return [self.waits[-1], EngineFailed("never reached")]

    async def ask(self, patience_s: float) -> str:
        """Return who answers; nobody where the caller loses patience."""
        prepared = PreparedCall(call=chat_call(), max_input_tokens=1)
        try:
            async with asyncio.timeout(patience_s), self.router(CALLER, model_card(), prepared, Silent()) as given:
                return given.begun[0].served_by  # type: ignore[union-attr] # the first event is `Started`
        except TimeoutError:
            return ""


@pytest.mark.parametrize("choose", [Choice.ORDERED, Choice.LEAST_BUSY])
async def test_callers_who_give_up_first_lose_few_calls_to_a_target_that_hangs(
    choose: Choice, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(choose)
    with caplog.at_level(logging.WARNING):
        heard = [await house.ask(1.0) for _ in range(60)]

    assert (heard.count(""), heard.count("well/m")) == (3, 57)
    standing = house.router.standing()[0]
    assert (standing.breaker, standing.state) == ("closed", "ready; callers leave before it says a word")
    assert [record.getMessage() for record in caplog.records] == [
        "`silent/m` comes after the others for a while: callers left 3 times in a row before it said a word"
    ]


async def test_a_target_in_doubt_that_answers_takes_its_place_again() -> None:
    house = House()
    for _ in range(3):
        await house.ask(1.0)
    house.is_silent = False
    assert await house.ask(1.0) == "well/m"
    await asyncio.sleep(10)

    assert [await house.ask(1.0) for _ in range(3)] == ["silent/m"] * 3
    assert house.router.standing()[0].state == "ready"


async def test_a_target_in_doubt_is_asked_where_there_is_no_other() -> None:
    house = House(alone=True)
    for _ in range(5):
        await house.ask(1.0)
    house.is_silent = False

    assert await house.ask(1.0) == "silent/m"


async def test_who_leaves_without_a_word_raises_the_latency_of_the_target() -> None:
    house = House(Choice.LOWEST_LATENCY)
    await house.ask(60.0)
    lane = house.router.lanes["silent/m"]
    assert lane.first_event_s == pytest.approx(60.0)
    await house.ask(1.0)

    assert lane.first_event_s == pytest.approx(60.0)
    assert await house.ask(1.0) == "well/m"


async def test_an_upstream_with_a_target_in_doubt_is_asked_how_it_is_though_it_has_calls() -> None:
    house, asked = House(), []

    async def probe() -> Condition:
        asked.append("silent")
        return Condition(state=EngineState.READY)

    keeper = HealthKeeper(house.router, house.clock, probe_s=2)
    keeper.use({"silent": probe})
    for _ in range(3):
        await house.ask(1.0)
    await keeper.keep()

    assert asked == ["silent"]

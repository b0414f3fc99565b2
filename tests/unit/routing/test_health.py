"""Upstreams that no call tells about are asked how they are."""

from __future__ import annotations

import pytest

from qwenport.core.errors import EngineFailed
from qwenport.core.route import Route
from qwenport.engines.engine import Condition, EngineState
from qwenport.routing.breaker import BreakerState
from qwenport.routing.gauges import routing_gauges
from qwenport.routing.health import HealthKeeper, Probe
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.target import Target
from qwenport.settings.configuration_file import RetryTable
from qwenport.testing.clock import FakeClock
from qwenport.testing.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.anyio

WELL = Condition(state=EngineState.READY)
AWAY = Condition(state=EngineState.ENDED, reason="it does not answer")


class House:
    """Two models of one upstream, one of another, and an engine of the house, with upstreams that count who asks."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.asked: list[str] = []
        self.says: dict[str, Condition | Exception] = {"one": WELL, "two": WELL}
        self.engines = {
            target: ScriptedEngine(lambda _: [], target=target) for target in ("one/a", "one/b", "two/a", "llama/a")
        }
        targets = [
            Target(engine=engine, upstream="" if name.startswith("llama") else name.split("/")[0])
            for name, engine in self.engines.items()
        ]
        parts = RoutingParts(
            clock=self.clock,
            bound=lambda _call, _card: (1, 1),
            retries=RetryTable(breaker_failures=2, breaker_open_s=10),
        )
        self.router = Router(targets, lambda _: (Route(targets=tuple(self.engines)),), parts)
        self.keeper = HealthKeeper(self.router, self.clock, probe_s=30)
        self.keeper.use({"one": self._probe("one"), "two": self._probe("two")})

    def _probe(self, name: str) -> Probe:
        async def probe() -> Condition:
            self.asked.append(name)
            said = self.says[name]
            if isinstance(said, Exception):
                raise said
            return said

        return probe

    def breaker(self, target: str) -> BreakerState:
        """Return the state of a target's breaker."""
        breaker = self.router.lanes[target].breaker
        assert breaker is not None
        return breaker.state

    def cast_doubt(self, target: str) -> None:
        """Have callers leave a target without a word of it, so that it is in doubt for a long time."""
        doubt, now = self.router.lanes[target].doubt, self.clock.monotonic()
        assert doubt is not None
        for at in (now, now, now, now + 10, now + 30):
            doubt.left(at, 2.0, is_trial=doubt.enter(at))

    def in_doubt(self) -> list[str]:
        """Return the targets that come after the others for what callers who left say of them."""
        doubts = {name: lane.doubt for name, lane in self.router.lanes.items()}
        return [name for name, doubt in doubts.items() if doubt is not None and doubt.holds(self.clock.monotonic())]

    async def after(self, seconds: float) -> list[str]:
        """Return who is asked when the keeper looks after so many seconds."""
        self.clock.advance(seconds)
        self.asked.clear()
        await self.keeper.keep()
        return list(self.asked)


async def test_nobody_is_asked_at_the_start_and_idle_upstreams_once_in_a_while() -> None:
    house = House()

    assert [await house.after(seconds) for seconds in (0, 29, 1, 1, 28, 1)] == [
        [],
        [],
        ["one", "two"],
        [],
        [],
        [
            "one",
            "two",
        ],
    ]


async def test_an_upstream_that_has_calls_is_not_asked() -> None:
    house = House()
    house.router.lanes["one/b"].began(house.clock.monotonic() + 20)
    house.router.lanes["one/b"].ended()
    house.router.lanes["two/a"].began(house.clock.monotonic())

    assert await house.after(40) == []
    assert await house.after(20) == ["one"]


async def test_one_that_answers_gets_a_call_at_once_and_one_that_does_not_stays_shut() -> None:
    house = House()
    for target in ("one/a", "two/a"):
        breaker = house.router.lanes[target].breaker
        assert breaker is not None
        breaker.trip(house.clock.monotonic(), "its key is refused")
        house.cast_doubt(target)
    house.says["two"] = AWAY
    house.router.lanes["one/b"].began(house.clock.monotonic() + 29)

    assert await house.after(30) == ["one", "two"]
    assert [house.breaker(target) for target in ("one/a", "one/b", "two/a")] == [
        BreakerState.HALF_OPEN,
        BreakerState.CLOSED,
        BreakerState.OPEN,
    ]
    assert house.in_doubt() == ["two/a"]


async def test_one_that_is_only_in_doubt_stays_so_although_its_server_answers_when_it_is_asked() -> None:
    house = House()
    house.cast_doubt("one/a")

    assert await house.after(30) == ["one", "two"]
    assert house.in_doubt() == ["one/a"]


@pytest.mark.parametrize("says", [AWAY, EngineFailed("it does not answer")])
async def test_an_idle_upstream_that_does_not_answer_again_and_again_is_shut(says: Condition | Exception) -> None:
    house = House()
    house.says["two"] = says
    await house.after(30)
    assert house.breaker("two/a") is BreakerState.CLOSED
    await house.after(30)
    assert (house.breaker("two/a"), house.breaker("one/a")) == (BreakerState.OPEN, BreakerState.CLOSED)
    assert house.router.standing()[2].state == "ready; it does not answer"


async def test_an_upstream_that_calls_itself_unwell_is_asked_though_it_has_calls() -> None:
    house = House()
    house.engines["one/a"].state = AWAY
    for target in ("one/a", "two/a"):
        house.router.lanes[target].began(house.clock.monotonic() + 29)

    assert (await house.after(29), await house.after(1)) == ([], ["one"])


async def test_gauges_say_how_full_and_how_well_every_target_is() -> None:
    house = House()
    breaker = house.router.lanes["two/a"].breaker
    assert breaker is not None
    breaker.trip(0, "refused")
    house.router.lanes["one/a"].began(0)
    shown = {name: dict(values) for name, (_, values) in routing_gauges(house.router).items()}

    assert shown == {
        "qwenport_calls_waiting": dict.fromkeys(house.engines, 0),
        "qwenport_calls_under_way": {**dict.fromkeys(house.engines, 0), "one/a": 1},
        "qwenport_breaker_open": {"one/a": 0.0, "one/b": 0.0, "two/a": 1.0},
    }

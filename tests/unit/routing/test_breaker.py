"""The breaker of one target: when it opens, what passes then, when it closes."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from qwenport.routing.breaker import LONGEST_OPEN_S, Breaker, BreakerState
from qwenport.settings.configuration_file import RetryTable

RULES = RetryTable(breaker_failures=3, breaker_window_s=30, breaker_open_s=10)


def opened(at: float = 0.0) -> Breaker:
    """Return a breaker that opened at a moment."""
    breaker = Breaker(RULES)
    for _ in range(3):
        breaker.failed(at, "broke", is_probe=False)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker(RULES)
    for outcome in "ff.ff.ff":
        if outcome == "f":
            breaker.failed(1, "broke", is_probe=False)
        else:
            breaker.succeeded(1, is_probe=False)
    assert breaker.state is BreakerState.CLOSED
    breaker.failed(1, "broke", is_probe=False)
    assert (breaker.state.value, breaker.reason, breaker.opens_in(4)) == ("open", "broke", 7)


def test_failures_in_a_row_that_are_far_apart_do_not_open_it() -> None:
    breaker = Breaker(RULES)
    for at in (0, 20, 31, 51, 62):
        breaker.failed(at, "broke", is_probe=False)
    assert breaker.state.value == "closed"
    breaker.failed(81, "broke", is_probe=False)
    assert breaker.state.value == "open"


def test_more_than_half_of_the_calls_in_the_window_open_it() -> None:
    half, more = Breaker(RULES), Breaker(RULES)
    for at, outcome in enumerate(".f.f.f.f.f.f"):
        for breaker in (half, more):
            if outcome == "f":
                breaker.failed(at / 10, "broke", is_probe=False)
            else:
                breaker.succeeded(at / 10, is_probe=False)
    more.failed(1.2, "broke", is_probe=False)
    assert (half.state, more.state) == (BreakerState.CLOSED, BreakerState.OPEN)


def test_what_has_left_the_window_does_not_count() -> None:
    breaker = Breaker(RULES)
    for at, outcome in enumerate(".f.f.f.f.f.f"):
        if outcome == "f":
            breaker.failed(at / 10, "broke", is_probe=False)
        else:
            breaker.succeeded(at / 10, is_probe=False)
    breaker.failed(40, "broke", is_probe=False)
    assert breaker.state is BreakerState.CLOSED


def test_one_call_passes_when_its_time_is_over_and_closes_it() -> None:
    told: list[tuple[BreakerState, str]] = []
    breaker = Breaker(RULES, lambda state, reason: told.append((state, reason)))
    for _ in range(3):
        breaker.failed(0, "broke", is_probe=False)
    assert [breaker.may_pass(at) for at in (0, 9.9, 10)] == [False, False, True]

    assert breaker.enter(10)
    assert not breaker.may_pass(10)
    breaker.succeeded(11, is_probe=True)

    assert breaker.may_pass(11)
    assert told == [(BreakerState.OPEN, "broke"), (BreakerState.HALF_OPEN, "broke"), (BreakerState.CLOSED, "")]


def test_calls_that_began_before_it_opened_change_nothing() -> None:
    breaker = opened()
    breaker.succeeded(5, is_probe=False)
    assert breaker.state.value == "open"
    breaker.enter(10)
    breaker.succeeded(10, is_probe=False)
    breaker.failed(10, "broke", is_probe=False)
    assert breaker.state.value == "half_open"


def test_each_failed_probe_doubles_the_time_up_to_a_bound() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(7):
        waits.append(breaker.opens_in(now))
        now += waits[-1]
        assert breaker.enter(now)
        breaker.failed(now, "broke", is_probe=True)
    assert waits == [10, 20, 40, 80, 160, LONGEST_OPEN_S, LONGEST_OPEN_S]


def test_one_that_was_well_for_a_while_begins_again_and_one_that_was_not_goes_on() -> None:
    waits = []
    for well_s in (31, 29):
        breaker = opened()
        breaker.enter(10)
        breaker.succeeded(10, is_probe=True)
        for _ in range(3):
            breaker.failed(10 + well_s, "broke", is_probe=False)
        waits.append(breaker.opens_in(10 + well_s))
    assert waits == [10, 20]


def test_a_probe_that_tells_nothing_makes_way_for_the_next() -> None:
    breaker = opened()
    assert breaker.enter(10)
    breaker.leave(is_probe=True)
    assert breaker.enter(10)


def test_a_tripped_one_stays_open_for_long_unless_it_is_found_well() -> None:
    breaker = Breaker(RULES)
    breaker.trip(0, "the key is refused")
    assert (breaker.opens_in(0), breaker.reason) == (LONGEST_OPEN_S, "the key is refused")
    breaker.found_well()
    assert (breaker.state, breaker.enter(1)) == (BreakerState.HALF_OPEN, True)


def test_a_server_that_does_not_answer_counts_as_a_failure_and_keeps_an_open_one_open() -> None:
    breaker = Breaker(RULES)
    for at in range(3):
        breaker.found_unwell(at, "away")
    assert breaker.state is BreakerState.OPEN
    breaker.found_unwell(9, "away")
    assert breaker.opens_in(9) == 10


class BreakerMachine(RuleBasedStateMachine):
    """Calls begin and end in any order, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker(RULES)
        self.calls: list[bool] = []
        self.failures = 0

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def begin(self) -> None:
        if self.breaker.may_pass(self.now):
            self.calls.append(self.breaker.enter(self.now))

    @precondition(lambda self: self.calls)
    @rule(place=st.integers(0, 100), ending=st.sampled_from(["well", "badly", "left"]))
    def end(self, place: int, ending: str) -> None:
        is_probe = self.calls.pop(place % len(self.calls))
        before = self.breaker.state
        if ending == "well":
            self.breaker.succeeded(self.now, is_probe=is_probe)
        elif ending == "badly":
            self.failures += 1
            self.breaker.failed(self.now, "broke", is_probe=is_probe)
        else:
            self.breaker.leave(is_probe=is_probe)
        if self.breaker.state is BreakerState.CLOSED and before is not BreakerState.CLOSED:
            assert is_probe
            assert ending == "well"

    @rule()
    def find_well(self) -> None:
        self.breaker.found_well()

    @invariant()
    def at_most_one_probe_is_under_way(self) -> None:
        probes = sum(self.calls)
        assert self.breaker.state is not BreakerState.HALF_OPEN or probes <= 1 or not self.breaker.may_pass(self.now)

    @invariant()
    def nothing_is_shut_for_ever(self) -> None:
        assert self.breaker.opens_in(self.now) <= LONGEST_OPEN_S
        if self.breaker.state is BreakerState.OPEN:
            assert self.failures
            assert self.breaker.may_pass(self.now + LONGEST_OPEN_S)
        elif self.breaker.state is BreakerState.HALF_OPEN:
            assert self.breaker.may_pass(self.now) or any(self.calls)


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestBreaker = BreakerMachine.TestCase

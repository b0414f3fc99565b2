"""The pace of one upstream account and model within a process."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.routing.pacing import LocalPacer, LocalPermit
from qwenport.routing.target import Pace
from qwenport.testing.clock import FakeClock


def paced(*, share: float = 1.0, **limits: int | None) -> tuple[LocalPacer, FakeClock]:
    """Return a pacer of these limits, and its clock."""
    clock = FakeClock()
    return LocalPacer(Pace(account="account", model="model", **limits), clock, share=share), clock


def passes(pacer: LocalPacer, *, tokens: int = 0) -> bool:
    """Tell whether a call passes now; it stays under way."""
    return isinstance(pacer.take(1, tokens), LocalPermit)


def passed(pacer: LocalPacer, *, tokens: int = 0) -> int:
    """Return how many calls pass now."""
    found = 0
    while passes(pacer, tokens=tokens):
        found += 1
    return found


def next_wait(pacer: LocalPacer) -> float:
    """Let a call through, one after the other, until none passes, and return how long the next has to wait."""
    while isinstance(found := pacer.take(1, 0), LocalPermit):
        found.give_back()
    return found


@pytest.mark.parametrize(("per_minute", "burst"), [(1, 1), (30, 1), (60, 1), (600, 10), (6000, 100)])
def test_a_seconds_worth_of_requests_passes_at_once_and_at_least_one(per_minute: int, burst: int) -> None:
    pacer, _ = paced(requests_per_minute=per_minute)
    assert passed(pacer) == burst


def test_the_next_request_passes_when_its_part_of_the_minute_is_over() -> None:
    pacer, clock = paced(requests_per_minute=60)
    assert passed(pacer) == 1
    assert pacer.take(1, 0) == pytest.approx(1.0)
    clock.advance(1.001)
    assert passed(pacer) == 1


@given(st.sampled_from([1, 7, 60, 61, 119, 120, 600, 1000]), st.lists(st.floats(0, 20), max_size=100))
def test_no_minute_holds_more_requests_than_the_limit(per_minute: int, pauses: list[float]) -> None:
    pacer, clock = paced(requests_per_minute=per_minute)
    moments: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        moments += [clock.monotonic()] * passed(pacer)
    for end in moments:
        assert sum(end - 60 + 1e-6 < at <= end for at in moments) <= per_minute


def test_a_minute_that_begins_with_a_burst_holds_no_more_requests_than_any_other() -> None:
    pacer, clock = paced(requests_per_minute=600)
    moments: list[float] = []
    for _ in range(1400):
        moments += [clock.monotonic()] * passed(pacer)
        clock.advance(0.05)
    most = max(sum(end - 60 + 1e-6 < at <= end for at in moments) for end in moments)
    assert 590 <= most <= 600


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 100)), max_size=100))
def test_no_minute_holds_more_tokens_than_the_limit_of_calls_that_fit_a_burst(steps: list[tuple[float, int]]) -> None:
    pacer, clock = paced(tokens_per_minute=6000)
    taken: list[tuple[float, int]] = []
    for pause, tokens in steps:
        clock.advance(pause)
        taken += [(clock.monotonic(), tokens)] * passed(pacer, tokens=tokens)
    for end, _ in taken:
        assert sum(tokens for at, tokens in taken if end - 60 + 1e-6 < at <= end) <= 6000


def test_a_call_above_the_burst_passes_alone_and_the_rest_wait_for_it() -> None:
    pacer, clock = paced(tokens_per_minute=6000)
    assert passes(pacer, tokens=3000)
    assert pacer.take(1, 3000) == pytest.approx(30, rel=0.02)
    clock.advance(31)
    assert passes(pacer, tokens=3000)


def test_a_call_above_the_whole_minute_takes_the_minute() -> None:
    pacer, clock = paced(tokens_per_minute=6000)
    assert passes(pacer, tokens=1_000_000)
    clock.advance(62)
    assert passes(pacer, tokens=1)


def test_tokens_that_were_not_used_come_back() -> None:
    pacer, clock = paced(tokens_per_minute=6000)
    permit = pacer.take(1, 3000)
    assert isinstance(permit, LocalPermit)
    permit.used(100)
    permit.give_back()
    clock.advance(1.1)
    assert passes(pacer, tokens=100)


def test_tokens_beyond_the_bound_are_counted_too() -> None:
    pacer, clock = paced(tokens_per_minute=6000)
    permit = pacer.take(1, 100)
    assert isinstance(permit, LocalPermit)
    permit.used(3000)
    clock.advance(28)
    assert not passes(pacer, tokens=100)


def test_calls_at_a_time_are_bounded_and_a_place_that_is_given_back_is_told_of() -> None:
    pacer, _ = paced(concurrency=2)
    told: list[int] = []
    first = pacer.take(1, 0)
    assert passed(pacer) == 1
    assert pacer.take(1, 0) == math.inf
    pacer.watch(lambda: told.append(pacer.in_use))
    assert isinstance(first, LocalPermit)
    first.give_back()
    assert told == [1]
    assert passed(pacer) == 1


def test_a_share_of_a_pace_is_a_part_of_each_limit() -> None:
    many, _ = paced(requests_per_minute=6000, share=0.25)
    few, _ = paced(concurrency=8, share=0.25)
    assert (passed(many), passed(few)) == (25, 2)


def test_a_429_closes_the_pace_for_as_long_as_it_says() -> None:
    pacer, clock = paced()
    assert passes(pacer)
    pacer.throttled(7)
    assert (pacer.take(1, 0), pacer.opens_in()) == (7, 7)
    clock.advance(7)
    assert pacer.opens_in() == 0


def test_a_429_that_asks_for_more_than_a_minute_closes_it_for_a_minute() -> None:
    pacer, _ = paced()
    pacer.throttled(86_400)
    assert pacer.opens_in() == 60


def test_a_429_halves_the_pace_which_comes_back_evenly_within_a_minute() -> None:
    pacer, clock = paced(requests_per_minute=60)
    pacer.throttled(None)
    waits = []
    for pause in (0, 30, 60):
        clock.advance(pause)
        waits.append(next_wait(pacer))
        clock.advance(5)
    assert waits == [pytest.approx(2.0), pytest.approx(1 / (0.5 + 35 / 60), rel=0.1), pytest.approx(1.0)]


def test_one_429_among_many_answers_is_for_its_call_alone_and_several_mean_everybody() -> None:
    pacer, clock = paced(requests_per_minute=60)
    for _ in range(20):
        pacer.answered()
    assert [pacer.throttled(7) for _ in range(5)] == [False, False, False, False, True]
    assert pacer.opens_in() == 7
    clock.advance(60)
    pacer.answered()
    assert pacer.throttled(7)  # answers of a minute ago say nothing


def test_429s_of_calls_that_were_under_way_together_count_once() -> None:
    pacer, clock = paced(requests_per_minute=60)
    for _ in range(20):
        pacer.throttled(None)
    assert next_wait(pacer) == pytest.approx(2.0)
    clock.advance(1)
    pacer.throttled(None)
    clock.advance(1)
    assert next_wait(pacer) == pytest.approx(1 / ((0.5 + 1 / 60) / 2 + 1 / 60), rel=0.01)


def test_without_limits_a_429_halves_the_calls_at_a_time_for_a_while() -> None:
    pacer, clock = paced()
    permits = [pacer.take(1, 0) for _ in range(8)]
    pacer.throttled(None)
    for permit in permits:
        assert isinstance(permit, LocalPermit)
        permit.give_back()
    assert passed(pacer) == 4
    clock.advance(5)
    assert passed(pacer) == 2
    clock.advance(60)
    assert [passes(pacer) for _ in range(100)] == [True] * 100

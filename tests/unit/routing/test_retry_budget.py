"""How many further tries an upstream is sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwenport.routing.retry_budget import RESERVE, RetryBudget


def test_without_calls_there_is_a_small_reserve() -> None:
    budget, spent = RetryBudget(20), 0
    while budget.has_room(5.0):
        budget.retried(5.0)
        spent += 1
    assert spent == RESERVE


def test_calls_of_the_last_minute_add_their_part_and_no_longer() -> None:
    budget = RetryBudget(20)
    for _ in range(100):
        budget.called(0.5)
    for _ in range(RESERVE + 20):
        assert budget.has_room(59)
        budget.retried(59)
    assert (budget.has_room(59), budget.has_room(119)) == (False, True)


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200), st.integers(0, 100))
def test_no_minute_holds_more_retries_than_the_reserve_and_the_part_of_its_calls(
    steps: list[tuple[float, bool]], percent: int
) -> None:
    budget, now = RetryBudget(percent), 0.0
    calls: list[float] = []
    retries: list[float] = []
    for pause, is_call in steps:
        now += pause
        if is_call:
            budget.called(now)
            calls.append(now)
        elif budget.has_room(now):
            budget.retried(now)
            retries.append(now)
            lately = [sum(int(at) > int(now) - 60 for at in each) for each in (calls, retries)]
            assert lately[1] <= RESERVE + lately[0] * percent / 100 + 1

"""What lies in a window, against a model that remembers everything."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from qwenport.gate.sliding_window import GRAINS, Bucket, SlidingWindow

WIDTH = 1_000_000


def test_an_amount_is_in_the_window_until_a_whole_width_has_passed() -> None:
    window = SlidingWindow(WIDTH)
    window.add(100, 5)

    assert [window.look(100 + WIDTH - 1), window.look(100 + WIDTH)] == [5, 0]


def test_memory_is_bounded_however_much_comes() -> None:
    window = SlidingWindow(WIDTH)
    for moment in range(0, 2 * WIDTH, 20):
        window.look(moment)
        window.add(moment, 1)

    assert len(window._buckets) <= GRAINS + 1


def test_what_is_more_than_was_taken_counts_from_now_on_and_what_is_less_is_there_again_at_once() -> None:
    window = SlidingWindow(WIDTH)
    first = window.add(0, 10)
    second = window.add(WIDTH // 2, 10)
    window.correct(WIDTH - 1, first, 5)
    window.correct(WIDTH - 1, second, -7)

    assert window.look(WIDTH - 1) == 18
    assert window.look(WIDTH) == 8
    assert window.look(2 * WIDTH - 1) == 0


def test_a_correction_of_what_has_left_gives_nothing_back() -> None:
    window = SlidingWindow(WIDTH)
    first = window.add(0, 10)
    window.look(WIDTH)
    window.add(WIDTH, 4)
    window.correct(WIDTH, first, -10)

    assert window.look(WIDTH) == 4


def test_the_wait_is_until_enough_has_left() -> None:
    window = SlidingWindow(WIDTH)
    window.add(0, 3)
    window.add(200_000, 3)
    window.look(300_000)

    assert window.wait_us(300_000, 1, 6) == 700_000
    assert window.wait_us(300_000, 4, 6) == 900_000
    assert window.wait_us(300_000, 7, 6) == WIDTH


STEP = st.tuples(st.sampled_from(["take", "settle"]), st.integers(0, WIDTH // 3), st.integers(1, 8), st.integers(0, 9))


@settings(max_examples=300)
@given(cap=st.integers(0, 30), steps=st.lists(STEP, max_size=60))
def test_no_window_ever_holds_more_than_the_cap(cap: int, steps: list[tuple[str, int, int, int]]) -> None:
    """Time stands still in some steps; corrections downwards keep the bound, as settlements within a hold do."""
    window, now = SlidingWindow(WIDTH), 0
    entries: list[tuple[int, int, Bucket]] = []
    passed: list[list[int]] = []
    for kind, pause, amount, pick in steps:
        now += pause if pause > 1000 else 0
        if kind == "take":
            if window.look(now) + amount <= cap:
                entries.append((now, amount, window.add(now, amount)))
                passed.append([now, amount])
            else:
                # Nobody is refused whom the bound would let pass, but for one grain in which amounts are kept together.
                grain = WIDTH // GRAINS
                assert sum(each for moment, each in passed if moment > now - WIDTH - grain) + amount > cap
        elif entries:
            place = pick % len(entries)
            moment, held, bucket = entries[place]
            back = min(held, amount)
            window.correct(now, bucket, -back)
            if moment > now - WIDTH - WIDTH // GRAINS:
                passed[place][1] -= back
            entries[place] = (moment, held - back, bucket)
        for end, _ in passed:
            assert sum(each for moment, each in passed if end - WIDTH < moment <= end) <= cap

"""A run with an upstream that hangs and comes back tells what was not as it has to be."""

from __future__ import annotations

import pytest
from bench.hanging import Change, HangingResult, Part, Phase, problems_of
from bench.machine import Machine
from msgspec.structs import replace

from qwenport.testing.failover.judge import Ledger

WELL, HANGING, BACK = (
    Part(phase=phase, seconds=end, calls=100, answered=100, longest_s=3.9, anonymous_bytes=80 << 20, files=90)
    for phase, end in ((Phase.WELL, 10), (Phase.HANGING, 50), (Phase.BACK, 90))
)


def seen(*changes: tuple[float, str]) -> tuple[Change, ...]:
    return tuple(Change(seconds=at, state=state) for at, state in changes)


FOUND = HangingResult(
    date="2026-11-23T00:00:00+00:00",
    command="python -m bench.hanging",
    machine=Machine(
        cpu="c", cores=2, memory_gib=8.0, kernel="k", python="3.11.7", packages={}, nginx="", commit="none"
    ),
    most_s=5.6,
    hung_at=10,
    back_at=50,
    parts=(WELL, HANGING, BACK),
    changes=seen((1, "closed"), (40, "open"), (50, "half_open"), (54, "open"), (74, "half_open"), (75, "closed")),
    tries=(100, 200),
    books=Ledger(balanced=True, open_holds=0, unposted=0),
)


def but(*changes: tuple[float, str]) -> HangingResult:
    return replace(FOUND, changes=seen(*changes))


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        (FOUND, ()),
        (replace(FOUND, parts=(WELL, replace(HANGING, anonymous_bytes=84 << 20), BACK)), ()),
        (
            replace(FOUND, parts=(WELL, replace(HANGING, anonymous_bytes=85 << 20), BACK)),
            ("memory grew by 5.0 MiB",),
        ),
        (
            replace(FOUND, parts=(replace(WELL, anonymous_bytes=99 << 20), WELL, HANGING, BACK)),
            (),
        ),
        (
            replace(FOUND, parts=(WELL, HANGING, replace(BACK, answered=98))),
            ("2 of 300 calls were not answered",),
        ),
        (
            replace(FOUND, parts=(WELL, replace(HANGING, longest_s=5.7), BACK)),
            ("a call took 5.70 s, more than 5.6 s",),
        ),
        (
            but((1, "open"), (2, "closed"), (40, "open"), (50, "half_open"), (51, "closed")),
            ("the breaker was open before anything hung",),
        ),
        (but((1, "closed")), ("the breaker did not open within 30 s",)),
        (but((1, "closed"), (41, "open"), (50, "closed")), ("the breaker did not open within 30 s",)),
        (but((1, "closed"), (40, "open"), (50, "closed")), ("the breaker was never half open",)),
        (but((1, "closed"), (40, "open"), (50, "half_open")), ("the breaker stayed half_open",)),
    ],
)
def test_what_a_hanging_upstream_may_not_do_is_told(found: HangingResult, problems: tuple[str, ...]) -> None:
    assert problems_of(found) == problems


@pytest.mark.parametrize("fault", [{"balanced": False}, {"open_holds": 1}, {"unposted": 1}])
def test_books_that_are_not_complete_are_told(fault: dict[str, int | bool]) -> None:
    books = replace(FOUND.books, **fault)

    assert problems_of(replace(FOUND, books=books)) == (f"the books are not complete: {books}",)

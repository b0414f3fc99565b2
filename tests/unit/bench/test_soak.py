"""A soak tells what has grown."""

from __future__ import annotations

import pytest
from bench.machine import Machine
from bench.soak import Sample, SoakResult, problems_of, slope_an_hour
from msgspec.structs import replace

CALM = Sample(seconds=0, resident_bytes=160 << 20, anonymous_bytes=100 << 20, files=24, sockets=9, tasks=12, threads=3)
FOUND = SoakResult(
    date="2026-11-22T00:00:00+00:00",
    machine=Machine(
        cpu="c", cores=2, memory_gib=8.0, kernel="k", python="3.11.7", packages={}, nginx="", commit="none"
    ),
    minutes=60,
    saturation_calls_a_second=1000,
    saturation_streams_a_second=100,
    calls=1,
    streams=1,
    chunks=100,
    faults=0,
    whole_p99_ms=1,
    first_p99_ms=1,
    before=CALM,
    samples=(),
    after=CALM,
    growth_mib_an_hour=0.5,
    measured_after_s=600,
    problems=(),
)


def at(seconds: float, anonymous_bytes: int) -> Sample:
    return replace(CALM, seconds=seconds, anonymous_bytes=anonymous_bytes)


@pytest.mark.parametrize(
    ("samples", "an_hour"),
    [
        ((), 0.0),
        ((at(600, 5),), 0.0),
        ((at(600, 5), at(600, 9)), 0.0),
        ((at(600, 1000), at(1200, 1100), at(1800, 1200)), 600.0),
        ((at(600, 1000), at(1200, 1300), at(1800, 1000)), 0.0),
    ],
)
def test_growth_is_the_slope_of_the_line_through_the_samples(samples: tuple[Sample, ...], an_hour: float) -> None:
    assert slope_an_hour(samples) == pytest.approx(an_hour)


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        (FOUND, ()),
        (replace(FOUND, after=replace(CALM, files=40, threads=19)), ()),
        (replace(FOUND, faults=2), ("2 faults",)),
        (replace(FOUND, after=replace(CALM, files=41)), ("open files: 24 before, 41 after",)),
        (replace(FOUND, after=replace(CALM, sockets=10)), ("sockets: 9 before, 10 after",)),
        (replace(FOUND, after=replace(CALM, tasks=13)), ("tasks: 12 before, 13 after",)),
        (replace(FOUND, growth_mib_an_hour=1.0), ("memory grows by 1.00 MiB an hour",)),
        (replace(FOUND, growth_mib_an_hour=9.0, measured_after_s=60), ()),
    ],
)
def test_what_a_soak_may_not_leave_behind_is_told(found: SoakResult, problems: tuple[str, ...]) -> None:
    assert problems_of(found) == problems

"""Days and months of a time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from qwenport.core.limits import Window
from qwenport.gate.calendar import Calendar


def at(zone: str, *moment: int) -> float:
    return datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[misc, arg-type] # a date of any precision


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", (2026, 1, 31), 24),
        ("Asia/Shanghai", (2026, 12, 31), 24),
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Asia/Beirut", (2026, 3, 29), 23),
    ],
)
def test_a_day_is_as_long_as_the_zones_day(zone: str, day: tuple[int, int, int], hours: int) -> None:
    period = Calendar(ZoneInfo(zone)).period(Window.DAY, at(zone, *day, 12))

    assert period.id == "{:04d}-{:02d}-{:02d}".format(*day)
    assert period.end_s - period.begin_s == hours * 3600


@pytest.mark.parametrize(("month", "days"), [((2026, 2), 28), ((2028, 2), 29), ((2026, 12), 31)])
def test_a_month_ends_where_the_next_begins(month: tuple[int, int], days: int) -> None:
    calendar = Calendar(ZoneInfo("Asia/Shanghai"))
    period = calendar.period(Window.MONTH, at("Asia/Shanghai", *month, 15))

    assert period.id == "{:04d}-{:02d}".format(*month)
    assert period.end_s - period.begin_s == days * 86_400
    assert calendar.period(Window.MONTH, period.end_s).begin_s == period.end_s


def test_moments_at_the_edges_belong_to_one_day_each() -> None:
    calendar = Calendar(ZoneInfo("Asia/Shanghai"))
    midnight = at("Asia/Shanghai", 2026, 1, 2)
    days = [calendar.period(Window.DAY, moment).id for moment in (midnight - 0.001, midnight, midnight - 0.001)]

    assert days == ["2026-01-01", "2026-01-02", "2026-01-01"]

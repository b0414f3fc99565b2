"""Days of time zones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.metering.days import Days

ZONES = ("UTC", "Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe")


@given(
    zone=st.sampled_from(ZONES),
    at=st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2037, 12, 31), timezones=st.just(UTC)),
)
def test_a_moment_lies_on_the_day_that_the_calendar_says(zone: str, at: datetime) -> None:
    expected = at.astimezone(ZoneInfo(zone)).date().isoformat()

    assert Days(zone).of(int(at.timestamp() * 1000)) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_begins_where_the_one_before_ends(zone: str) -> None:
    days, day = Days(zone), date(2026, 11, 1)
    begin = days.begin(day)

    assert (days.of(begin), days.of(begin - 1)) == ("2026-11-01", "2026-10-31")
    assert (days.is_begin(begin), days.is_begin(begin + 1)) == (True, False)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "\0"])
def test_a_zone_that_there_is_not_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="is no known time zone"):
        Days(name)

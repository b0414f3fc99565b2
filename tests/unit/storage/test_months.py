"""Months in UTC, and the names of their tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.storage.months import calls_of, month_bounds, month_of, postings_of

FIRST = -62_135_596_800_000
LAST = 253_402_300_799_999 - 32 * 86_400_000


def test_a_month_begins_and_ends_at_midnight_in_utc() -> None:
    assert month_of(1_767_225_599_999) == "202512"
    assert month_of(1_767_225_600_000) == "202601"
    assert month_bounds("202512") == (1_764_547_200_000, 1_767_225_600_000)
    assert month_of(0) == "197001"


@given(st.integers(FIRST, LAST))
def test_every_moment_is_within_its_month(at_ms: int) -> None:
    first, after = month_bounds(month_of(at_ms))

    assert first <= at_ms < after
    assert month_of(first) == month_of(after - 1) == month_of(at_ms)


@pytest.mark.parametrize(
    "month",
    ["", "2026", "202613", "202600", "2026-1", "202601; DROP TABLE accounts", "\uff12\uff10\uff12\uff16\uff10\uff11"],
)
def test_what_is_no_month_names_no_table(month: str) -> None:
    for function in (calls_of, postings_of, month_bounds):
        with pytest.raises(ValueError, match="is no month; months are written as `202601`"):
            function(month)


def test_the_tables_of_a_month_have_its_name() -> None:
    assert (calls_of("202601").name, postings_of("202601").name) == ("calls_202601", "postings_202601")
    assert calls_of("202601") is calls_of("202601")

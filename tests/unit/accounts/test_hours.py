"""The hours of the day in which a key may be used."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qwenport.accounts import SettingInvalid
from qwenport.accounts.hours import checked_hours, open_hours
from qwenport.storage.records import KeyHours


@pytest.mark.parametrize(
    ("begin", "end", "days", "moments"),
    [
        # 2026-01-02 is a Friday; Shanghai is eight hours ahead of UTC.
        ("08:00", "20:00", (), {"2026-01-02T00:00": True, "2026-01-01T23:59": False, "2026-01-02T12:00": False}),
        ("08:00", "20:00", (5,), {"2026-01-02T00:00": True, "2026-01-02T11:59": True, "2026-01-03T00:00": False}),
        ("22:00", "06:00", (), {"2026-01-02T14:00": True, "2026-01-02T21:59": True, "2026-01-02T22:00": False}),
        ("22:00", "06:00", (5,), {"2026-01-02T14:00": True, "2026-01-02T21:59": True, "2026-01-01T21:59": False}),
        ("22:00", "06:00", (7,), {"2026-01-04T14:00": True, "2026-01-04T21:59": True, "2026-01-05T14:00": False}),
        ("12:00", "00:00", (), {"2026-01-02T15:59": True, "2026-01-02T16:00": False}),
    ],
)
def test_hours_contain_their_beginning_and_not_their_end(
    begin: str, end: str, days: tuple[int, ...], moments: dict[str, bool]
) -> None:
    hours = open_hours(KeyHours(begin=begin, end=end, timezone="Asia/Shanghai", days=days))

    assert {text: hours.contain(datetime.fromisoformat(text).replace(tzinfo=UTC)) for text in moments} == moments


def test_hours_follow_the_clock_of_the_wall() -> None:
    hours = open_hours(KeyHours(begin="08:00", end="09:00", timezone="Europe/Berlin"))

    moments = [datetime(2026, month, 1, hour, 30, tzinfo=UTC) for month, hour in ((1, 7), (7, 7), (7, 6))]
    assert [hours.contain(moment) for moment in moments] == [True, False, True]


def test_days_are_stored_in_order_and_once() -> None:
    checked = checked_hours(KeyHours(begin="08:00", end="09:00", timezone="UTC", days=(5, 1, 5)))

    assert (checked, checked_hours(None)) == (KeyHours(begin="08:00", end="09:00", timezone="UTC", days=(1, 5)), None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"begin": "8:00"}, "the beginning of a key's hours is '8:00'; write it like `08:00`"),
        ({"end": "24:00"}, "the end of a key's hours is '24:00'"),
        ({"begin": "٠٨:00"}, "the beginning of a key's hours"),
        ({"end": "08:00"}, "begin and end at `08:00`"),
        ({"days": (0,)}, "the days of a key's hours are `(0,)`"),
        ({"days": (8,)}, "give 1 for Monday to 7 for Sunday"),
        ({"timezone": "Mars/Base"}, "'Mars/Base' is no time zone"),
        ({"timezone": ""}, "is no time zone"),
        ({"timezone": "../etc/passwd"}, "is no time zone"),
        ({"timezone": "\x00"}, "is no time zone"),
        ({"timezone": "\ud800"}, "is no time zone"),
        ({"timezone": "Europe"}, "is no time zone"),
        ({"timezone": "z" * 10_000}, "is no time zone"),
    ],
)
def test_hours_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    fields: dict[str, object] = {"begin": "08:00", "end": "20:00", "timezone": "UTC", **settings}

    with pytest.raises(SettingInvalid) as refusal:
        checked_hours(KeyHours(**fields))  # type: ignore[arg-type]  # what is refused

    assert words in str(refusal.value)

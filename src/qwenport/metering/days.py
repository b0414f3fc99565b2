"""The days of a time zone, as the books cut them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from qwenport.storage.moments import milliseconds

_QUARTER_MS = 900_000
_REMEMBERED = 10_000


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; raises `ValueError` where there is none, in words."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!a} is no known time zone; name one like `Asia/Shanghai`") from error


class Days:
    """Tells the day of a moment; what was asked for is remembered by quarters of an hour, at which all zones change."""

    def __init__(self, timezone: str) -> None:
        self._zone = zone_named(timezone)
        self._known: dict[int, str] = {}

    def of(self, at_ms: int) -> str:
        """Return the day of a moment in milliseconds, as `2026-01-31`."""
        quarter = at_ms // _QUARTER_MS
        day = self._known.get(quarter)
        if day is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            at = datetime.fromtimestamp(quarter * _QUARTER_MS // 1000, UTC)
            day = self._known[quarter] = at.astimezone(self._zone).date().isoformat()
        return day

    def begin(self, day: date) -> int:
        """Return the first millisecond of a day."""
        return milliseconds(datetime(day.year, day.month, day.day, tzinfo=self._zone))

    def is_begin(self, at_ms: int) -> bool:
        """Tell whether a day begins at this millisecond."""
        return self.begin(date.fromisoformat(self.of(at_ms))) == at_ms


def next_day(day: date) -> date:
    """Return the day after."""
    return day + timedelta(days=1)

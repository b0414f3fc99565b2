"""Days and months of the calendar in one time zone, found without arithmetic on every call."""

from __future__ import annotations

from datetime import datetime, tzinfo

from msgspec import Struct

from qwenport.core.limits import Window

_DAY = Window.DAY  # a member that is looked up in its class costs as much as a call does


class Period(Struct, frozen=True, kw_only=True, gc=False):
    """One day or month; seconds since 1970 in UTC."""

    id: str
    """`2026-01-31` or `2026-01`."""
    begin_s: float
    end_s: float
    """First moment that does not belong any more."""


class Calendar:
    """Cuts time into days and months; the one found last is looked at first."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._day = Period(id="", begin_s=0.0, end_s=0.0)
        self._month = self._day

    def period(self, window: Window, at_s: float) -> Period:
        """Return the day or the month in which a moment lies."""
        if window is _DAY:
            if not self._day.begin_s <= at_s < self._day.end_s:
                self._day = self._find(window, at_s)
            return self._day
        if not self._month.begin_s <= at_s < self._month.end_s:
            self._month = self._find(window, at_s)
        return self._month

    def _find(self, window: Window, at_s: float) -> Period:
        local = datetime.fromtimestamp(at_s, self.zone)
        year, month, day = local.year, local.month, local.day
        if window is _DAY:
            return Period(
                id=f"{year:04d}-{month:02d}-{day:02d}",
                begin_s=self._midnight(year, month, day),
                end_s=self._midnight(year, month, day + 1),
            )
        return Period(
            id=f"{year:04d}-{month:02d}",
            begin_s=self._midnight(year, month, 1),
            end_s=self._midnight(year, month + 1, 1),
        )

    def _midnight(self, year: int, month: int, day: int) -> float:
        """Return the first moment of a day; a month 13 and a day after the last are those that follow."""
        if month > 12:
            year, month = year + 1, 1
        try:
            first = datetime(year, month, day, tzinfo=self.zone)
        except ValueError:
            return self._midnight(year, month + 1, 1)
        return first.timestamp()

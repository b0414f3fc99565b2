"""The hours of the day in which a key may be used."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.texts import shown
from qwenport.storage.records import KeyHours

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class OpenHours(Struct, frozen=True):
    """Hours made ready for checking."""

    begin: int
    """Minute of the day."""
    end: int
    """First minute that does not belong any more; before the beginning it is on the next day."""
    zone: ZoneInfo
    days: frozenset[int]
    """Days of the week on which they begin, 1 for Monday."""

    def contain(self, at: datetime) -> bool:
        """Tell whether a moment lies within."""
        local = at.astimezone(self.zone)
        minute, day = local.hour * 60 + local.minute, local.isoweekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        yesterday = day - 1 or 7
        return (day in self.days and minute >= self.begin) or (yesterday in self.days and minute < self.end)


def open_hours(hours: KeyHours) -> OpenHours:
    """Return stored hours made ready; raises `SettingInvalid` where they cannot be."""
    begin, end = _minute("beginning", hours.begin), _minute("end", hours.end)
    if begin == end:
        raise SettingInvalid(f"the hours of a key begin and end at `{hours.begin}`; leave them out for the whole day")
    if not set(hours.days) <= set(range(1, 8)):
        raise SettingInvalid(f"the days of a key's hours are `{hours.days}`; give 1 for Monday to 7 for Sunday")
    return OpenHours(begin, end, _zone(hours.timezone), frozenset(hours.days) or frozenset(range(1, 8)))


def checked_hours(hours: KeyHours | None) -> KeyHours | None:
    """Return hours in their stored form; raises `SettingInvalid`."""
    if hours is None:
        return None
    open_hours(hours)
    return KeyHours(begin=hours.begin, end=hours.end, timezone=hours.timezone, days=tuple(sorted(set(hours.days))))


def _minute(which: str, text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise SettingInvalid(f"the {which} of a key's hours is {shown(text)}; write it like `08:00`")
    return int(found[1]) * 60 + int(found[2])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # What is no name at all is looked for as a file, which fails in several ways.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingInvalid(
            f"{shown(name)} is no time zone; name one of the IANA database, such as `Asia/Shanghai`"
        ) from error

"""Printed dates read as year, month and day, where there is but one way to read them."""

from __future__ import annotations

import re
from datetime import date

from qwenport.documents.unreadable import UNREADABLE

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = rf"(?P<named>{'|'.join(_MONTHS)})[a-z]*"
_YEAR = r"(?<!\d)(?P<year>(?:19|20)\d{2})"
_END = r"(?!\d(?!\d:\d))"
"""No figure follows but those of a time, which may be printed right behind a year."""
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"民[国國]\s*(?P<republic>\d{2,3})\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})",
        rf"{_YEAR}\s*[-/.年]\s*(?P<month>\d{{1,2}})\s*[-/.月]\s*(?P<day>\d{{1,2}})(?!\d)",
        rf"{_YEAR}(?P<month>\d{{2}})(?P<day>\d{{2}})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s\-/.,]*{_NAMED}[\s\-/.,]*{_YEAR}{_END}",
        rf"{_NAMED}\W*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s,.]*{_YEAR}{_END}",
        rf"(?<!\d)(?P<first>\d{{1,2}})\s*[-/.]\s*(?P<second>\d{{1,2}})\s*[-/.]\s*{_YEAR}{_END}",
    )
)


def read_date(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day.

    None where there is no such day, a part of it cannot be read, or `03/04/2024` could be in March or April.
    """
    if UNREADABLE in text:
        return None
    for pattern in _PATTERNS:
        match = pattern.search(text)
        if match is not None:
            return _valid(match.groupdict())
    return None


def _valid(groups: dict[str, str | None]) -> tuple[int, int, int] | None:
    republic = groups.get("republic")
    year = int(republic) + 1911 if republic else int(groups["year"] or 0)
    named = groups.get("named")
    if groups.get("first"):
        order = _day_and_month(int(groups["first"] or 0), int(groups["second"] or 0))
        if order is None:
            return None
        day, month = order
    else:
        day = int(groups["day"] or 0)
        month = _MONTHS.index(named.lower()) + 1 if named else int(groups["month"] or 0)
    try:
        date(year, month, day)
    except ValueError:
        return None
    return year, month, day


def _day_and_month(first: int, second: int) -> tuple[int, int] | None:
    """Tell which of two numbers is the day; None where either may be."""
    if first > 12 or first == second:
        return first, second
    return (second, first) if second > 12 else None

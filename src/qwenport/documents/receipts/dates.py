"""Dates in recognised text, whose spaces may be missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from msgspec import Struct

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH = r"(?:" + "|".join(_MONTHS) + r")[A-Z]{0,6}"
_YEAR_LAST = re.compile(
    r"(?<![\d/.\-])(\d{1,2})\s?([/.\-])\s?(\d{1,2})\s?\2\s?((?:19|20)\d\d|\d\d)(?![/\-]\d)(?!\.\d{2}\b)"
)
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)\s?(?:[/.\-]|年)\s?(\d{1,2})\s?(?:[/.\-]|月)\s?([0-3]?\d)(?:\s?日)?")
_DAY_MONTH = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:ST|ND|RD|TH)?[\s/.\-]?({_MONTH})[\s/.\-,']{{0,2}}((?:19|20)\d\d|\d\d(?!\d))", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"({_MONTH})[\s/.\-]?(\d{{1,2}})(?:ST|ND|RD|TH)?[\s,/.\-]{{1,2}}((?:19|20)\d\d)", re.IGNORECASE
)
_REPUBLIC = re.compile(r"(?<!\d)(?:中[华華]民[国國]|民[国國])?\s?(\d{2,3})\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日")
_DIGITS = re.compile(r"(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?!\d)")

_IS_PIECE_BEFORE, _IS_PIECE_BEHIND = re.compile(r"\?\d*$"), re.compile(r"\d*\?")


class DateFound(Struct, frozen=True):
    """A date in a text."""

    start: int
    end: int
    day: date
    form: str
    """How it is written: `numeric`, `year_first`, `named` or `digits`."""


def dates_in(text: str) -> tuple[DateFound, ...]:
    """Return the dates of a text from left to right; day before month where both are possible."""
    found: list[DateFound] = []
    for one in _readings(text):
        if all(one.end <= other.start or one.start >= other.end for other in found):
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.start))


def _readings(text: str) -> Iterator[DateFound]:
    """Yield all that can be read as a date, the surest forms first."""
    for match in _YEAR_FIRST.finditer(text):
        yield from _dated(match, (match[1], match[2], match[3]), "year_first")
    for match in _REPUBLIC.finditer(text):
        yield from _dated(match, (str(int(match[1]) + 1911), match[2], match[3]), "year_first")
    for match in _DAY_MONTH.finditer(text):
        yield from _dated(match, (match[3], _number(match[2]), match[1]), "named")
    for match in _MONTH_DAY.finditer(text):
        yield from _dated(match, (match[3], _number(match[1]), match[2]), "named")
    for match in _YEAR_LAST.finditer(text):
        first, second = (match[3], match[1]) if int(match[3]) <= 12 else (match[1], match[3])
        yield from _dated(match, (match[4], first, second), "numeric")
    for match in _DIGITS.finditer(text):
        yield from _dated(match, (match[1], match[2], match[3]), "digits")


def _number(month: str) -> str:
    return str(_MONTHS.index(month[:3].upper()) + 1)


def _dated(match: re.Match[str], parts: tuple[str, str, str], form: str) -> Iterator[DateFound]:
    """Yield the date of year, month and day, where there is such a day and it is not a part of what was printed."""
    if _IS_PIECE_BEFORE.search(match.string[: match.start()]) or _IS_PIECE_BEHIND.match(match.string, match.end()):
        return
    year, month, day = (int(part) for part in parts)
    try:
        yield DateFound(match.start(), match.end(), date(year + 2000 if year < 100 else year, month, day), form)
    except ValueError:
        return

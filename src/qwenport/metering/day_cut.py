"""In which time zone the days of the books are cut, and cutting them anew when the server's zone has changed.

Only usage by day depends on the zone. The zone is kept in the state of the house; where none is, days are UTC's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

import msgspec
from msgspec import Struct, structs

from qwenport.metering.days import Days, next_day
from qwenport.storage import house_rows, months, usage_rows
from qwenport.storage.database import NO_TIMEOUT, Database
from qwenport.storage.records import UsageDay
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import COUNTS

log = logging.getLogger(__name__)

FIRST_ZONE = "UTC"
"""Of books that say nothing: they are new, or a version that did not say it has cut them."""

_STATE = "timezone"


class _Moved(Struct, frozen=True):
    """A time whose calls belong to another day now; milliseconds, the last one excluded."""

    since: int
    until: int
    old_day: str
    new_day: str


def cut_days_anew(database: Database, timezone: str) -> bool:
    """Bring the usage by day into the days of a time zone; return whether it was in those of another.

    Before anything is posted in the new zone. What the calls of each moved time consumed goes from one day to the
    other in one transaction, so that the books balance at every moment. Days of months whose calls are no longer kept
    stay as they are. Raises `StorageUnavailable`, and `ValueError` for an unknown zone.
    """
    with database.read() as transaction:
        cut_in = _zone_of(transaction)
    if cut_in == timezone:
        return False
    with database.write(timeout_s=NO_TIMEOUT) as transaction:
        # Somebody else may have done it meanwhile.
        cut_in = _zone_of(transaction)
        if cut_in == timezone:
            return False
        kept = months.months(transaction)
        if kept:
            log.warning(
                "days of the books were cut in %s and are cut anew in %s; this may take a minute", cut_in, timezone
            )
        for month in kept:
            _move(transaction, month, Days(cut_in), Days(timezone))
        usage_rows.drop_empty_days(transaction)
        house_rows.put(transaction, _STATE, msgspec.json.encode(timezone).decode())
    if kept:
        log.warning(
            "usage by day is now in days of %s; days of months that are no longer kept stay as they were", timezone
        )
    return True


def _zone_of(transaction: Transaction) -> str:
    stored = house_rows.find(transaction, _STATE)
    return FIRST_ZONE if stored is None else msgspec.json.decode(stored, type=str)


def _move(transaction: Transaction, month: str, old: Days, new: Days) -> None:
    for each in _moved(*months.month_bounds(month), old, new):
        rows = usage_rows.days_of_calls(transaction, month, each.since, each.until, each.new_day)
        usage_rows.add_days(transaction, rows)
        usage_rows.add_days(transaction, [_taken(row, each.old_day) for row in rows])


def _moved(since: int, until: int, old: Days, new: Days) -> Iterator[_Moved]:
    """Yield the times of a range that lie on another day now."""
    begins = {begin for days in (old, new) for begin in _begins(days, since, until)}
    for begin, end in pairwise(sorted(begins | {since, until})):
        if old.of(begin) != new.of(begin):
            yield _Moved(begin, end, old.of(begin), new.of(begin))


def _begins(days: Days, since: int, until: int) -> Sequence[int]:
    """Return the first milliseconds of the days that begin within a range."""
    day, begins = next_day(date.fromisoformat(days.of(since))), list[int]()
    while (begin := days.begin(day)) < until:
        begins.append(begin)
        day = next_day(day)
    return begins


def _taken(row: UsageDay, day: str) -> UsageDay:
    return structs.replace(row, day=day, **{name: -getattr(row, name) for name in COUNTS})

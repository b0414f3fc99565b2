"""From settlements to the books: all that a batch of calls means is written in one transaction.

Call history, postings, the sums of the ledger, usage by hour and day, and what was used of free quotas always agree.
Posting is idempotent by request id: the first settlement posted for a request counts, every other changes nothing.
The journal may therefore be replayed at will, by several processes at once too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache

from qwenport.core.ids import RequestId
from qwenport.metering.days import Days
from qwenport.metering.entry_of_call import Booked, booked
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Settlement
from qwenport.metering.roll_up import RollUp
from qwenport.storage import (
    balance_rows,
    call_rows,
    free_usage_rows,
    months,
    posting_rows,
    retention_rows,
    usage_rows,
)
from qwenport.storage.database import Database
from qwenport.storage.transaction import Transaction

log = logging.getLogger(__name__)

BATCH = 500
"""Settlements in one transaction: few enough that another writer waits for milliseconds only."""

_DAY_MS = 86_400_000


class Books:
    """Posts settlements; those that say no price are priced with the price book."""

    def __init__(self, database: Database, prices: PriceBook, *, timezone: str = "UTC") -> None:
        """Cut days in a time zone; raises `ValueError` where there is none of this name."""
        self._database = database
        self._prices = prices
        self._days = Days(timezone)

    def post(self, settlements: Sequence[Settlement]) -> int:
        """Write what is not in the books yet; return how many calls were new.

        A batch is written whole or not at all. Raises `StorageUnavailable`; the batches before the failing one stay.
        """
        new = 0
        for start in range(0, len(settlements), BATCH):
            new += self._post_batch(settlements[start : start + BATCH])
        return new

    def _post_batch(self, batch: Sequence[Settlement]) -> int:
        first_of_each: dict[RequestId, Settlement] = {}
        for settlement in batch:
            first_of_each.setdefault(settlement.hold.id, settlement)
        # In the order of their ids, so that no two who post the same calls wait for each other.
        calls = [booked(first_of_each[request_id], self._prices) for request_id in sorted(first_of_each)]
        by_month: dict[str, list[Booked]] = {}
        for each in calls:
            by_month.setdefault(_month_of_day(each.call.at // _DAY_MS), []).append(each)
        with self._database.append() as transaction:
            new = _write_calls(transaction, dict(sorted(by_month.items())))
            sums = RollUp(self._days)
            for each in new:
                sums.add(each)
            usage_rows.add_hours(transaction, sums.hours())
            usage_rows.add_days(transaction, sums.days())
            free_usage_rows.add(transaction, sums.free_tokens())
            # Last, because everybody who posts waits for the house's own balance until this transaction ends.
            balance_rows.use(transaction, sums.used())
        return len(new)


@lru_cache(maxsize=64)
def _month_of_day(day: int) -> str:
    """Return the month in UTC of a day, which is a number counted from the first of 1970."""
    return months.month_of(day * _DAY_MS)


def _write_calls(transaction: Transaction, by_month: Mapping[str, Sequence[Booked]]) -> list[Booked]:
    """Write calls and postings, and return those that were not there yet."""
    by_month = {month: calls for month, calls in by_month.items() if _is_open(transaction, month, len(calls))}
    for month in by_month:
        months.ensure(transaction, month)
    new: dict[str, list[Booked]] = {}
    for month, calls in by_month.items():
        written = call_rows.add_new(transaction, month, [each.call for each in calls])
        new[month] = [each for each in calls if each.call.request_id in written]
    for month, calls in new.items():
        posting_rows.add(transaction, month, [each.posting for each in calls])
    return [each for calls in new.values() for each in calls]


def _is_open(transaction: Transaction, month: str, calls: int) -> bool:
    """Tell whether calls of a month may be written; a journal that is read again may hold some of a dropped month.

    Whether they were posted nobody can tell any more. They nearly always were, and are not billed twice.
    """
    if months.exists(transaction, month) or month > retention_rows.latest_dropped(transaction):
        return True
    log.error("%d calls of the dropped month %s were passed over; they count as posted before", calls, month)
    return False

"""What an operator asks of the books: usage, and the history of calls."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.core.ids import RequestId
from qwenport.metering.call_report import MAX_CALLS, CallQuery, CallRow, call_report, calls_report
from qwenport.metering.queries import ReportInvalid
from qwenport.metering.usage_report import By, Order, UsageQuery, UsageRow, usage_report
from qwenport.storage.database import Database

__all__ = [
    "MAX_CALLS",
    "By",
    "CallQuery",
    "CallRow",
    "Order",
    "ReportInvalid",
    "Reports",
    "UsageQuery",
    "UsageRow",
]


class Reports:
    """Reads the books of one database; every method raises `StorageUnavailable` when it fails."""

    def __init__(self, database: Database, *, timezone: str = "UTC") -> None:
        """Take days as those of the server's time zone."""
        self._database = database
        self._timezone = timezone

    def usage(self, query: UsageQuery) -> Sequence[UsageRow]:
        """Return the usage in the order of its groups, or the greatest of them; raises `ReportInvalid`."""
        with self._database.read() as transaction:
            return usage_report(transaction, query, self._timezone)

    def calls(self, query: CallQuery) -> Sequence[CallRow]:
        """Return calls, newest first; raises `ReportInvalid`."""
        with self._database.read() as transaction:
            return calls_report(transaction, query)

    def call(self, request_id: RequestId) -> CallRow | None:
        """Return one call, None where the books do not know it; raises `ReportInvalid`."""
        with self._database.read() as transaction:
            return call_report(transaction, request_id)

"""Statements on the postings of calls, which lie in one table a month and are never changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from qwenport.core.ids import RequestId
from qwenport.storage.bulk import append
from qwenport.storage.months import postings_of
from qwenport.storage.records import Posting
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, month: str, postings: Sequence[Posting]) -> None:
    """Write the postings of calls that are new in this month."""
    append(transaction, postings_of(month), postings)


def holds(transaction: Transaction, month: str, request_ids: Sequence[RequestId]) -> dict[RequestId, int | None]:
    """Return what was held for these calls of a month, in nano-units."""
    columns = postings_of(month).c
    query = select(columns.request_id, columns.hold_nanos).where(columns.request_id.in_(request_ids))
    return {RequestId(row.request_id): row.hold_nanos for row in transaction.connection.execute(query)}

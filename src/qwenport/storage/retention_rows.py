"""Statements that let old months go without a difference in the books.

What a dropped month's calls cost is carried on as one entry of the ledger for each account and currency, and their
usage as rows of the hour -1, so that hours still add up to days. Free quotas keep rows of their own there: the grant
stands in the place of the key, and the model is named; all other usage of an account is one row without key and model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, delete, func, select

from qwenport.core.ids import AccountId, EntryId, KeyId
from qwenport.storage import house_rows
from qwenport.storage.entry_rows import CARRIED
from qwenport.storage.months import calls_of, month_bounds, postings_of
from qwenport.storage.records import LedgerEntry, UsageHour
from qwenport.storage.tables import AUDIT_LOG, USAGE_HOURS
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import CARRIED_HOUR, consumed

_DROPPED = "dropped_months"
"""Name in the state of the house."""


def cost_to_carry(transaction: Transaction, month: str, at: int) -> Sequence[LedgerEntry]:
    """Return the entries that stand for a month's postings from now on."""
    columns = postings_of(month).c
    dimensions = (columns.account_id, columns.debit, columns.credit, columns.currency)
    query = (
        select(*dimensions, func.sum(columns.amount_nanos))
        .group_by(*dimensions)
        .having(func.sum(columns.amount_nanos) > 0)
        .order_by(*dimensions)
    )
    return [_carried(row, month, at) for row in transaction.connection.execute(query)]


def _carried(row: Any, month: str, at: int) -> LedgerEntry:
    account_id, debit, credit, currency, nanos = row
    return LedgerEntry(
        # The time keeps apart what is carried of one month twice, where calls came late.
        id=EntryId(f"carried-{month}-{at}-{account_id}-{currency}"),
        at=at,
        kind=CARRIED,
        account_id=account_id,
        debit=debit,
        credit=credit,
        currency=currency,
        amount_nanos=int(nanos),
        request_id="",
        note=f"calls of {month[:4]}-{month[4:]}",
        actor="retention",
    )


def usage_to_carry(transaction: Transaction, month: str) -> Sequence[UsageHour]:
    """Return the rows that stand for a month's hourly usage from now on."""
    columns = calls_of(month).c
    free_model = case((columns.grant_id != "", columns.model), else_="").label("free_model")
    dimensions = (columns.account_id, columns.grant_id, free_model, columns.currency)
    cost = func.coalesce(columns.cost_nanos, 0)
    summed = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "image_tokens", "images", "pages")
    query = (
        select(
            *dimensions,
            func.count().label("requests"),
            func.sum(case((columns.cost_nanos.is_(None), 1), else_=0)).label("unpriced_requests"),
            *(func.sum(columns[name]).label(name) for name in summed),
            func.sum(cost).label("cost_nanos"),
        )
        .where(consumed(columns))
        .group_by(columns.account_id, columns.grant_id, "free_model", columns.currency)
    )
    return [_carried_usage(row, summed) for row in transaction.connection.execute(query)]


def _carried_usage(row: Any, summed: Sequence[str]) -> UsageHour:
    names = ("requests", "unpriced_requests", *summed, "cost_nanos")
    return UsageHour(
        hour=CARRIED_HOUR,
        account_id=AccountId(row.account_id),
        key_id=KeyId(row.grant_id),
        model=row.free_model,
        served_by="",
        currency=row.currency,
        **{name: int(getattr(row, name)) for name in names},
    )


def note_dropped(transaction: Transaction, month: str) -> None:
    """Remember that a month was let go; later ones win."""
    house_rows.put(transaction, _DROPPED, json.dumps(max(month, latest_dropped(transaction))))


def latest_dropped(transaction: Transaction) -> str:
    """Return the latest month that was let go; empty for none."""
    found = house_rows.find(transaction, _DROPPED)
    return "" if found is None else str(json.loads(found))


def delete_hours(transaction: Transaction, month: str) -> int:
    """Delete a month's hourly usage; return how many rows there were."""
    begin, end = month_bounds(month)
    column = USAGE_HOURS.c.hour
    statement = delete(USAGE_HOURS).where(column > CARRIED_HOUR, column >= begin, column < end)
    return transaction.connection.execute(statement).rowcount


def delete_changes(transaction: Transaction, before: int, limit: int) -> int:
    """Delete at most `limit` rows of the audit log from before a moment; return how many."""
    old = select(AUDIT_LOG.c.id).where(AUDIT_LOG.c.at < before).order_by(AUDIT_LOG.c.at).limit(limit)
    return transaction.connection.execute(delete(AUDIT_LOG).where(AUDIT_LOG.c.id.in_(old))).rowcount

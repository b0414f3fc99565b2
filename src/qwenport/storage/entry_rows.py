"""Statements on the ledger's movements that are no calls; the table is only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, func, insert, select, tuple_

from qwenport.core.ids import AccountId, EntryId, RequestId
from qwenport.storage.records import LedgerEntry
from qwenport.storage.tables import LEDGER_ENTRIES
from qwenport.storage.transaction import Transaction

CARRIED = "carried"
"""Kind of the sum of a month of calls that is no longer kept. It counts as use, not as a movement."""

_FIELDS = LedgerEntry.__struct_fields__


class EntryFilter(Struct, frozen=True, kw_only=True):
    """Which movements of one account to return; None does not restrict."""

    account_id: AccountId
    since: int | None = None
    """First millisecond that belongs."""
    until: int | None = None
    """First millisecond that does not belong any more."""
    before: EntryId | None = None
    """Only entries that come after this one in the newest-first order."""


def add(transaction: Transaction, entries: Sequence[LedgerEntry]) -> None:
    """Write new entries."""
    if entries:
        transaction.connection.execute(insert(LEDGER_ENTRIES), [msgspec.structs.asdict(entry) for entry in entries])


def find(transaction: Transaction, entry_id: EntryId) -> LedgerEntry | None:
    """Return one entry."""
    query = select(LEDGER_ENTRIES).where(LEDGER_ENTRIES.c.id == entry_id)
    row = transaction.connection.execute(query).one_or_none()
    return None if row is None else _record(row)


def returned(transaction: Transaction, request_ids: Sequence[RequestId]) -> dict[RequestId, int]:
    """Return how much of these calls' costs went back, in nano-units; calls without any such entry are left out."""
    columns = LEDGER_ENTRIES.c
    query = select(LEDGER_ENTRIES).where(columns.request_id.in_(request_ids))
    sums: dict[RequestId, int] = {}
    for entry in (_record(row) for row in transaction.connection.execute(query)):
        request_id = RequestId(entry.request_id)
        amount = entry.amount_nanos if entry.credit.startswith("customer:") else -entry.amount_nanos
        sums[request_id] = sums.get(request_id, 0) + amount
    return sums


def newest(transaction: Transaction, wanted: EntryFilter, limit: int) -> Sequence[LedgerEntry]:
    """Return at most `limit` movements of an account, newest first, without the sums of months."""
    columns = LEDGER_ENTRIES.c
    query = select(LEDGER_ENTRIES).where(columns.account_id == wanted.account_id, columns.kind != CARRIED)
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.before is not None:
        place = select(columns.at, columns.number).where(columns.id == wanted.before).scalar_subquery()
        query = query.where(tuple_(columns.at, columns.number) < place)
    ordered = query.order_by(columns.at.desc(), columns.number.desc()).limit(limit)
    return [_record(row) for row in transaction.connection.execute(ordered)]


def moved_before(transaction: Transaction, account_id: AccountId, customer: str, at: int) -> int:
    """Return what movements had brought an account before a moment, in nano-units."""
    columns = LEDGER_ENTRIES.c
    query = (
        select(columns.credit, func.sum(columns.amount_nanos))
        .where(columns.account_id == account_id, columns.kind != CARRIED, columns.at < at)
        .group_by(columns.credit)
    )
    # PostgreSQL sums integers of 64 bits as a decimal.
    sums = transaction.connection.execute(query)
    return sum(int(nanos) if credit == customer else -int(nanos) for credit, nanos in sums)


def _record(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(**{name: getattr(row, name) for name in _FIELDS})

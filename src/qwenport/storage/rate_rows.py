"""Statements on the table of exchange rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from qwenport.storage.moments import milliseconds
from qwenport.storage.records import RateRecord
from qwenport.storage.tables import EXCHANGE_RATES
from qwenport.storage.transaction import Transaction

_COLUMNS = EXCHANGE_RATES.c


def every(transaction: Transaction) -> Sequence[RateRecord]:
    """Return all rates, those of a pair together, oldest first."""
    query = select(EXCHANGE_RATES).order_by(_COLUMNS.base, _COLUMNS.quote, _COLUMNS.since)
    return [_record(row) for row in transaction.connection.execute(query)]


def find(transaction: Transaction, base: str, quote: str, since: str) -> RateRecord | None:
    """Return what a pair is exchanged at from exactly this day on."""
    query = select(EXCHANGE_RATES).where(_COLUMNS.base == base, _COLUMNS.quote == quote, _COLUMNS.since == since)
    row = transaction.connection.execute(query).one_or_none()
    return None if row is None else _record(row)


def put(transaction: Transaction, rate: RateRecord, at: datetime) -> None:
    """Write a rate, in the place of the one that begins on the same day."""
    remove(transaction, rate.base, rate.quote, rate.since)
    row = {
        "base": rate.base,
        "quote": rate.quote,
        "since": rate.since,
        "rate": rate.rate,
        "source": rate.source,
        "created_at": milliseconds(at),
    }
    transaction.connection.execute(insert(EXCHANGE_RATES), row)


def remove(transaction: Transaction, base: str, quote: str, since: str) -> None:
    """Delete the rate of a pair that begins on this day."""
    statement = delete(EXCHANGE_RATES)
    transaction.connection.execute(
        statement.where(_COLUMNS.base == base, _COLUMNS.quote == quote, _COLUMNS.since == since)
    )


def _record(row: Row[Any]) -> RateRecord:
    return RateRecord(base=row.base, quote=row.quote, since=row.since, rate=row.rate, source=row.source)

"""Letting go of what is old: whole months of calls, expired bodies, old rows of the audit log. Balances stay."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from qwenport.storage import body_rows, entry_rows, months, retention_rows, usage_rows
from qwenport.storage.database import Database
from qwenport.storage.moments import milliseconds

BATCH = 1_000
"""Rows that are deleted in one transaction."""


class Retained(Struct, frozen=True, kw_only=True):
    """What was let go."""

    months: tuple[str, ...] = ()
    """As `2026-01`."""
    hours: int = 0
    """Rows of hourly usage; days stay."""
    bodies: int = 0
    audit_rows: int = 0


def retain(
    database: Database, keep_months: int | None, now: datetime, *, keep_audit_months: int | None = None
) -> Retained:
    """Keep the present month and `keep_months` before it, and of the audit log as many as are named; None keeps all.

    Bodies go when their own time is over.

    A month goes in one transaction, and its costs and usage are carried on as sums in the same; so the books balance
    at every moment, and after a break the next time goes on.

    Raises `StorageUnavailable`, and `ValueError` for less than 0.
    """
    if any(kept is not None and kept < 0 for kept in (keep_months, keep_audit_months)):
        raise ValueError("the number of months to keep may not be below 0")
    old = () if keep_months is None else _before(database, _month_before(now, keep_months))
    now_ms = milliseconds(now)
    return Retained(
        months=tuple(f"{month[:4]}-{month[4:]}" for month in old),
        hours=sum(_drop(database, month, now_ms) for month in old),
        bodies=_prune_bodies(database, now_ms),
        audit_rows=0 if keep_audit_months is None else _prune_audit(database, now, keep_audit_months),
    )


def _before(database: Database, oldest: str) -> tuple[str, ...]:
    with database.read() as transaction:
        return tuple(month for month in months.months(transaction) if month < oldest)


def _drop(database: Database, month: str, now_ms: int) -> int:
    with database.write() as transaction:
        # Somebody else may have dropped it meanwhile, and nothing may be carried twice.
        if month not in months.months(transaction):
            return 0
        entry_rows.add(transaction, retention_rows.cost_to_carry(transaction, month, now_ms))
        usage_rows.add_hours(transaction, retention_rows.usage_to_carry(transaction, month))
        hours = retention_rows.delete_hours(transaction, month)
        months.drop(transaction, month)
        retention_rows.note_dropped(transaction, month)
    return hours


def _prune_bodies(database: Database, now_ms: int) -> int:
    total = 0
    while True:
        with database.write() as transaction:
            pruned = body_rows.prune(transaction, now_ms, BATCH)
        total += pruned
        if pruned < BATCH:
            return total


def _prune_audit(database: Database, now: datetime, keep_months: int) -> int:
    oldest = _month_before(now, keep_months)
    before, _ = months.month_bounds(oldest)
    total = 0
    while True:
        with database.write() as transaction:
            pruned = retention_rows.delete_changes(transaction, before, BATCH)
        total += pruned
        if pruned < BATCH:
            return total


def _month_before(now: datetime, count: int) -> str:
    """Return the month that lies so many before the present one, as `202601`; the first of all where none does."""
    present = now.astimezone(UTC)
    number = max(present.year * 12 + present.month - 1 - count, 12)
    return f"{number // 12:04d}{number % 12 + 1:02d}"

"""What changed in the database since a running gateway last looked."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from msgspec import Struct

from qwenport.accounts.errors import LimitUnknown
from qwenport.accounts.house import MaintenanceState, read_maintenance
from qwenport.accounts.limits import load_limits
from qwenport.core.limits import Limit
from qwenport.storage import account_rows, balance_rows, key_rows, member_rows, rate_rows, revision_rows
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord, Balance, KeyRecord, MemberRecord, RateRecord
from qwenport.storage.revision_rows import Counter
from qwenport.storage.transaction import Transaction

_log = logging.getLogger(__name__)


class Changes(Struct, frozen=True, kw_only=True):
    """What is newer than what was seen, all of one state of the database."""

    seen: Mapping[str, int]
    """To be handed in the next time."""
    keys: tuple[KeyRecord, ...] = ()
    """Deleted ones too."""
    accounts: tuple[AccountRecord, ...] = ()
    members: tuple[MemberRecord, ...] = ()
    """Removed ones too."""
    balances: tuple[Balance, ...] = ()
    limits: tuple[Limit, ...] | None = None
    """All of them; None where nothing changed."""
    rates: tuple[RateRecord, ...] | None = None
    """All of them; None where nothing changed."""
    maintenance: MaintenanceState | None = None
    """None where nothing changed."""


def read_changes(database: Database, seen: Mapping[str, int]) -> Changes:
    """Return what changed after the revisions that were seen; `{}` for everything.

    One query where nothing did. A limit of a kind that only a newer version knows raises `LimitUnknown` at the first
    reading; later it is logged, and the limits stay as they are.
    """
    with database.read() as transaction:
        numbers = revision_rows.current(transaction)
        if numbers == seen:
            return Changes(seen=numbers)
        return _read(transaction, numbers, seen)


def _read(transaction: Transaction, numbers: dict[str, int], seen: Mapping[str, int]) -> Changes:
    newer = {counter: seen.get(counter, 0) for counter in Counter if numbers.get(counter, 0) != seen.get(counter)}
    return Changes(
        seen=numbers,
        keys=tuple(key_rows.changed_since(transaction, newer[Counter.API_KEYS])) if Counter.API_KEYS in newer else (),
        accounts=(
            tuple(account_rows.changed_since(transaction, newer[Counter.ACCOUNTS])) if Counter.ACCOUNTS in newer else ()
        ),
        members=(
            tuple(member_rows.changed_since(transaction, newer[Counter.MEMBERS])) if Counter.MEMBERS in newer else ()
        ),
        balances=(
            tuple(balance_rows.changed_since(transaction, newer[Counter.BALANCES])) if Counter.BALANCES in newer else ()
        ),
        limits=_limits(transaction, is_first="limits" not in seen) if Counter.LIMITS in newer else None,
        rates=tuple(rate_rows.every(transaction)) if Counter.RATES in newer else None,
        maintenance=read_maintenance(transaction) if Counter.HOUSE_STATE in newer else None,
    )


def _limits(transaction: Transaction, *, is_first: bool) -> tuple[Limit, ...] | None:
    try:
        return load_limits(transaction)
    except LimitUnknown as error:
        if is_first:
            raise
        _log.error("the limits stay as they were: %s", error)
        return None

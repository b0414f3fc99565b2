"""Statements on the ledger, which is only ever added to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import insert

from qwenport.storage.records import LedgerEntry
from qwenport.storage.tables import LEDGER_ENTRIES
from qwenport.storage.transaction import Transaction


def add(transaction: Transaction, entries: Sequence[LedgerEntry]) -> None:
    """Write new entries; a request has at most one of each kind."""
    if entries:
        transaction.connection.execute(insert(LEDGER_ENTRIES), [msgspec.structs.asdict(entry) for entry in entries])

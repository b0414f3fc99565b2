"""A look at the books that costs little enough to be taken every few minutes: do the balances add up to nothing?

It reads one row for each ledger account. `metering/ledger.py` proves the rest, and reads every call.
"""

from __future__ import annotations

from collections import Counter

from qwenport.storage import balance_rows
from qwenport.storage.database import Database


def balances_add_up(database: Database) -> bool:
    """Tell whether what one ledger account lost another has got, in every currency; raises `StorageUnavailable`."""
    sums: Counter[str] = Counter()
    with database.read() as transaction:
        for balance in balance_rows.every(transaction):
            sums[balance.currency] += balance.nanos
    return not any(sums.values())

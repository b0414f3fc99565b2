"""Statements on the balances of the ledger's accounts, which are kept in the transaction that moves money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, select

from qwenport.storage.bulk import add_up
from qwenport.storage.records import Balance
from qwenport.storage.tables import BALANCES
from qwenport.storage.transaction import Transaction


class Used(Struct, frozen=True, kw_only=True, gc=False):
    """What calls take from a ledger account; below 0 for what they bring it."""

    ledger_account: str
    currency: str
    used_nanos: int
    moved_nanos: int = 0
    revision: int = 0


class Moved(Struct, frozen=True, kw_only=True, gc=False):
    """What a movement brings a ledger account; below 0 for what it takes."""

    ledger_account: str
    currency: str
    moved_nanos: int
    used_nanos: int = 0
    revision: int = 0


def use(transaction: Transaction, sums: Sequence[Used]) -> None:
    """Add what calls took; no revision is taken, because gateways count their own calls."""
    add_up(transaction, BALANCES, sums, ("used_nanos",))


def move(transaction: Transaction, sums: Sequence[Moved], revision: int) -> None:
    """Add what a movement brought, under the next revision of the balances."""
    add_up(transaction, BALANCES, sums, ("moved_nanos",))
    accounts = [each.ledger_account for each in sums]
    statement = BALANCES.update().where(BALANCES.c.ledger_account.in_(accounts)).values(revision=revision)
    transaction.connection.execute(statement)


def find(transaction: Transaction, ledger_account: str, currency: str) -> Balance:
    """Return a balance; one that nothing has moved yet is 0."""
    query = select(BALANCES).where(BALANCES.c.ledger_account == ledger_account, BALANCES.c.currency == currency)
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        return Balance(ledger_account=ledger_account, currency=currency, moved_nanos=0, used_nanos=0, revision=0)
    return _record(row)


def every(transaction: Transaction) -> Sequence[Balance]:
    """Return all balances."""
    query = select(BALANCES).order_by(BALANCES.c.ledger_account, BALANCES.c.currency)
    return [_record(row) for row in transaction.connection.execute(query)]


def changed_since(transaction: Transaction, revision: int) -> Sequence[Balance]:
    """Return the balances that movements have changed since, in the order of their changes."""
    query = select(BALANCES).where(BALANCES.c.revision > revision).order_by(BALANCES.c.revision)
    return [_record(row) for row in transaction.connection.execute(query)]


def _record(row: Row[Any]) -> Balance:
    return Balance(
        ledger_account=row.ledger_account,
        currency=row.currency,
        moved_nanos=row.moved_nanos,
        used_nanos=row.used_nanos,
        revision=row.revision,
    )

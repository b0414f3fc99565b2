"""The check of the books: call history, ledger and hourly usage must tell the same."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from qwenport.core.ids import AccountId
from qwenport.metering.reports import decimal_amount
from qwenport.storage import audit_rows
from qwenport.storage.audit_rows import BookSum, Sums
from qwenport.storage.database import Database
from qwenport.storage.transaction import Transaction

MAX_LISTED = 20
"""How many contradicting calls of a kind are named; the sums cover all."""


class AccountTotal(Struct, frozen=True, kw_only=True):
    """What the calls of one account cost in one currency."""

    account_id: AccountId
    currency: str
    requests: int
    unpriced_requests: int
    cost: str
    """Exact decimal amount of the priced requests."""


class LedgerCheck(Struct, frozen=True, kw_only=True):
    """What the check found; `open_holds` and `unposted` are no faults of the books and do not unbalance them."""

    balanced: bool
    open_holds: int
    """Calls that are running."""
    unposted: int
    """Settlements in the journal that the books do not hold yet."""
    calls: int
    totals: tuple[AccountTotal, ...]
    differences: tuple[str, ...]
    """What does not agree, in words; empty for books that balance."""


def check(database: Database, *, open_holds: int = 0, unposted: int = 0) -> LedgerCheck:
    """Compare the three books in one state of the database; the journal's two counts are handed in.

    Reads whole tables: seconds for millions of calls. Raises `StorageUnavailable`.
    """
    with database.read() as transaction:
        calls = audit_rows.call_sums(transaction)
        differences = tuple(_differences(transaction, calls))
    return LedgerCheck(
        balanced=not differences,
        open_holds=open_holds,
        unposted=unposted,
        calls=sum(each.requests for each in calls.values()),
        totals=tuple(_total(calls, key) for key in sorted(calls)),
        differences=differences,
    )


def _total(calls: Sums, key: tuple[AccountId, str]) -> AccountTotal:
    account_id, currency = key
    return AccountTotal(
        account_id=account_id,
        currency=currency,
        requests=calls[key].requests,
        unpriced_requests=calls[key].unpriced_requests,
        cost=decimal_amount(calls[key].cost_nanos),
    )


def _differences(transaction: Transaction, calls: Sums) -> Iterator[str]:
    yield from _unlike("ledger", calls, audit_rows.ledger_sums(transaction), ("requests", "cost_nanos"))
    consumed = audit_rows.consumed_sums(transaction)
    yield from _unlike("hourly usage", consumed, audit_rows.hour_sums(transaction), BookSum.__struct_fields__)
    for each in audit_rows.contradicted_calls(transaction, MAX_LISTED):
        yield (
            f"call `{each.request_id}` cost {decimal_amount(each.cost_nanos)}, "
            f"but the ledger has {each.entries} entries of {decimal_amount(each.posted_nanos)} for it"
        )
    for request_id in audit_rows.entries_without_call(transaction, MAX_LISTED):
        yield f"the ledger has an entry for `{request_id}`, which the call history does not know"


def _unlike(book: str, calls: Sums, others: Sums, fields: tuple[str, ...]) -> Iterator[str]:
    for key in sorted(calls.keys() | others.keys()):
        account_id, currency = key
        call, other = calls.get(key, BookSum()), others.get(key, BookSum())
        for field in fields:
            expected, found = getattr(call, field), getattr(other, field)
            if expected != found:
                yield (
                    f"account `{account_id}` in {currency}: {_words(field)} are {_amount(field, expected)} "
                    f"in the call history and {_amount(field, found)} in the {book}"
                )


def _words(field: str) -> str:
    return "costs" if field == "cost_nanos" else field.replace("_", " ")


def _amount(field: str, value: int) -> str:
    return decimal_amount(value) if field == "cost_nanos" else str(value)

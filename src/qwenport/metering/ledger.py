"""The check of the books: history, postings, entries, balances, usage and free quotas must tell the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from qwenport.core.ids import AccountId, GrantId
from qwenport.core.money import decimal_amount
from qwenport.storage import audit_rows, balance_rows, free_usage_rows, months
from qwenport.storage.audit_rows import BookSum, Flows, Sums, plus
from qwenport.storage.database import Database
from qwenport.storage.records import UsageCounts
from qwenport.storage.transaction import Transaction

MAX_LISTED = 20
"""How many contradicting calls of a kind and month are named; the sums cover all."""

_END_OF_TIME = 1 << 62
_Key = TypeVar("_Key")
_Free = dict[tuple[AccountId, GrantId, str], int]


class AccountTotal(Struct, frozen=True, kw_only=True):
    """What the calls of one account cost in one currency, as far as their months are kept."""

    account_id: AccountId
    currency: str
    requests: int
    unpriced_requests: int
    cost: str
    """Exact decimal amount of the priced requests."""


class LedgerCheck(Struct, frozen=True, kw_only=True):
    """What the check found."""

    balanced: bool
    """Whether nothing differs, no hold is stale, and, where no server runs, no settlement waits in a journal."""
    open_holds: int
    """Calls that are running."""
    stale_holds: int
    """Holds past their expiry that nobody settled."""
    unposted: int
    """Settlements in the journal that the books do not hold yet."""
    calls: int
    totals: tuple[AccountTotal, ...]
    differences: tuple[str, ...]
    """What does not agree, in words; empty for books that balance."""


def check(
    database: Database, *, open_holds: int = 0, stale_holds: int = 0, unposted: int = 0, running: bool = True
) -> LedgerCheck:
    """Compare all the books in one state of the database; what the journal says is handed in.

    Reads whole tables, month by month. Raises `StorageUnavailable`.
    """
    with database.read(timeout_s=0) as transaction:
        reading = _Reading(transaction)
        differences = tuple(reading.differences())
    return LedgerCheck(
        balanced=not differences and not stale_holds and (running or not unposted),
        open_holds=open_holds,
        stale_holds=stale_holds,
        unposted=unposted,
        calls=sum(each.calls for each in reading.calls.values()),
        totals=tuple(_total(reading.calls, key) for key in sorted(reading.calls)),
        differences=differences,
    )


class _Reading:
    """One look at all the books; sums grow from month to month."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.calls: Sums = {}
        self._postings: Flows = {}
        self._free: _Free = {}

    def differences(self) -> Iterator[str]:
        """Yield what does not agree."""
        kept = months.months(self._transaction)
        for month in kept:
            yield from self._month(month)
        yield from self._hours_without_calls(kept)
        hours = audit_rows.hour_sums(self._transaction, None, None)
        days = audit_rows.day_sums(self._transaction)
        yield from _unlike(("hourly usage", hours), ("daily usage", days), UsageCounts.__struct_fields__)
        yield from self._balances()
        yield from self._free_quotas()

    def _month(self, month: str) -> Iterator[str]:
        transaction = self._transaction
        begin, end = months.month_bounds(month)
        facts = audit_rows.month_facts(transaction, month)
        if facts.calls != facts.postings or facts.calls != facts.agreeing:
            yield from _contradictions(transaction, month)
        if facts.first is not None and facts.last is not None and not begin <= facts.first <= facts.last < end:
            yield f"month {month} holds calls of other months"
        calls = audit_rows.call_sums(transaction, month)
        hours = audit_rows.hour_sums(transaction, begin, end)
        yield from _unlike((f"call history of {month}", calls), ("hourly usage", hours), UsageCounts.__struct_fields__)
        for key, sums in calls.items():
            self.calls[key] = plus(self.calls[key], sums) if key in self.calls else sums
        _add(self._postings, audit_rows.posting_flows(transaction, month))
        _add(self._free, audit_rows.free_sums(transaction, month))

    def _hours_without_calls(self, kept: tuple[str, ...]) -> Iterator[str]:
        bounds = [months.month_bounds(month) for month in kept]
        begins = [begin for begin, _ in bounds] + [_END_OF_TIME]
        ends = [0] + [end for _, end in bounds]
        for since, until in zip(ends, begins, strict=True):
            rows = audit_rows.hours_between(self._transaction, since, until)
            if rows:
                yield f"{rows} rows of hourly usage lie in months whose calls are not kept"

    def _balances(self) -> Iterator[str]:
        used = _by_account(self._postings)
        _add(used, _by_account(audit_rows.entry_flows(self._transaction, carried=True)))
        moved = _by_account(audit_rows.entry_flows(self._transaction, carried=False))
        sums: dict[str, int] = {}
        for balance in balance_rows.every(self._transaction):
            key = (balance.ledger_account, balance.currency)
            sums[balance.currency] = sums.get(balance.currency, 0) + balance.nanos
            # Balances count what is used as a positive number.
            yield from _balance_differs(*key, "used by calls", balance.used_nanos, -used.pop(key, 0))
            yield from _balance_differs(*key, "moved by entries", balance.moved_nanos, moved.pop(key, 0))
        for ledger_account, currency in sorted(used.keys() | moved.keys()):
            yield f"`{ledger_account}` has postings or entries in {currency}, but no balance"
        for currency, nanos in sorted(sums.items()):
            if nanos:
                yield f"all balances in {currency} together are {decimal_amount(nanos)} instead of 0"

    def _free_quotas(self) -> Iterator[str]:
        _add(self._free, audit_rows.carried_free_sums(self._transaction))
        for each in free_usage_rows.every(self._transaction):
            tokens = self._free.pop((each.account_id, each.grant_id, each.model), 0)
            if tokens != each.tokens:
                yield (
                    f"grant `{each.grant_id}` of account `{each.account_id}` covered {tokens} tokens of "
                    f"`{each.model}` in the call history, and {each.tokens} are counted"
                )
        for account_id, grant_id, model in sorted(key for key, tokens in self._free.items() if tokens):
            yield f"grant `{grant_id}` of account `{account_id}` covered calls of `{model}` that are not counted"


def _total(calls: Sums, key: tuple[AccountId, str]) -> AccountTotal:
    account_id, currency = key
    return AccountTotal(
        account_id=account_id,
        currency=currency,
        requests=calls[key].calls,
        unpriced_requests=calls[key].unpriced_requests,
        cost=decimal_amount(calls[key].cost_nanos),
    )


def _contradictions(transaction: Transaction, month: str) -> Iterator[str]:
    for each in audit_rows.contradicted_calls(transaction, month, MAX_LISTED):
        cost = decimal_amount(each.cost_nanos)
        if each.posted_nanos is None:
            yield f"call `{each.request_id}` cost {cost}, but has no posting"
        else:
            posted = decimal_amount(each.posted_nanos)
            yield f"call `{each.request_id}` cost {cost}, but its posting (`{each.kind}`, {posted}) is of another call"
    for request_id in audit_rows.postings_without_call(transaction, month, MAX_LISTED):
        yield f"the ledger has a posting for `{request_id}`, which the call history of {month} does not know"


def _by_account(flows: Flows) -> dict[tuple[str, str], int]:
    """Return what came to each ledger account in each currency; what left it is below 0."""
    sums: dict[tuple[str, str], int] = {}
    for (debit, credit, currency), nanos in flows.items():
        for ledger_account, amount in ((debit, -nanos), (credit, nanos)):
            key = (ledger_account, currency)
            sums[key] = sums.get(key, 0) + amount
    return {key: nanos for key, nanos in sums.items() if nanos}


def _add(sums: dict[_Key, int], more: Mapping[_Key, int]) -> None:
    for key, amount in more.items():
        sums[key] = sums.get(key, 0) + amount


def _balance_differs(ledger_account: str, currency: str, what: str, kept: int, summed: int) -> Iterator[str]:
    if kept != summed:
        yield (
            f"`{ledger_account}` in {currency}: {decimal_amount(kept)} are kept as {what}, "
            f"and the ledger adds up to {decimal_amount(summed)}"
        )


def _unlike(one: tuple[str, Sums], other: tuple[str, Sums], fields: tuple[str, ...]) -> Iterator[str]:
    (first, first_sums), (second, second_sums) = one, other
    for key in sorted(first_sums.keys() | second_sums.keys()):
        account_id, currency = key
        expected, found = first_sums.get(key, BookSum()), second_sums.get(key, BookSum())
        for field in fields:
            if getattr(expected, field) != getattr(found, field):
                yield (
                    f"account `{account_id}` in {currency}: {_words(field)} are "
                    f"{_amount(field, getattr(expected, field))} in the {first} "
                    f"and {_amount(field, getattr(found, field))} in the {second}"
                )


def _words(field: str) -> str:
    return "costs" if field == "cost_nanos" else field.replace("_", " ")


def _amount(field: str, value: int) -> str:
    return decimal_amount(value) if field == "cost_nanos" else str(value)

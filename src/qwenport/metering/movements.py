"""Movements of money that are no calls: credits, debits, refunds, corrections, always by new entries of the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from qwenport.accounts.errors import AccountNotFound
from qwenport.core.caller import AccountState
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, EntryId, Ids, RequestId
from qwenport.core.money import decimal_amount
from qwenport.metering.amounts import AmountInvalid, amount_nanos
from qwenport.metering.ledger_accounts import ADJUSTMENTS, PAYMENTS, REVENUE, customer
from qwenport.metering.queries import check_range, moment_bound, readable
from qwenport.storage import account_rows, audit_log_rows, balance_rows, call_rows, entry_rows
from qwenport.storage.balance_rows import Moved
from qwenport.storage.database import Database
from qwenport.storage.entry_rows import EntryFilter
from qwenport.storage.moments import milliseconds, moment
from qwenport.storage.records import AccountRecord, CallRecord, LedgerEntry
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.transaction import Transaction

MAX_ENTRIES = 1_000
"""Entries in one answer; `before` leads on."""

LONGEST_NOTE = 500

_MOST_BALANCE_NANOS = 4_000_000_000_000_000_000
"""Far from the bounds of 64 bits, so that calls that run can still be posted."""


class MovementRefused(ValueError):
    """A movement cannot be made; the words are for the operator."""


class EntryRow(Struct, frozen=True, kw_only=True):
    """One movement as its customer sees it."""

    id: EntryId
    at: datetime
    kind: str
    """`credit`, `debit`, `refund` or `correction`."""
    account_id: AccountId
    amount: str
    """Exact decimal, below 0 for what was taken."""
    currency: str
    request_id: str
    """The call that is refunded or corrected; empty for none."""
    note: str
    actor: str


class BalanceRow(Struct, frozen=True, kw_only=True):
    """What an account has, calls included that are in the books; calls that run are not."""

    account_id: AccountId
    currency: str
    balance: str
    """Exact decimal, below 0 for what is owed."""


class Movements:
    """Moves money; each method is one transaction, with a row of the audit log in it.

    Every method raises `StorageUnavailable`, and `AccountNotFound` or `MovementRefused`.
    """

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def credit(  # noqa: PLR0913, PLR0917 - what a form asks for, each field by its name
        self,
        actor: str,
        account_id: AccountId,
        amount: Decimal | str,
        currency: str,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> EntryRow:
        """Put money on an account. The same key again changes nothing and returns the first entry."""
        return self._move(_Order("credit", actor, account_id, amount, currency, note, idempotency_key))

    def debit(  # noqa: PLR0913, PLR0917 - the same form
        self,
        actor: str,
        account_id: AccountId,
        amount: Decimal | str,
        currency: str,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> EntryRow:
        """Take money off an account, which may leave it owing; the key works as for a credit."""
        return self._move(_Order("debit", actor, account_id, amount, currency, note, idempotency_key))

    def refund(
        self, actor: str, request_id: RequestId, amount: Decimal | str | None = None, note: str = ""
    ) -> EntryRow:
        """Give a call's cost back, all that is left of it or a part; never more than that."""
        wanted = None if amount is None else _nanos(amount)
        with self._database.write() as transaction:
            call = _call(transaction, request_id)
            left = _left(transaction, call)
            nanos = left if wanted is None else wanted
            if left <= 0:
                raise MovementRefused(f"nothing is left to refund of call `{request_id}`")
            if nanos > left:
                raise MovementRefused(
                    f"of call `{request_id}` {decimal_amount(left)} {call.currency} are left to refund, "
                    f"not {decimal_amount(nanos)}"
                )
            return self._entry_of_call(transaction, actor, call, -nanos, "refund", note)

    def correct(self, actor: str, request_id: RequestId, cost: Decimal | str, note: str = "") -> EntryRow:
        """Move the difference between what a call ought to have cost and what it costs by now.

        For calls that were posted without a price, or by a wrong one; refunds and corrections so far are counted in.
        """
        try:
            right = amount_nanos(cost, zero=True)
        except AmountInvalid as error:
            raise MovementRefused(str(error)) from error
        with self._database.write() as transaction:
            call = _call(transaction, request_id)
            difference = right - _left(transaction, call)
            if difference == 0:
                raise MovementRefused(f"call `{request_id}` costs {decimal_amount(right)} {call.currency} already")
            return self._entry_of_call(transaction, actor, call, difference, "correction", note)

    def balance(self, account_id: AccountId) -> BalanceRow:
        """Return what an account has."""
        with self._database.read() as transaction:
            account = _account(transaction, account_id)
            balance = balance_rows.find(transaction, customer(account_id), account.currency)
        return BalanceRow(account_id=account_id, currency=account.currency, balance=decimal_amount(balance.nanos))

    def entries(
        self,
        account_id: AccountId,
        since: datetime | None = None,
        until: datetime | None = None,
        before: EntryId | None = None,
        limit: int = 50,
    ) -> Sequence[EntryRow]:
        """Return an account's movements, newest first; raises `ReportInvalid` for a range that is none."""
        check_range(since, until)
        if not 1 <= limit <= MAX_ENTRIES:
            raise MovementRefused(f"a list of entries may hold 1 to {MAX_ENTRIES}, not {limit}")
        wanted = EntryFilter(
            account_id=readable("account", account_id),
            since=moment_bound("since", since),
            until=moment_bound("until", until),
            before=readable("entry", before),
        )
        with self._database.read() as transaction:
            _account(transaction, account_id)
            if before is not None and entry_rows.find(transaction, before) is None:
                raise MovementRefused(f"`before` names `{before}`, which is no entry; begin with the newest again")
            return [entry_row(entry) for entry in entry_rows.newest(transaction, wanted, limit)]

    def _move(self, order: _Order) -> EntryRow:
        nanos = _nanos(order.amount)
        entry_id = EntryId(self._ids.short_id("ent")) if order.key is None else _keyed_id(order)
        with self._database.write() as transaction:
            account = _account(transaction, order.account_id)
            if order.currency != account.currency:
                raise MovementRefused(
                    f"account `{order.account_id}` is kept in {account.currency}, "
                    f"so {order.currency[:20]!a} cannot be moved on it"
                )
            debit, credit = PAYMENTS, customer(order.account_id)
            if order.kind == "debit":
                debit, credit = credit, ADJUSTMENTS
            entry = LedgerEntry(
                id=entry_id,
                at=milliseconds(self._clock.now()),
                kind=order.kind,
                account_id=order.account_id,
                debit=debit,
                credit=credit,
                currency=order.currency,
                amount_nanos=nanos,
                request_id="",
                note=_note(order.note),
                actor=order.actor,
            )
            known = entry_rows.find(transaction, entry_id)
            if known is not None:
                return entry_row(_same(known, entry))
            if order.kind == "credit" and account.terms.state is AccountState.CLOSED:
                raise MovementRefused(f"account `{order.account_id}` is closed and takes no more money")
            return self._write(transaction, entry)

    def _entry_of_call(  # noqa: PLR0913, PLR0917 - an entry's own fields
        self, transaction: Transaction, actor: str, call: CallRecord, more_nanos: int, kind: str, note: str
    ) -> EntryRow:
        """Write what a call costs its customer more, or less where it is below 0."""
        debit, credit = customer(call.account_id), REVENUE
        if more_nanos < 0:
            debit, credit = credit, debit
        entry = LedgerEntry(
            id=EntryId(self._ids.short_id("ent")),
            at=milliseconds(self._clock.now()),
            kind=kind,
            account_id=call.account_id,
            debit=debit,
            credit=credit,
            currency=call.currency,
            amount_nanos=abs(more_nanos),
            request_id=call.request_id,
            note=_note(note),
            actor=actor,
        )
        return self._write(transaction, entry)

    def _write(self, transaction: Transaction, entry: LedgerEntry) -> EntryRow:
        revision = next_revision(transaction, Counter.BALANCES)
        for ledger_account, nanos in ((entry.debit, -entry.amount_nanos), (entry.credit, entry.amount_nanos)):
            balance = balance_rows.find(transaction, ledger_account, entry.currency)
            if abs(balance.moved_nanos + nanos) > _MOST_BALANCE_NANOS:
                raise MovementRefused(
                    f"`{ledger_account}` would move beyond {decimal_amount(_MOST_BALANCE_NANOS)} {entry.currency}"
                )
        entry_rows.add(transaction, [entry])
        moved = [
            Moved(ledger_account=entry.debit, currency=entry.currency, moved_nanos=-entry.amount_nanos),
            Moved(ledger_account=entry.credit, currency=entry.currency, moved_nanos=entry.amount_nanos),
        ]
        balance_rows.move(transaction, moved, revision)
        row = entry_row(entry)
        audit_log_rows.note(
            transaction,
            at=self._clock.now(),
            actor=entry.actor,
            action=f"account.{entry.kind}",
            object_kind="entry",
            object_id=entry.id,
            account_id=entry.account_id,
            before=None,
            after={"amount": row.amount, "currency": row.currency, "request_id": row.request_id, "note": row.note},
        )
        return row


class _Order(Struct, frozen=True):
    """A credit or a debit as it was asked for."""

    kind: str
    actor: str
    account_id: AccountId
    amount: Decimal | str
    currency: str
    note: str
    key: str | None


def entry_row(entry: LedgerEntry) -> EntryRow:
    """Return an entry as its customer sees it."""
    taken = entry.debit == customer(entry.account_id)
    return EntryRow(
        id=entry.id,
        at=moment(entry.at),
        kind=entry.kind,
        account_id=entry.account_id,
        amount=decimal_amount(-entry.amount_nanos if taken else entry.amount_nanos),
        currency=entry.currency,
        request_id=entry.request_id,
        note=entry.note,
        actor=entry.actor,
    )


def _account(transaction: Transaction, account_id: AccountId) -> AccountRecord:
    account = account_rows.find(transaction, readable("account", account_id))
    if account is None:
        raise AccountNotFound(account_id)
    return account


def _call(transaction: Transaction, request_id: RequestId) -> CallRecord:
    call = call_rows.find(transaction, readable("request id", request_id))
    if call is None:
        raise MovementRefused(
            f"no call `{request_id}` is in the books; where its month was dropped, a credit or debit does the same"
        )
    return call


def _left(transaction: Transaction, call: CallRecord) -> int:
    """Return what a call costs by now, refunds and corrections counted in."""
    returned = entry_rows.returned(transaction, [call.request_id])
    return (call.cost_nanos or 0) - returned.get(call.request_id, 0)


def _nanos(amount: Decimal | str) -> int:
    try:
        return amount_nanos(amount)
    except AmountInvalid as error:
        raise MovementRefused(str(error)) from error


def _note(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise MovementRefused(f"a note may have {LONGEST_NOTE} characters, not {len(note)}")
    return readable("note", note)


def _keyed_id(order: _Order) -> EntryId:
    """Return the id that a key always leads to, so that the database itself keeps the second entry out."""
    words = f"{readable('account', order.account_id)}\0{readable('idempotency key', order.key)}"
    return EntryId(f"ent-{hashlib.sha256(words.encode()).hexdigest()[:32]}")


def _same(known: LedgerEntry, asked: LedgerEntry) -> LedgerEntry:
    alike = (known.kind, known.amount_nanos, known.currency, known.note)
    if alike != (asked.kind, asked.amount_nanos, asked.currency, asked.note):
        raise MovementRefused(
            f"this idempotency key was used for entry `{known.id}`, a {known.kind} of "
            f"{decimal_amount(known.amount_nanos)} {known.currency}; take another key for another movement"
        )
    return known

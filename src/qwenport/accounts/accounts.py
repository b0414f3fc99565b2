"""Accounts: made, listed, changed, switched off, closed.

Synchronous, as all services of this package: every method is one transaction, writes what it changed into the audit log
in that transaction, and raises `StorageUnavailable` when the database fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import structs

from qwenport.accounts.account_settings import (
    FREE_DAYS,
    ChangeAccount,
    CreateAccount,
    activated,
    changed,
    discounted,
    free_quota,
    new_account,
)
from qwenport.accounts.audit import MAX_PAGE, Deed, note_change
from qwenport.accounts.bootstrap import ADMIN_EMAIL, add_account, bootstrap
from qwenport.accounts.errors import ChangeDenied, EmailTaken, StillInUse
from qwenport.accounts.existing import existing_account, refuse_closed, require_level
from qwenport.accounts.keys import NewKey
from qwenport.accounts.making import Making
from qwenport.accounts.money import amount_in_words
from qwenport.accounts.roles import OPERATOR_ACTOR
from qwenport.accounts.texts import checked_number, refuse_unstorable
from qwenport.core.caller import AccountState, AccountTerms
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, Ids
from qwenport.core.secret import Secret
from qwenport.storage import account_rows, balance_rows
from qwenport.storage.account_rows import AccountFilter
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord
from qwenport.storage.transaction import Transaction

ChangeTerms = Callable[[AccountTerms], AccountTerms]


class Accounts:
    """The accounts of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def bootstrap(
        self, key: str | None, *, email: str = ADMIN_EMAIL, keep: Callable[[Secret], None] = lambda _: None
    ) -> NewKey | None:
        """Make the admin account and its first key where there is no account yet.

        A `key` is made to exist at every start, as it is and never twice; deleted or disabled since, it stays so.
        Returns a key only if it had to be invented; `keep` is given it before the database holds it, so that a
        process that dies, or cannot keep it, leaves no account behind whose key nobody has.
        Raises `SettingInvalid` for a key or an email of the wrong form.
        """
        return bootstrap(self._database, self._making(OPERATOR_ACTOR), key, email, keep)

    def create(self, actor: str, wish: CreateAccount) -> AccountRecord:
        """Make an account and its first workspace; raises `SettingInvalid`, `EmailTaken` or `LevelNotFound`."""
        making = self._making(actor)
        account = new_account(wish, making.at, self._ids)
        with self._database.write() as transaction:
            _refuse_collision(transaction, account)
            return add_account(transaction, making, account)

    def find(self, account_id: AccountId) -> AccountRecord:
        """Return an account; raises `AccountNotFound`."""
        with self._database.read() as transaction:
            return existing_account(transaction, account_id)

    def every(self, wanted: AccountFilter | None = None) -> Sequence[AccountRecord]:
        """Return the accounts that a filter lets through, oldest first; raises `SettingInvalid` for an odd filter."""
        wanted = wanted or AccountFilter()
        refuse_unstorable(*structs.astuple(wanted))
        if wanted.limit is not None:
            checked_number("length of a page", wanted.limit, least=1, most=MAX_PAGE)
        if wanted.email is not None:
            wanted = structs.replace(wanted, email=wanted.email.strip().lower())
        with self._database.read() as transaction:
            return account_rows.matching(transaction, wanted)

    def change(self, actor: str, account_id: AccountId, wish: ChangeAccount) -> AccountRecord:
        """Change an account.

        Raises `AccountNotFound`, `SettingInvalid`, `EmailTaken`, `LevelNotFound`, `Conflict` for a closed one, or
        `ChangeDenied` where a member asks for terms that the operator sets.
        """
        if actor != OPERATOR_ACTOR and wish.touches_terms:
            raise ChangeDenied("the kind and the level of an account are the operator's to set")
        return self._write(actor, account_id, "account.change", lambda account: changed(account, wish))

    def suspend(self, actor: str, account_id: AccountId) -> AccountRecord:
        """Refuse an account's calls until it is resumed; raises `AccountNotFound` or `Conflict`."""
        return self._to(actor, account_id, "account.suspend", AccountState.SUSPENDED)

    def put_in_arrears(self, actor: str, account_id: AccountId) -> AccountRecord:
        """Refuse an account's calls because money is owed; raises `AccountNotFound` or `Conflict`."""
        return self._to(actor, account_id, "account.arrears", AccountState.IN_ARREARS)

    def resume(self, actor: str, account_id: AccountId) -> AccountRecord:
        """Let an account call again; raises `AccountNotFound`, or `Conflict` for one that was closed."""
        return self._to(actor, account_id, "account.resume", AccountState.ACTIVE)

    def close(self, actor: str, account_id: AccountId) -> AccountRecord:
        """Close an account for good; its books stay. Raises `AccountNotFound`, or `StillInUse` with the balance."""
        with self._database.write() as transaction:
            account = existing_account(transaction, account_id)
            if account.terms.state is AccountState.CLOSED:
                return account
            _refuse_balance(transaction, account)
            closed = structs.replace(account, terms=structs.replace(account.terms, state=AccountState.CLOSED))
            return self._store(transaction, actor, "account.close", account, closed)

    def grant_free_quota(self, actor: str, account_id: AccountId, tokens: int, days: int = FREE_DAYS) -> AccountRecord:
        """Give free tokens of each model anew, whatever was left of earlier ones; 0 takes them away.

        Raises `SettingInvalid`, `AccountNotFound` or `Conflict`.
        """
        free = free_quota(tokens, days, self._clock.now(), self._ids)
        return self._terms(
            actor, account_id, "account.free_quota", lambda terms: structs.replace(terms, free_quota=free)
        )

    def set_free_tier_only(self, actor: str, account_id: AccountId, on: bool) -> AccountRecord:
        """Refuse calls beyond the free quota, or let them be paid for; raises `AccountNotFound` or `Conflict`."""
        return self._terms(
            actor, account_id, "account.free_tier_only", lambda terms: structs.replace(terms, free_tier_only=on)
        )

    def change_discounts(self, actor: str, account_id: AccountId, rates: Mapping[str, str | None]) -> AccountRecord:
        """Set the part of the list price that is billed, by model or `*`; None removes, what is not named stays.

        Raises `SettingInvalid`, `AccountNotFound` or `Conflict`.
        """
        return self._terms(actor, account_id, "account.discounts", lambda terms: discounted(terms, rates))

    def change_activation(
        self, actor: str, account_id: AccountId, *, models: Mapping[str, bool], regions: Mapping[str, bool]
    ) -> AccountRecord:
        """Let an account use models and regions, or not; what is not named stays. Whether they exist is not looked at.

        Raises `SettingInvalid`, `AccountNotFound` or `Conflict`.
        """
        return self._terms(actor, account_id, "account.activation", lambda terms: activated(terms, models, regions))

    def _making(self, actor: str) -> Making:
        return Making(actor=actor, at=self._clock.now(), ids=self._ids)

    def _to(self, actor: str, account_id: AccountId, action: str, state: AccountState) -> AccountRecord:
        return self._terms(actor, account_id, action, lambda terms: structs.replace(terms, state=state))

    def _terms(self, actor: str, account_id: AccountId, action: str, change: ChangeTerms) -> AccountRecord:
        return self._write(
            actor, account_id, action, lambda account: structs.replace(account, terms=change(account.terms))
        )

    def _write(
        self, actor: str, account_id: AccountId, action: str, change: Callable[[AccountRecord], AccountRecord]
    ) -> AccountRecord:
        with self._database.write() as transaction:
            before = refuse_closed(existing_account(transaction, account_id))
            wish = change(before)
            if wish == before:
                return before
            _refuse_collision(transaction, wish)
            return self._store(transaction, actor, action, before, wish)

    def _store(
        self, transaction: Transaction, actor: str, action: str, before: AccountRecord, wish: AccountRecord
    ) -> AccountRecord:
        after = account_rows.write(transaction, wish)
        deed = Deed(actor=actor, at=self._clock.now(), action=action, object_id=wish.id, account_id=wish.id)
        note_change(transaction, deed, before, after)
        return after


def _refuse_collision(transaction: Transaction, wish: AccountRecord) -> None:
    require_level(transaction, wish.terms.level)
    for other in account_rows.matching(transaction, AccountFilter(email=wish.email)):
        if other.id != wish.id:
            raise EmailTaken(f"the email address `{wish.email}` belongs to the account `{other.id}` already")


def _refuse_balance(transaction: Transaction, account: AccountRecord) -> None:
    balance = balance_rows.find(transaction, f"customer:{account.id}", account.currency)
    if balance.nanos:
        amount = amount_in_words(balance.nanos, balance.currency)
        way = "debit it once it is paid out" if balance.nanos > 0 else "credit it once it is paid"
        raise StillInUse(f"the account `{account.id}` has a balance of {amount}; {way}, then close the account")

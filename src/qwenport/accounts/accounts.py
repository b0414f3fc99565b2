"""Accounts and their API keys: made, listed, switched off, rotated, deleted.

Synchronous; every method is one transaction and raises `StorageUnavailable` when the database fails.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from qwenport.accounts.key_errors import AccountNotFound, KeyNotFound, KeySettingInvalid
from qwenport.accounts.keys import CreateKey, NewKey, chosen_key, hash_key, prefix_of, random_key, validated
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, Ids, KeyId
from qwenport.core.secret import Secret
from qwenport.storage import account_rows, key_rows
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord, KeyRecord
from qwenport.storage.transaction import Transaction

_log = logging.getLogger(__name__)

ADMIN_EMAIL = "admin@localhost"
ADMIN_CURRENCY = "CNY"
BOOTSTRAP_NAME = "bootstrap"


class Accounts:
    """The accounts and keys of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def bootstrap(self, key: str | None, *, email: str = ADMIN_EMAIL) -> NewKey | None:
        """Make the admin account and its first key where there is no account yet.

        A `key` is made to exist at every start, as it is and never twice; deleted or disabled since, it stays so.
        Returns a key only if it had to be invented. Raises `KeySettingInvalid` for a key of the wrong form.
        """
        chosen = None if key is None else chosen_key(key)
        with self._database.write() as transaction:
            accounts = account_rows.every(transaction)
            if chosen is not None:
                account_id = accounts[0].id if accounts else self._add_admin(transaction, email)
                self._ensure(transaction, account_id, chosen)
                return None
            if accounts:
                return None
            wish = CreateKey(account_id=self._add_admin(transaction, email), name=BOOTSTRAP_NAME)
            return self._add_key(transaction, wish, random_key())

    def create_key(self, wish: CreateKey) -> NewKey:
        """Make a random key; raises `KeySettingInvalid` or `AccountNotFound`."""
        checked = validated(wish, self._clock.now())
        with self._database.write() as transaction:
            return self._add_key(transaction, checked, random_key())

    def list_keys(self) -> Sequence[KeyRecord]:
        """Return the keys that were not deleted, oldest first."""
        with self._database.read() as transaction:
            return key_rows.living(transaction)

    def list_accounts(self) -> Sequence[AccountRecord]:
        """Return all accounts, oldest first."""
        with self._database.read() as transaction:
            return account_rows.every(transaction)

    def set_disabled(self, key_id: KeyId, disabled: bool) -> KeyRecord:
        """Switch a key off or on; raises `KeyNotFound`."""
        with self._database.write() as transaction:
            key = _living(transaction, key_id)
            if key.disabled == disabled:
                return key
            return key_rows.set_disabled(transaction, key_id, disabled=disabled)

    def rotate(self, key_id: KeyId, overlap: timedelta) -> NewKey:
        """Make a key with the same settings; the old one expires after the overlap, or when it would have anyway.

        Raises `KeyNotFound`, or `KeySettingInvalid` where the key is disabled, expired or rotated already.
        """
        now = self._clock.now()
        ends_at = _end_of_overlap(now, overlap)
        with self._database.write() as transaction:
            key = _living(transaction, key_id)
            _refuse_rotation(key, now)
            new = self._add_key(transaction, _settings_of(key), random_key())
            expires_at = ends_at if key.expires_at is None else min(ends_at, key.expires_at)
            key_rows.mark_rotated(transaction, key_id, to=new.id, expires_at=expires_at)
            return new

    def delete_key(self, key_id: KeyId) -> None:
        """Delete a key for good; raises `KeyNotFound`."""
        with self._database.write() as transaction:
            _living(transaction, key_id)
            key_rows.mark_deleted(transaction, key_id, self._clock.now())

    def changed_since(self, revision: int) -> Sequence[KeyRecord]:
        """Return the keys, deleted ones too, that changed after a revision (0 for all), in the order of changes."""
        with self._database.read() as transaction:
            return key_rows.changed_since(transaction, revision)

    def touch_last_used(self, last_used: Mapping[KeyId, datetime]) -> None:
        """Note when keys were last used; a time older than the one noted changes nothing, nor does an unknown id."""
        if last_used:
            with self._database.write() as transaction:
                key_rows.touch(transaction, last_used)

    def _add_admin(self, transaction: Transaction, email: str) -> AccountId:
        account = AccountRecord(
            id=self._ids.account_id(),
            email=email,
            name="admin",
            kind="metered",
            currency=ADMIN_CURRENCY,
            created_at=self._clock.now(),
        )
        account_rows.add(transaction, account)
        return account.id

    def _ensure(self, transaction: Transaction, account_id: AccountId, chosen: Secret) -> None:
        known = key_rows.find_by_digest(transaction, hash_key(chosen.reveal()))
        if known is None:
            self._add_key(transaction, CreateKey(account_id=account_id, name=BOOTSTRAP_NAME), chosen)
        elif known.deleted or known.disabled:
            # Reviving it would undo what an operator did, maybe because the key had leaked.
            state = "deleted" if known.deleted else "disabled"
            _log.warning("the bootstrap API key was %s as `%s` and stays so; choose another one", state, known.id)

    def _add_key(self, transaction: Transaction, wish: CreateKey, secret: Secret) -> NewKey:
        account = _account(transaction, wish.account_id)
        key = KeyRecord(
            id=self._ids.key_id(),
            account_id=account.id,
            currency=account.currency,
            name=wish.name,
            description=wish.description,
            digest=hash_key(secret.reveal()),
            prefix=prefix_of(secret),
            created_at=self._clock.now(),
            expires_at=wish.expires_at,
            disabled=False,
            deleted=False,
            last_used_at=None,
            models=wish.models,
            ip_ranges=wish.ip_ranges,
            rotates_to=None,
            revision=0,
        )
        return NewKey(id=key_rows.add(transaction, key).id, key=secret)


def _account(transaction: Transaction, account_id: AccountId | None) -> AccountRecord:
    if account_id is not None:
        account = account_rows.find(transaction, account_id)
        if account is None:
            raise AccountNotFound(account_id)
        return account
    accounts = account_rows.every(transaction)
    if not accounts:
        raise KeySettingInvalid("there is no account yet that the key could belong to; start the server once")
    return accounts[0]


def _living(transaction: Transaction, key_id: KeyId) -> KeyRecord:
    key = key_rows.find(transaction, key_id)
    if key is None or key.deleted:
        raise KeyNotFound(key_id)
    return key


def _end_of_overlap(now: datetime, overlap: timedelta) -> datetime:
    if overlap < timedelta(0):
        raise KeySettingInvalid(f"the overlap of a rotation is `{overlap}`; it must not be negative")
    try:
        return now + overlap
    except OverflowError as error:
        raise KeySettingInvalid(f"the overlap of a rotation is `{overlap}`; choose a shorter one") from error


def _refuse_rotation(key: KeyRecord, now: datetime) -> None:
    if key.rotates_to is not None:
        raise KeySettingInvalid(f"the key `{key.id}` was rotated already; rotate its successor `{key.rotates_to}`")
    if key.disabled:
        raise KeySettingInvalid(f"the key `{key.id}` is disabled; enable it first or create a new one")
    if key.expires_at is not None and key.expires_at <= now:
        raise KeySettingInvalid(f"the key `{key.id}` expired at `{key.expires_at.isoformat()}`; create a new one")


def _settings_of(key: KeyRecord) -> CreateKey:
    return CreateKey(
        account_id=key.account_id,
        name=key.name,
        description=key.description,
        expires_at=key.expires_at,
        models=key.models,
        ip_ranges=key.ip_ranges,
    )

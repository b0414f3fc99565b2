"""All keys that may be valid, in memory: the look-up on the path of a call touches no database."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.hours import OpenHours, open_hours
from qwenport.core.caller import Caller
from qwenport.core.ids import AccountId, KeyId
from qwenport.storage.records import AccountRecord, KeyRecord

_log = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RingKey(Struct, frozen=True, kw_only=True):
    """One key, made ready for checking."""

    caller: Caller
    disabled: bool
    expires_at: datetime | None
    networks: tuple[Network, ...]
    hours: OpenHours | None = None
    """When it may be used; None for always."""


class KeyRing:
    """Keys by the SHA-256 of the key; follows the database by what changed.

    Keys of suspended and closed accounts are found as well: whoever shows one is told what the matter is.
    """

    def __init__(self) -> None:
        self._by_digest: dict[str, RingKey] = {}
        self._keys: dict[AccountId, dict[KeyId, KeyRecord]] = {}
        self._accounts: dict[AccountId, AccountRecord] = {}
        self._used: dict[KeyId, datetime] = {}

    def find(self, digest: str) -> RingKey | None:
        """Return the key with this digest; deleted keys are not found."""
        return self._by_digest.get(digest)

    def caller(self, account_id: AccountId, key_id: KeyId) -> Caller | None:
        """Return who calls with a key; None for one that was deleted."""
        key = self._keys.get(account_id, {}).get(key_id)
        return None if key is None else self._by_digest[key.digest].caller

    def update(self, *, keys: Iterable[KeyRecord] = (), accounts: Iterable[AccountRecord] = ()) -> None:
        """Take in what changed, in the order of the changes; an account that changes changes all of its keys."""
        for account in accounts:
            self._accounts[account.id] = account
            for key in self._keys.get(account.id, {}).values():
                self._by_digest[key.digest] = ring_key(key, account)
        for key in keys:
            self._take(key)

    def note_use(self, key_id: KeyId, at: datetime) -> None:
        """Remember when a key was last used, until `take_uses`."""
        self._used[key_id] = at

    def take_uses(self) -> dict[KeyId, datetime]:
        """Return the uses since the last time this was asked."""
        used, self._used = self._used, {}
        return used

    def _take(self, key: KeyRecord) -> None:
        siblings = self._keys.setdefault(key.account_id, {})
        if key.deleted:
            siblings.pop(key.id, None)
            self._by_digest.pop(key.digest, None)
            return
        siblings[key.id] = key
        # A key is never read before its account: both are looked up in one state of the database.
        self._by_digest[key.digest] = ring_key(key, self._accounts[key.account_id])


def ring_key(key: KeyRecord, account: AccountRecord) -> RingKey:
    """Return what the gate needs of a stored key and its account."""
    hours, is_open = _hours(key)
    return RingKey(
        caller=Caller(
            key_id=key.id,
            account_id=key.account_id,
            workspace_id=key.workspace_id,
            currency=account.currency,
            models=key.models,
            terms=account.terms,
            bodies=key.bodies,
            regions=key.regions,
            priority=key.priority,
            cache_s=key.cache_s,
        ),
        disabled=key.disabled or not is_open,
        expires_at=key.expires_at,
        networks=tuple(ipaddress.ip_network(text) for text in key.ip_ranges),
        hours=hours,
    )


def _hours(key: KeyRecord) -> tuple[OpenHours | None, bool]:
    """Return a key's hours, and whether the key can be used at all."""
    if key.hours is None:
        return None, True
    try:
        return open_hours(key.hours), True
    except SettingInvalid as error:
        # The machine that stored them may have known more time zones. One such key must not keep the others from
        # being followed, nor be valid at all hours.
        _log.error("the key `%s` cannot be used here: %s", key.id, error)
        return None, False

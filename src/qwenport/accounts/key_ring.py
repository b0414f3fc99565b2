"""All keys that may be valid, in memory: the look-up on the path of a call touches no database."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from qwenport.core.caller import Caller
from qwenport.core.ids import KeyId
from qwenport.storage.records import KeyRecord

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RingKey(Struct, frozen=True, kw_only=True):
    """One key, made ready for checking."""

    caller: Caller
    disabled: bool
    expires_at: datetime | None
    networks: tuple[Network, ...]


class KeyRing:
    """Keys by the SHA-256 of the key; follows the database by revisions."""

    def __init__(self) -> None:
        self.revision = 0
        """The newest change that the ring has seen."""
        self._by_digest: dict[str, RingKey] = {}
        self._used: dict[KeyId, datetime] = {}

    def find(self, digest: str) -> RingKey | None:
        """Return the key with this digest; deleted keys are not found."""
        return self._by_digest.get(digest)

    def update(self, changes: Iterable[KeyRecord]) -> None:
        """Take in changes, in the order of their revisions."""
        for key in changes:
            if key.deleted:
                self._by_digest.pop(key.digest, None)
            else:
                self._by_digest[key.digest] = ring_key(key)
            self.revision = max(self.revision, key.revision)

    def note_use(self, key_id: KeyId, at: datetime) -> None:
        """Remember when a key was last used, until `take_uses`."""
        self._used[key_id] = at

    def take_uses(self) -> dict[KeyId, datetime]:
        """Return the uses since the last time this was asked."""
        used, self._used = self._used, {}
        return used


def ring_key(key: KeyRecord) -> RingKey:
    """Return what the gate needs of a stored key."""
    return RingKey(
        caller=Caller(key_id=key.id, account_id=key.account_id, currency=key.currency, models=key.models),
        disabled=key.disabled,
        expires_at=key.expires_at,
        networks=tuple(ipaddress.ip_network(text) for text in key.ip_ranges),
    )

"""Whose key a request shows: a look-up in memory, before the body is read."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import KeyInvalid, KeyMissing
from qwenport.core.ids import KeyId

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class KnownKey(Protocol):
    """What the gate must know of a key."""

    @property
    def caller(self) -> Caller:
        """Who calls with it."""
        ...

    @property
    def disabled(self) -> bool:
        """Whether it was switched off."""
        ...

    @property
    def expires_at(self) -> datetime | None:
        """From when on it is refused."""
        ...

    @property
    def networks(self) -> tuple[Network, ...]:
        """Addresses that may use it; empty for all."""
        ...


class KeyRing(Protocol):
    """All keys that may be valid, in memory."""

    def find(self, digest: str) -> KnownKey | None:
        """Return the key with this SHA-256 digest in hexadecimal; deleted keys are not found."""
        ...

    def note_use(self, key_id: KeyId, at: datetime) -> None:
        """Remember when a key was last used."""
        ...


def shown_key(headers: Mapping[str, str]) -> str:
    """Return the API key that the headers show, as `Authorization: Bearer` or as `x-api-key`.

    Raises:
        KeyMissing: neither header holds one.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    token = token or headers.get("x-api-key", "").strip()
    if not token:
        raise KeyMissing
    return token


class Identify:
    """Turns headers into a caller."""

    def __init__(self, keys: KeyRing, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def __call__(self, headers: Mapping[str, str], client_address: str | None) -> Caller:
        """Return who calls.

        Raises:
            KeyMissing: no key was shown.
            KeyInvalid: the key is unknown, disabled, expired, or used from an address it is not meant for.
        """
        # Headers reach us as Latin-1; a key is ASCII, and whatever else was shown must not fail to encode.
        digest = hashlib.sha256(shown_key(headers).encode("utf-8", "surrogateescape")).hexdigest()
        known = self._keys.find(digest)
        if known is None or known.disabled:
            raise KeyInvalid
        now = self._clock.now()
        if known.expires_at is not None and known.expires_at <= now:
            raise KeyInvalid
        if known.networks and not _is_within(client_address, known.networks):
            raise KeyInvalid
        self._keys.note_use(known.caller.key_id, now)
        return known.caller


def _is_within(client_address: str | None, networks: tuple[Network, ...]) -> bool:
    if client_address is None:
        return False
    try:
        address = ipaddress.ip_address(client_address)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks if network.version == address.version)

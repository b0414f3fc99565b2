"""Whose key a request shows: a look-up in memory, before the body is read."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from qwenport.accounts.key_ring import KeyRing, Network
from qwenport.accounts.keys import hash_key
from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.errors import KeyInvalid, KeyMissing, WorkspaceDenied

WORKSPACE_HEADER = "x-dashscope-workspace"
"""Names a workspace, as DashScope's clients do where they are given one."""


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
            KeyInvalid: the key is unknown, disabled, expired, or not meant for this address or this hour.
            WorkspaceDenied: the headers name a workspace that is not the key's.
        """
        known = self._keys.find(hash_key(shown_key(headers)))
        if known is None or known.disabled:
            raise KeyInvalid
        now = self._clock.now()
        if known.expires_at is not None and known.expires_at <= now:
            raise KeyInvalid
        if known.networks and not _is_within(client_address, known.networks):
            raise KeyInvalid
        if known.hours is not None and not known.hours.contain(now):
            raise KeyInvalid
        workspace = headers.get(WORKSPACE_HEADER)
        if workspace and workspace.strip() != known.caller.workspace_id:
            raise WorkspaceDenied
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

"""The address of the client, also behind a proxy that the operator trusts."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from qwenport.server.asgi import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientAddress:
    """Reads `X-Forwarded-For` from trusted proxies, and from nobody else."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def __call__(self, scope: Scope, headers: Mapping[str, str]) -> str | None:
        """Return the nearest address that is not a trusted proxy; None where the peer has none (a Unix socket)."""
        peer = scope.get("client")
        if peer is None:
            return None
        address = str(peer[0])
        if not self._trusted or not self._is_trusted(address):
            return address
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
            if not hop.strip():
                break
            address = hop.strip()
            if not self._is_trusted(address):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted if network.version == parsed.version)

"""The address of the client, also behind a proxy that the operator trusts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from qwenport.server.asgi import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientAddress:
    """Reads `X-Forwarded-For` from trusted proxies, and from nobody else."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def __call__(self, scope: Scope) -> str | None:
        """Return the nearest address that is not a trusted proxy; None where the peer has none (a Unix socket)."""
        peer = scope.get("client")
        if peer is None:
            return None
        address = str(peer[0])
        if not self._trusted or not self._is_trusted(address):
            return address
        for hop in reversed(_hops(scope)):
            address = hop
            if not self._is_trusted(address):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._trusted if network.version == parsed.version)


def _hops(scope: Scope) -> list[str]:
    """Return what the proxies said, the nearest last; a proxy may add to a line or add a line of its own."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(lines).split(",") if hop.strip()]

"""Where the gateway goes for what a caller named: the public internet, and what the operator allowed beside it.

The host of an address is looked up, and the address is judged at the moment a socket for it is made: what was judged
is what is connected to, whatever the name answers a second later.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from yarl import URL

from qwenport.media.refusals import DOWNLOAD_FAILED, URL_INVALID, refused

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""RFC 4291, section 2.4, as IANA assigns it."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that a translator connects to."""

_RESERVED = (ip_network("192.0.0.0/24"), ip_network("3fff::/20"))
"""For protocols and documentation (IANA's special-purpose registries): older versions of Python take them for global,
and in the first a cloud answers with its machines' credentials."""

_FIRST_USER_PORT = 1024
_WEB_PORTS = frozenset({80, 443})
_OTHER_PROTOCOLS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6679, 6697, 10080, 11211}
    | set(range(6665, 6670))
)
"""Ports of the Fetch standard's list of bad ports (https://fetch.spec.whatwg.org/#port-blocking), and two caches."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is global unicast, also where it stands for an IPv4 address that is not."""
    if any(address in network for network in _RESERVED):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address in _GLOBAL_UNICAST and address.is_global


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


class Outbound:
    """What may be connected to."""

    def __init__(self, private_hosts: Iterable[str] = ()) -> None:
        """Keep the operator's list: names of hosts, addresses and ranges that need not be public."""
        self._names: set[str] = set()
        self._networks = []
        for entry in private_hosts:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                self._names.add(entry.lower())

    def check_url(self, url: str) -> URL:
        """Return an `http(s)` address that may be asked for.

        Raises:
            ParameterInvalid: it is none, holds a password, or its port is not one of the web.
        """
        parsed = parse_url(url).with_fragment(None)
        if parsed.scheme not in {"http", "https"} or not parsed.host or "@" in parsed.authority:
            raise refused(URL_INVALID)
        if parsed.port is None or not _is_web(parsed.port):
            raise refused(DOWNLOAD_FAILED)
        return parsed

    def may_reach(self, host: str, address: str) -> bool:
        """Tell whether an address that a host has may be connected to."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return is_public(found) or host.lower() in self._names or any(found in network for network in self._networks)

    def open_socket(self, host: str, found: tuple[Any, ...]) -> socket.socket:
        """Return a socket for one address of a host, as `socket.getaddrinfo` gives it.

        Raises:
            PermissionError: the address may not be connected to.
        """
        family, kind, protocol, _, address = found
        if not self.may_reach(host, str(address[0])):
            raise PermissionError(errno.EACCES, f"{address[0]} is no public address")
        return socket.socket(family, kind, protocol)


def parse_url(url: str) -> URL:
    """Return an address in its parts, absolute or not.

    Raises:
        ParameterInvalid: it is none.
    """
    # What needs no escaping is left byte by byte as it is: signatures in a query are made over it.
    is_escaped = url.isascii() and url.isprintable() and " " not in url
    try:
        parsed = URL(url, encoded=is_escaped)
        # Where nothing is escaped, the authority is read only when it is asked for.
        _ = parsed.port
    except ValueError as error:
        raise refused(URL_INVALID) from error
    return parsed


def _is_web(port: int) -> bool:
    return port in _WEB_PORTS or (port >= _FIRST_USER_PORT and port not in _OTHER_PROTOCOLS)

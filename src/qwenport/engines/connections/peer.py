"""The other end of connections: where it is, what it wants to be shown, and how it is reached."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from qwenport.engines.connections.errors import NotConnected
from qwenport.engines.connections.names import LookUp, Name, NameUnknown, system_addresses

Factory = Callable[[], asyncio.Protocol]

_HOST = re.compile(r"[0-9A-Za-z._:%-]+")
_PORTS = {"http": 80, "https": 443}


class PeerInvalid(ValueError):
    """A URL leads nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One server that is called."""

    url: str
    """Scheme, host and port, without a path; of a socket only the scheme counts."""
    socket: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Shown with every request; a key may be among them."""
    keeps_connections: bool = True
    """Whether a connection serves further requests."""
    ca_file: str = ""
    """Certificates of authorities instead of the system's."""
    connect_s: float = 5.0
    """For names, connecting and TLS together."""
    idle_s: float = 15.0
    """How long a connection is kept that serves nothing."""
    address: str = ""
    """Numeric address to connect to; empty for whatever the host's name stands for."""
    look_up: LookUp = system_addresses
    """Tells what names stand for."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a URL says."""

    host: str
    port: int
    tls: bool
    authority: str
    """What the header `Host` says."""


def name_of(peer: Peer) -> Name:
    """Return the name of a peer's host, or its address where that is given.

    Raises:
        PeerInvalid: its URL leads nowhere.
    """
    origin = origin_of(peer.url)
    return Name(peer.address or origin.host, origin.port, peer.look_up)


def origin_of(url: str) -> Origin:
    """Take a URL apart.

    Raises:
        PeerInvalid: it is none, or holds more than a scheme, a host and a port.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise PeerInvalid(f"`{url}` is no URL: {error}") from error
    if parts.scheme not in _PORTS or not host or not _HOST.fullmatch(host):
        raise PeerInvalid(f"`{url}` is no URL of a server: say `https://host` or `http://host:port`")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise PeerInvalid("a URL of a server holds a scheme, a host and a port, and nothing else")
    return Origin(host, port or _PORTS[parts.scheme], parts.scheme == "https", parts.netloc)


class Dialer:
    """Opens connections to one peer; no proxy is asked, whatever the environment says."""

    def __init__(self, peer: Peer) -> None:
        """Connect nowhere yet.

        Raises:
            PeerInvalid: its URL leads nowhere.
        """
        self._peer = peer
        self._tls: ssl.SSLContext | None = None
        self.origin = origin_of(peer.url)
        self._name = name_of(peer)

    async def dial(self, new_protocol: Factory, most_s: float) -> None:
        """Connect a protocol that `new_protocol` makes, within `most_s` seconds and the peer's own limit.

        Raises:
            NotConnected: nobody could be reached in time.
        """
        loop = asyncio.get_running_loop()
        limit_s = min(self._peer.connect_s, most_s)
        end = loop.time() + limit_s
        addresses = await self._addresses(limit_s)
        try:
            async with asyncio.timeout_at(end):
                await self._dial(new_protocol, addresses, end)
        except OSError as error:
            # The name may have come to stand for something else.
            self._name.suspect()
            raise NotConnected(self._reason(error, limit_s)) from error

    @property
    def name(self) -> str:
        """What the peer is called in messages."""
        return f"`{self._peer.url}`" if self._peer.socket is None else f"the socket of `{self._peer.url}`"

    async def _addresses(self, limit_s: float) -> Sequence[str]:
        if self._peer.socket is not None:
            return ()
        try:
            return await self._name.addresses(limit_s)
        except NameUnknown as error:
            raise NotConnected(f"the name of {self.name} cannot be resolved") from error

    async def _dial(self, new_protocol: Factory, addresses: Sequence[str], end: float) -> None:
        loop = asyncio.get_running_loop()
        tls = self._context() if self.origin.tls else None
        hostname = self.origin.host if tls else None
        if self._peer.socket is not None:
            await loop.create_unix_connection(new_protocol, str(self._peer.socket), ssl=tls, server_hostname=hostname)
            return
        for left in range(len(addresses), 0, -1):
            # One address that swallows everything must not use up the time of the others.
            share_s = (end - loop.time()) / left
            try:
                async with asyncio.timeout(share_s):
                    await loop.create_connection(
                        new_protocol, addresses[-left], self.origin.port, ssl=tls, server_hostname=hostname
                    )
            except OSError:
                if left == 1:
                    raise
            else:
                return

    def _reason(self, error: OSError, limit_s: float) -> str:
        match error:
            case TimeoutError():
                return f"no connection to {self.name} within {limit_s:.3g} s"
            case ssl.SSLCertVerificationError():
                return f"the certificate of {self.name} is not accepted: {error.verify_message}"
            case ssl.SSLError():
                return f"no TLS with {self.name}: {error.reason or error}"
            case _:
                return f"no connection to {self.name}: {_words(error)}"

    def _context(self) -> ssl.SSLContext:
        """Return how certificates are checked; read once, at the first connection."""
        if self._tls is None:
            try:
                self._tls = ssl.create_default_context(cafile=self._peer.ca_file or None)
            except OSError as error:
                raise NotConnected(
                    f"the certificates of `{self._peer.ca_file}` cannot be read: {_words(error)}"
                ) from error
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def _words(error: OSError) -> str:
    """Return the system's words; asyncio puts its own in their place."""
    return os.strerror(error.errno) if error.errno else str(error)

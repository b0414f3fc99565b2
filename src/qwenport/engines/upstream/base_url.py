"""The base URL of an upstream, as the operator wrote it: checked before anything is sent there."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

_SCHEMES: tuple[Literal["https", "http"], ...] = ("https", "http")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_PATH = re.compile(r"(/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa")
"""Names that nobody can register in public: RFC 6761, RFC 6762, RFC 8375, and ICANN's resolution 2024.07.29.06."""


class BaseUrlInvalid(ValueError):
    """A base URL cannot be used; the words go on from the name of the field."""


class BaseUrl(Struct, frozen=True):
    """A base URL in its parts; `str` of it has no slash at its end."""

    scheme: Literal["https", "http"]
    host: str
    """In lower case; IPv6 in square brackets."""
    port: int | None
    path: str

    def __str__(self) -> str:
        """Return it as one text."""
        return f"{self.origin}{self.path}"

    @property
    def origin(self) -> str:
        """Return it without its path."""
        return f"{self.scheme}://{self.host}" + ("" if self.port is None else f":{self.port}")

    def below(self, path: str) -> str:
        """Return another path of the same server."""
        return f"{self.origin}{path}"

    @property
    def is_private(self) -> bool:
        """Tell whether nothing on the public internet is meant: an address, or a name that is not registered there."""
        address = _address(self.host)
        if address is None:
            return "." not in self.host or self.host.endswith(_PRIVATE_ENDINGS)
        return not address.is_global


def read_base_url(text: str) -> BaseUrl:
    """Return a base URL; raises `BaseUrlInvalid`, in words that show no password."""
    if not text.isascii() or not text.isprintable() or any(mark in text for mark in ' \\"<>^`{|}'):
        raise BaseUrlInvalid("holds characters that no URL has; write a host outside of ASCII as `xn--…`")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BaseUrlInvalid(f"is no URL ({error}); write it like `https://host/v1`") from error
    if "@" in parts.netloc:
        raise BaseUrlInvalid("holds a user or a password; keys go into `api_key_env` or `api_key_file`")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise BaseUrlInvalid("holds `?` or `#`; write only scheme, host and path, such as `https://host/v1`")
    scheme = next((each for each in _SCHEMES if each == parts.scheme), None)
    if scheme is None:
        raise BaseUrlInvalid(f"is `{text}`; it must begin with `https://` or `http://`")
    host = (parts.hostname or "").lower()
    return BaseUrl(scheme, _checked_host(host, text), _checked_port(port, parts.netloc), _checked_path(parts.path))


def _checked_host(host: str, text: str) -> str:
    if ":" in host:
        if _address(host) is None:
            raise BaseUrlInvalid(f"is `{text}`, which names no host; write it like `https://host/v1`")
        return f"[{host}]"
    # A number as the last label is taken for an IPv4 address by resolvers, whatever else it looks like.
    if not _NAME.fullmatch(host) or (_NUMBER.fullmatch(host.rpartition(".")[2]) and _address(host) is None):
        raise BaseUrlInvalid(f"is `{text}`, which names no host; write it like `https://host/v1`")
    return host


def _checked_port(port: int | None, netloc: str) -> int | None:
    if port == 0 or netloc.endswith(":"):
        raise BaseUrlInvalid("has a port that is none; leave it out or write one from 1 to 65535")
    return port


def _checked_path(path: str) -> str:
    plain = path.rstrip("/")
    if not _PATH.fullmatch(plain) or any(part in {".", ".."} for part in plain.split("/")):
        raise BaseUrlInvalid(f"has the path `{path}`; write it like `/v1`, without `//`, `.` and `..`")
    return plain


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped

"""Header lines by which a server before us and we could understand a request differently; such a request is refused.

Whoever checks the first of two lines would let pass what we read in the second. RFC 9112, section 3.2, asks for a 400
where `Host` is missing, stands twice or holds what no name of a host can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

_ONCE = (b"host", b"authorization", b"x-api-key")
"""Who is asked, and who asks."""
_OF_A_HOST = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=%:[]"
"""What a host and a port are written with (RFC 3986, section 3.2.2)."""


class HeadDoubtful(Exception):
    """A request's header lines can be understood in more than one way; the words hold none of their values."""


def check_head(headers: Sequence[tuple[bytes, bytes]], version: Callable[[], str]) -> None:
    """Take header lines under lower-case names, and what tells the version of HTTP.

    Raises:
        HeadDoubtful: `Host` is missing or no host, or a line that says who asks or is asked stands twice.
    """
    by_name = dict(headers)
    if len(by_name) != len(headers):
        _check_once(headers)
    host = by_name.get(b"host")
    if host is None:
        if version() != "1.0":
            raise HeadDoubtful("The request has no header Host.")
    elif host.translate(None, _OF_A_HOST):
        raise HeadDoubtful("The header Host holds what is neither a host nor a port.")


def _check_once(headers: Sequence[tuple[bytes, bytes]]) -> None:
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise HeadDoubtful(f"The header {name.decode().title()} stands more than once.")

"""What the name of a host stands for: looked up once for all who want to know, and kept while nobody tells it anew."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

LookUp = Callable[[str, int], Sequence[str]]
"""Host and port to numeric addresses, each once, in the resolver's order; may take as long as it likes.

Raises `OSError` or `UnicodeError` where the host stands for nothing.
"""

FRESH_S = 30.0
"""How old the addresses of a name may be."""

STALE_S = 60.0
"""From how much more on they may well be wrong: nobody was called in between, and what is new is waited for."""

PATIENCE_S = 1.0
"""For how long a look-up keeps those waiting who have an older answer."""

VAIN_S = 10.0
"""For how long nobody waits for long again after a look-up that told nothing."""

SOON_S = 0.1
"""For how long a look-up keeps those waiting then: within it, a resolver that is well again has mostly answered."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver; a `LookUp`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class NameUnknown(Exception):
    """Nobody tells what a name stands for, or not in time."""


class Name:
    """One name. Its resolver has one thread at most, which is the name's own.

    A look-up cannot be ended. In a pool of threads those of one name whose resolver is silent would sooner or later
    hold them all, and with them the look-ups of every other name.
    """

    def __init__(self, host: str, port: int, look_up: LookUp = system_addresses) -> None:
        """Ask nobody yet."""
        self._host = host
        self._port = port
        self._look_up = look_up
        self._known: Sequence[str] = (host,) if _is_numeric(host) else ()
        self._is_fixed = bool(self._known)
        self._asked_at = float("-inf")
        """When the last look-up began, or ended where none is under way; moments are the loop's."""
        self._began_at = 0.0
        self._patience_s = 0.0
        """For how long from then on the look-up that is under way keeps anybody waiting."""
        self._lookup: asyncio.Future[None] | None = None

    async def addresses(self, limit_s: float) -> Sequence[str]:
        """Return what is known, or wait for it, where nothing is until a look-up has taken `limit_s` seconds.

        After that, and for a while after one that told nothing, nobody is kept waiting in vain: who asks then fails at
        once, and the next look-up goes on beside the calls.

        Raises:
            NameUnknown: nothing is known.
        """
        if self._is_fixed:
            return self._known
        now = asyncio.get_running_loop().time()
        if self._lookup is None and (not self._known or now - self._asked_at >= FRESH_S):
            self._patience_s = self._patience(now)
            self._begin(now)
        wait_s = self._began_at + min(limit_s, self._patience_s) - now
        if self._lookup is not None and wait_s > 0:
            # Others wait for the same; one who leaves takes nothing from them.
            await asyncio.wait({self._lookup}, timeout=wait_s)
        if not self._known:
            raise NameUnknown
        return self._known

    def suspect(self) -> None:
        """Note that nobody answers at these addresses: the next who asks is told what the resolver says then."""
        self._asked_at = float("-inf")

    def close(self) -> None:
        """Look nothing up any more; a look-up that is under way ends when it ends, and nobody hears of it."""
        if self._lookup is not None:
            self._lookup.cancel()

    def _patience(self, now: float) -> float:
        """Return for how long a look-up that begins now keeps anybody waiting."""
        if not self._known:
            return SOON_S if now - self._asked_at < VAIN_S else float("inf")
        return PATIENCE_S if now - self._asked_at >= FRESH_S + STALE_S else 0.0

    def _begin(self, now: float) -> None:
        self._asked_at = self._began_at = now
        loop = asyncio.get_running_loop()
        lookup = self._lookup = loop.create_future()

        def tell(found: Sequence[str]) -> None:
            self._lookup = None
            self._asked_at = loop.time()
            # Where nobody tells, what was known goes on.
            self._known = found or self._known
            if not lookup.done():
                lookup.set_result(None)

        def ask() -> None:
            found: Sequence[str] = ()
            with suppress(OSError, UnicodeError):
                found = self._look_up(self._host, self._port)
            # The loop may have been closed meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, found)

        threading.Thread(target=ask, name=f"look-up of {self._host}", daemon=True).start()


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False

"""Looks up the names of hosts in threads of its own.

A look-up cannot be broken off, and whoever runs a domain says how long one takes: in the threads that all share, a few
would hold up files and documents.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class NameLookup(AbstractResolver):
    """The system's look-up, several at a time."""

    def __init__(self, at_once: int, look_up: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        """Start no thread yet; `look_up` is called as `socket.getaddrinfo` is."""
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `OSError` where it has none."""
        look_up = partial(self._look_up, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)

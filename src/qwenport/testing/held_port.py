"""A port of the loopback that is kept for whoever listens on it later by its number."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """Give a port that nobody is given by chance while the block lasts, and that a server can listen on.

    It stays bound, which on Linux hinders no server that sets `SO_REUSEADDR`, as all do. Elsewhere it would; there it
    is only free when the block begins.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":
            holder.close()
        yield port

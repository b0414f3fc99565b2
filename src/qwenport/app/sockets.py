"""The sockets of a server: bound once by the supervisor, handed to its workers."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from pathlib import Path

from qwenport.app.data_dir import RUNTIME_PREFIX
from qwenport.app.refusal import StartRefused

LONGEST_UNIX_PATH = 104
"""Bytes that a Unix socket's address may have on every system that we run on."""

BACKLOG = 2048


def bind_public(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket.

    Raises:
        StartRefused: the address is taken or is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise StartRefused(f"QWENPORT_HOST is `{host}`, which is no address: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartRefused(
                f"port {port} on {host} is in use by another program: stop it, or set QWENPORT_PORT to a free one"
            ) from error
        raise StartRefused(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def bind_admin(path: Path, runtime_dir: Path) -> socket.socket:
    """Return a listening Unix socket that only this user can reach, at `path`.

    Where `path` is too long for an address, the socket lies in `runtime_dir` and `path` is a symbolic link to it.

    Raises:
        StartRefused: the socket cannot be made.
    """
    place = path if len(os.fsencode(path)) <= LONGEST_UNIX_PATH else runtime_dir / "admin.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(place))
        listener.listen(BACKLOG)
        if place != path:
            path.symlink_to(place)
    except OSError as error:
        listener.close()
        raise StartRefused(f"the admin socket {path} cannot be made: {error.strerror}") from error
    finally:
        os.umask(previous)
    return listener


def make_runtime_dir() -> Path:
    """Return a new folder with a short path that only this user can read; sockets of children live in it."""
    return Path(tempfile.mkdtemp(prefix=RUNTIME_PREFIX))

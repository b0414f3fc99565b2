"""One pull of a file at a time, over threads and processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def pull_lock(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file of this path; it is gone afterwards, and the system frees it when the process dies.

    Calls `on_wait` before it waits for another holder.
    """
    descriptor = _acquire(path, on_wait)
    try:
        yield
    finally:
        # Unlinked while held: whoever waits on the old file notices in `_acquire` that its name is gone.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path, on_wait: Callable[[], None]) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _flock(descriptor, on_wait)
            if _is_still_named(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _flock(descriptor: int, on_wait: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_still_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

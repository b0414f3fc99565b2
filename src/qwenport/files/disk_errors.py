"""The seam at which errors of the disk under the files become `StorageUnavailable`."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from qwenport.core.errors import StorageUnavailable

FULL = "the disk under the files is full"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StorageUnavailable`, with a reason that is safe to show, for what the system refuses inside."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(FULL if error.errno in _FULL else "the disk under the files fails") from error

"""The terminal of a server: SIGHUP tells that it was closed, or that the configuration is to be read again."""

from __future__ import annotations

import os
import signal


class Terminal:
    """The terminal that the server was started in, if any: when it is closed, SIGHUP means the end and no reload."""

    def __init__(self) -> None:
        """Look whether there is one; a server that was started by `nohup` outlives it."""
        self._counts = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()

    def is_gone(self) -> bool:
        """Tell whether it was closed."""
        return self._counts and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True

"""What a child process does first: it bounds its time and memory, and yields to whatever else runs on the machine."""

from __future__ import annotations

import os
import resource
import signal
import sys


def withdraw(seconds: int, memory_bytes: int) -> None:
    """Bound this process; it writes no file, and ends by itself when nobody waits for it any more."""
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    withdraw_for_long(memory_bytes)


def withdraw_for_long(memory_bytes: int) -> None:
    """Bound this process where it works for as long as it is given work."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a memory image would hold callers' texts
    if sys.platform == "linux":  # macOS refuses this limit.
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    os.nice(5)

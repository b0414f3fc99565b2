"""How much memory a process holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 where it has ended."""
    try:
        if sys.platform == "linux":
            pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        shown = subprocess.run(["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)  # noqa: S603 - a fixed program and a number
        return int(shown.stdout) * 1024
    except (OSError, ValueError, IndexError, subprocess.CalledProcessError):
        return 0

"""How much memory the processes hold that read pages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qwenport.observability.memory import resident_bytes


def peak_bytes(pids: Iterable[int]) -> int:
    """Return the most that any of some processes ever held; what it holds now where the system does not tell."""
    return max((_peak(pid) for pid in pids), default=0)


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace")
    except OSError:
        return resident_bytes(pid)
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
    return int(peak) * 1024

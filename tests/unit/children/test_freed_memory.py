"""What was freed goes back to the system."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# In a process of its own: in one that has done much else, blocks find room in what other tests left.
_OWN_PROCESS = """
import os
from qwenport.children.freed_memory import give_back
from qwenport.observability.memory import resident_bytes

blocks = [b"x" * (100_000 if at % 2 else 1000) for at in range(2000)]
for at in range(1, 2000, 2):
    blocks[at] = b""
kept = resident_bytes(os.getpid())
give_back()
print(kept - resident_bytes(os.getpid()) > 50_000_000)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps what was freed")
def test_memory_that_was_freed_between_blocks_in_use_goes_back_to_the_system() -> None:
    command = [sys.executable, "-c", _OWN_PROCESS]

    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "True\n"

"""What a worker holds in memory that it does not need."""

from __future__ import annotations

import subprocess
import sys

_OWN_PROCESS = """
import os, sys
from qwenport.app import worker
print(sorted({name.split('.')[0] for name in sys.modules} & set(sys.argv[1:])))
"""
_HEAVY = ("PIL", "cv2", "numpy", "onnxruntime", "opencc", "psycopg", "rapidocr", "xllamacpp")


def test_a_worker_loads_nothing_large_that_only_some_installations_use() -> None:
    command = [sys.executable, "-c", _OWN_PROCESS, *_HEAVY]

    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "[]\n"

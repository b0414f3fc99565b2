"""A hundredth of what `make fuzz` does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SEED = 20261122


def test_no_face_breaks_on_requests_of_any_kind(models_dir: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "fuzz", "--requests", "1000", "--seed", str(SEED)],
        cwd=PROJECT,
        env={**os.environ, "QWENPORT_MODELS_DIR": str(models_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.startswith(f"seed {SEED}: ")
    for face in ("openai", "dashscope", "anthropic"):
        assert f"{face}: 1,000 mutated requests" in ended.stdout

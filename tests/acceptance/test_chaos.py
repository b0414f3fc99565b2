"""A hundredth of what `make chaos` does, on each database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SEED = 20261122
UPSTREAM_CALLS = 50


@pytest.mark.parametrize(("database", "schedules"), [("sqlite", 80), ("postgresql", 20)])
def test_the_books_balance_however_calls_end(database: str, schedules: int) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "chaos", "--schedules", str(schedules), "--seed", str(SEED)),
            *("--database", database, "--upstream-calls", str(UPSTREAM_CALLS)),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.startswith(f"seed {SEED}: {schedules} schedules on {database}\n")
    assert "the books balanced each time" in ended.stdout
    told = f"\n{UPSTREAM_CALLS} calls before upstreams that fail in " in ended.stdout
    assert told is (database == "sqlite")

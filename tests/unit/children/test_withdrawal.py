"""What a child process may still do after it has withdrawn."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from qwenport.testing.child_processes import only_linux

TELL = """
import json, os, resource, signal
before = os.nice(0)
from qwenport.children import withdrawal
withdrawal.{call}
limits = {{name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_CORE", "RLIMIT_AS")}}
limits |= {{name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_CPU", "RLIMIT_FSIZE")}}
print(json.dumps([limits, signal.alarm(0), os.nice(0) == min(before + 5, 19)]))
"""
GIGABYTE = 1 << 30


@only_linux
@pytest.mark.parametrize(
    ("call", "limits", "alarm"),
    [
        (
            f"withdraw(50, {GIGABYTE})",
            {"RLIMIT_CORE": 0, "RLIMIT_AS": GIGABYTE, "RLIMIT_CPU": 50, "RLIMIT_FSIZE": 0},
            True,
        ),
        (f"withdraw_for_long({GIGABYTE})", {"RLIMIT_CORE": 0, "RLIMIT_AS": GIGABYTE}, False),
    ],
)
def test_a_child_is_bounded_and_yields(call: str, limits: dict[str, int], alarm: bool) -> None:
    own = {name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_CPU", "RLIMIT_FSIZE")}
    program = TELL.format(call=call)

    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)

    found, rings_in, is_nicer = json.loads(ended.stdout)
    bounded = {name: [limit, limit] for name, limit in limits.items()}
    assert (found, rings_in > 0, is_nicer) == (
        {**{name: [*each] for name, each in own.items()}, **bounded},
        alarm,
        True,
    )
